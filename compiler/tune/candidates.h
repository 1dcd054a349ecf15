#ifndef SEPCONV_COMPILER_TUNE_CANDIDATES_H_
#define SEPCONV_COMPILER_TUNE_CANDIDATES_H_

#include <string>
#include <vector>

#include "layer/layer.h"
#include "schedules/tuning.h"

namespace sepconv {

/// At most `most` legal tunings of the kernel for the CPU of a Halide target, without the one that
/// sets nothing, those first that estimated_cycles() holds to be fast.
std::vector<Tuning> candidates_of(const Kernel &kernel, const std::string &halide_target,
                                  size_t most);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TUNE_CANDIDATES_H_
