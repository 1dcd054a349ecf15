#ifndef SEPCONV_BENCH_BLOCKS_H_
#define SEPCONV_BENCH_BLOCKS_H_

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "bench/library.h"
#include "bench/shapes.h"
#include "layer/status.h"

namespace sepconv::bench {

struct FreeMemory {
    void operator()(float *memory) const { std::free(memory); }
};
/// Floats from a 64-byte boundary on, as models have them in their arena.
using Buffer = std::unique_ptr<float, FreeMemory>;

/// A compiled block whose values are right.
struct CheckedBlock {
    BlockShape shape;
    int64_t macs = 0;
    double error = 0;  ///< The largest, absolute, against the reference.
    std::unique_ptr<Library> library;
    Buffer input, output;
};

/// Compiles the block into `folder`, runs it once and checks every value.
Result<CheckedBlock> prepare(const std::string &tool, const BlockShape &shape,
                             const std::string &isa, const std::string &folder);

/// What was measured, in the order of time.
struct Samples {
    std::vector<std::vector<double>> microseconds;  ///< [block][round], of one call
    std::vector<double> peaks;  ///< GFLOP/s, before each round and after the last.
};

/// In every round, the peak of `isa`, and every block once: an untimed call that brings its weights
/// into the caches, then the mean of `calls`.
Result<Samples> measure(std::vector<CheckedBlock> *blocks, const std::string &isa, int rounds,
                        int calls);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_BLOCKS_H_
