#ifndef SEPCONV_TESTS_SUPPORT_ISA_H_
#define SEPCONV_TESTS_SUPPORT_ISA_H_

#include <string>
#include <vector>

namespace sepconv::testing {

/// An instruction set that kernels are compiled for.
struct Isa {
    std::string name;      ///< As in SEPCONV_ISA.
    std::string features;  ///< Of a Halide target string.
    bool (*available)();   ///< On this CPU and operating system.
};

/// sse41, avx2, avx512.
const std::vector<Isa> &all_isas();

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_ISA_H_
