#ifndef SEPCONV_BENCH_BLOCKS_H_
#define SEPCONV_BENCH_BLOCKS_H_

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "bench/peers/peer.h"
#include "bench/shapes.h"
#include "layer/shape.h"
#include "layer/status.h"

namespace sepconv::bench {

struct FreeMemory {
    void operator()(float *memory) const { std::free(memory); }
};
/// Floats from a 64-byte boundary on, as models have them in their arena.
using Buffer = std::unique_ptr<float, FreeMemory>;

/// One library's way to compute a block.
struct Contender {
    std::unique_ptr<PreparedBlock> block;  ///< Null where the library does not offer it.
    std::string note;                      ///< Why, or what the library chose.
    double error = 0;                      ///< The largest, absolute, against the reference.
    int calls = 1;                         ///< In a sample, which they make long enough to time.
    std::vector<double> microseconds;      ///< [round], of one call
};

/// A block whose values are right with all who take part.
struct CheckedBlock {
    std::string table;  ///< Of shapes.
    BlockShape shape;
    Cost cost;
    std::vector<Contender> contenders;  ///< As the peers.
    Buffer input, output;
};

/// Prepares the block with each of the peers, runs it and checks every value. An error if the first
/// peer, sepconv itself, does not get it right; of the others only what they offer and get right
/// takes part.
Result<CheckedBlock> prepare(const std::string &table, const BlockShape &shape,
                             const std::vector<std::unique_ptr<Peer>> &peers);

struct MeasureOptions {
    std::string isa;
    std::vector<int> cores;
    int rounds = 50;
    double sample_microseconds = 200;  ///< The least that a sample takes.
};

/// In every round and for every block: the peak, then every contender once, in an order that turns
/// with the rounds. A contender's sample is the mean of its calls behind an untimed one, which
/// brings its weights into the caches. Returns the peaks in GFLOP/s.
Result<std::vector<double>> measure(const MeasureOptions &options,
                                    std::vector<CheckedBlock> *blocks);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_BLOCKS_H_
