#ifndef SEPCONV_COMPILER_TARGETS_H_
#define SEPCONV_COMPILER_TARGETS_H_

#include <string>
#include <vector>

#include "layer/status.h"

namespace sepconv {

/// The triple of this machine: "x86-64-linux".
std::string host_triple();

/// One variant of a library's kernels.
struct IsaTarget {
    std::string isa;     ///< As the runtime knows it: "avx2", "cuda".
    std::string halide;  ///< Halide's target string, with the features of every library kernel.
    std::string device;  ///< Which of the runtime's devices runs it: "cuda"; empty: the CPU.
    int capability = 0;  ///< The lowest compute capability of CUDA that it needs: 80 for 8.0.
};

/// The machines that a library is for.
struct TargetOptions {
    std::string triple = host_triple();
    std::vector<std::string> isas;     ///< Variants of the CPU; empty: the usual ones.
    std::vector<std::string> devices;  ///< Of cpu, cuda, opencl; empty: cpu.
    int cuda_capability = 80;
};

enum class ObjectFormat { kElf, kMachO, kCoff };

/// What a triple says apart from its variants.
struct Platform {
    std::string triple;
    ObjectFormat format = ObjectFormat::kElf;
    std::string cc;       ///< The C compiler to take where none is named; empty: none is known.
    std::string package;  ///< Debian's package with that compiler.
};

/// The triples with variants of their own, for messages and help: "x86-64-linux, ...".
std::string known_triples();

/// A triple is ARCHITECTURE-BITS-SYSTEM as Halide writes it. Where variants are known for the
/// architecture it may go on with the features of one of them, which is then the only one;
/// elsewhere with those of the CPU, which the library then takes as given.
Result<Platform> platform_of(const std::string &triple);

/// The variants of a library, best first: those of devices, then those of the CPU if it is one.
Result<std::vector<IsaTarget>> resolve_targets(const TargetOptions &options);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TARGETS_H_
