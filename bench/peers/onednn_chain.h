#ifndef SEPCONV_BENCH_PEERS_ONEDNN_CHAIN_H_
#define SEPCONV_BENCH_PEERS_ONEDNN_CHAIN_H_

#include <string>
#include <unordered_map>
#include <vector>

#include "bench/peers/peer.h"
#include "oneapi/dnnl/dnnl.hpp"

namespace sepconv::bench {

/// Where oneDNN may choose how tensors lie in memory.
enum class OnednnLayout {
    kChannelsLast,  ///< Nowhere.
    kInside,        ///< Between its primitives; channels last at both ends.
    kEverywhere,    ///< At the ends too, as in a network of its own.
};

/// One way to make a block of oneDNN's primitives.
struct OnednnVariant {
    OnednnLayout layout = OnednnLayout::kChannelsLast;
    bool fused = false;  ///< Expand and depthwise as one primitive.
    bool sum = false;    ///< A residual is added to what lies in the output, as networks do.
};

/// The variants that make sense for a block.
std::vector<OnednnVariant> onednn_variants(const Block &block);

/// Primitives in a row with all their memory. Weights are reordered when it is made.
class OnednnChain : public PreparedBlock {
public:
    /// Throws std::runtime_error or dnnl::error where oneDNN does not offer the variant.
    OnednnChain(const dnnl::engine &engine, OnednnVariant variant, const BlockData &data);
    bool restore() override;
    bool run() override;
    bool fetch() override;
    std::string setting() const override;

private:
    using Memory = dnnl::memory;
    using Arguments = std::unordered_map<int, Memory>;
    struct Step {
        dnnl::primitive primitive;
        Arguments arguments;
        Memory::desc scratchpad;
    };

    void build(const BlockData &data);
    void share_scratchpad();
    /// The stage, and the depthwise behind it where `fused`.
    Memory convolve(const BlockData &data, size_t stage, bool fused, const Memory &source);
    void append(const Epilogue &epilogue, dnnl::post_ops *operations, Arguments *arguments) const;
    void copy(Memory from, Memory to);
    Memory average(const Memory &source);
    Memory multiply(const Memory &image, const Memory &gate);
    Memory join(const BlockData &data, const Memory &primary, const Memory &cheap);
    Memory finish(const Epilogue &epilogue, const Memory &value);

    bool is_last(const Block &block, StageId stage) const;
    /// How a stage's result shall lie.
    Memory::desc wanted(const Block &block, StageId stage, const Memory::dims &dims) const;
    Arguments parameters(const dnnl::primitive_desc_base &descriptor, const StageRef &stage,
                         const StageParameters &values, int prefix);
    /// New memory, or the caller's where the stage writes there.
    Memory place(const BlockData &data, StageId stage, const Memory::desc &desc);
    Memory reordered(const Memory &source, const Memory::desc &desc);
    template<typename Descriptor>
    void push(const Descriptor &descriptor, dnnl::primitive primitive, Arguments arguments);

    OnednnVariant variant_;
    dnnl::engine engine_;
    dnnl::stream stream_;
    std::vector<Step> steps_;
    Memory input_;   ///< In the layout of the first stage, once that is known.
    Memory output_;  ///< The caller's.
    Memory result_;  ///< Of the last step.
    Memory scratchpad_;
    std::string implementations_;
};

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_PEERS_ONEDNN_CHAIN_H_
