#ifndef SEPCONV_BENCH_PEERS_PEER_H_
#define SEPCONV_BENCH_PEERS_PEER_H_

#include <memory>
#include <string>
#include <vector>

#include "bench/shapes.h"
#include "bench/values.h"
#include "layer/layer.h"
#include "layer/status.h"

namespace sepconv::bench {

/// A block as one library runs it, bound to the buffers that it was prepared with.
class PreparedBlock {
public:
    PreparedBlock() = default;
    PreparedBlock(const PreparedBlock &) = delete;
    PreparedBlock &operator=(const PreparedBlock &) = delete;
    virtual ~PreparedBlock() = default;

    /// Puts back what runs overwrite of their input: called before a run whose values count.
    virtual bool restore() { return true; }
    /// What is timed. Returns whether it went well.
    virtual bool run() = 0;
    /// Brings the result into the output buffer, where `run` leaves it in a layout of its own.
    virtual bool fetch() { return true; }
    /// What the library chose, or was told, for this block; may be empty.
    virtual std::string setting() const { return ""; }
};

/// One block and its data: dense images, channels last. Every buffer begins at a 64-byte boundary
/// and may be read for 64 bytes beyond its end; operands that are tensors are the input.
struct BlockData {
    const std::string &table;  ///< Of shapes, whose names are unique in it.
    const BlockShape &shape;
    const Block &block;
    const Values &values;
    float *input;  ///< Never written.
    float *output;
};

/// A library that computes blocks: sepconv itself, or one that it is compared with.
class Peer {
public:
    Peer() = default;
    Peer(const Peer &) = delete;
    Peer &operator=(const Peer &) = delete;
    virtual ~Peer() = default;

    virtual std::string name() const = 0;
    /// Version, instruction set and setting, for the report.
    virtual std::string facts() const = 0;
    /// Its ways to compute the block, at least one: the best first, to be passed over for the next
    /// where its values are wrong. Weights are packed and memory is allocated here, not in the
    /// runs. An error says why the library does not offer the block.
    virtual Result<std::vector<std::unique_ptr<PreparedBlock>>> prepare(const BlockData &data) = 0;
};

/// What all contenders are held to.
struct PeerOptions {
    std::string isa;
    int threads = 1;
    std::string tool;           ///< The program sepconv.
    std::string folder;         ///< For what it writes.
    std::string tuning;         ///< A table of tunings; empty: those beside the tool.
    int scheduler_limit = 600;  ///< Seconds that an autoscheduler has for one kernel.
};

/// sepconv itself; without any tuning where there is one of its own to compare with.
std::unique_ptr<Peer> make_sepconv(const PeerOptions &options);
/// With the schedules of the table.
std::unique_ptr<Peer> make_tuned(const PeerOptions &options);
/// With those of one of Halide's autoschedulers, told of the threads.
std::unique_ptr<Peer> make_autoscheduled(const PeerOptions &options, const std::string &scheduler);

// An error says why the peer cannot take part.
Result<std::unique_ptr<Peer>> make_onednn(const PeerOptions &options);
Result<std::unique_ptr<Peer>> make_xnnpack(const PeerOptions &options);

/// The peers that this program was built with, in the order of the report. `absent` takes a line
/// on each of the others.
std::vector<std::unique_ptr<Peer>> make_peers(const PeerOptions &options,
                                              std::vector<std::string> *absent);

/// Weights and bias of a stage, in ONNX's order.
struct StageParameters {
    const float *weights;
    const float *bias;
};

/// Of the stage with this index in stages_of().
StageParameters parameters_of(const Values &values, size_t stage);

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_PEERS_PEER_H_
