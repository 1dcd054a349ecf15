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

/// The triple of this machine: "x86-64-linux".
std::string host_triple();

/// The variants of `triple`, best first, that `isas` names; all of them when it is empty.
Result<std::vector<IsaTarget>> resolve_targets(const std::string &triple,
                                               const std::vector<std::string> &isas);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TARGETS_H_
