#ifndef SEPCONV_COMPILER_TARGETS_H_
#define SEPCONV_COMPILER_TARGETS_H_

#include <string>
#include <vector>

#include "layer/status.h"

namespace sepconv {

/// One variant of a library's kernels.
struct IsaTarget {
    std::string isa;     ///< As the runtime knows it: "avx2".
    std::string halide;  ///< Halide's target string, with the features of every library kernel.
};

enum class ObjectFormat { kElf, kMachO, kCoff };

/// What a triple says apart from its variants.
struct Platform {
    std::string triple;
    ObjectFormat format = ObjectFormat::kElf;
    std::string cc;       ///< The C compiler to take where none is named; empty: none is known.
    std::string package;  ///< Debian's package with that compiler.
};

/// The triple of this machine: "x86-64-linux".
std::string host_triple();

/// The triples with variants of their own, for messages and help: "x86-64-linux, ...".
std::string known_triples();

/// A triple is ARCHITECTURE-BITS-SYSTEM as Halide writes it. Where variants are known for the
/// architecture it may go on with the features of one of them, which is then the only one;
/// elsewhere with those of the CPU, which the library then takes as given.
Result<Platform> platform_of(const std::string &triple);

/// The variants of `triple`, best first, that `isas` names; the usual ones when it is empty.
Result<std::vector<IsaTarget>> resolve_targets(const std::string &triple,
                                               const std::vector<std::string> &isas);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TARGETS_H_
