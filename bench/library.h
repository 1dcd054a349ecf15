#ifndef SEPCONV_BENCH_LIBRARY_H_
#define SEPCONV_BENCH_LIBRARY_H_

#include <string>
#include <vector>

#include "bench/shapes.h"
#include "bench/values.h"
#include "layer/status.h"

namespace sepconv::bench {

/// Compiles the block with the tool's command `layer` and `options` of it into `folder`, for one
/// ISA, channels last at both ends. Returns the path of the shared library.
Result<std::string> compile(const std::string &tool, const BlockShape &shape, const Values &values,
                            const std::string &isa, const std::vector<std::string> &options,
                            const std::string &folder);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_LIBRARY_H_
