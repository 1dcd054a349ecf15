// XNNPACK by its operators: those of one block in a row, activations within convolutions where the
// library has them there. The operators are Debian's of 2022; they choose their kernels by the CPU
// alone.
#include <fmt/format.h>
#include <pthreadpool.h>
#include <xnnpack.h>

#include <cstdlib>
#include <limits>
#include <optional>

#include "bench/peers/peer.h"
#include "layer/shape.h"
#include "sepconv/sepconv.h"

namespace sepconv::bench {
namespace {

Status unsupported(const std::string &text) {
    return Status(StatusCode::kUnsupported, text);
}

Status check(xnn_status status, const char *operation) {
    if (status == xnn_status_success) return Status();
    return unsupported(fmt::format("{}: xnn_status {}", operation, static_cast<int>(status)));
}

struct Delete {
    void operator()(xnn_operator_t op) const { xnn_delete_operator(op); }
    void operator()(float *memory) const { std::free(memory); }
    void operator()(pthreadpool_t pool) const { pthreadpool_destroy(pool); }
};
using Operator = std::unique_ptr<xnn_operator, Delete>;
using Memory = std::unique_ptr<float, Delete>;
using Pool = std::unique_ptr<pthreadpool, Delete>;

/// A view of an image whose pixels lie `stride` floats apart.
struct Tensor {
    float *data = nullptr;
    int channels = 0, width = 0, height = 0;
    int stride = 0;

    size_t pixels() const { return static_cast<size_t>(width) * height; }
};

/// What an operator clamps its result to.
struct Range {
    float min = -std::numeric_limits<float>::infinity();
    float max = std::numeric_limits<float>::infinity();
};

/// The step of the epilogue, if it is one that operators do by themselves.
std::optional<Range> range_of(const Epilogue &epilogue, size_t step) {
    if (step >= epilogue.size()) return std::nullopt;
    if (epilogue[step].op == Op::kRelu) return Range{0, Range().max};
    if (epilogue[step].op == Op::kClip) return Range{epilogue[step].alpha, epilogue[step].beta};
    return std::nullopt;
}

class XnnpackBlock : public PreparedBlock {
public:
    explicit XnnpackBlock(pthreadpool_t pool) : pool_(pool) {}

    Status build(const BlockData &data);
    bool run() override {
        for (const Operator &op : operators_) {
            if (xnn_run_operator(op.get(), pool_) != xnn_status_success) return false;
        }
        return true;
    }

private:
    /// With room for what kernels read beyond the end.
    Tensor tensor(int channels, int width, int height);
    /// The place of a stage's result.
    Tensor destination(const BlockData &data, const StageRef &stage, const Tensor &source);
    Status convolve(const StageRef &stage, const StageParameters &parameters, const Tensor &source,
                    const Tensor &result);
    Status finish(const Epilogue &epilogue, size_t step, const float *operand, const Tensor &value);
    Status elementwise(const Elementwise &step, const Tensor &value);
    Status hard_sigmoid(const Elementwise &step, const Tensor &value);
    Status add(const float *operand, Range range, const Tensor &value);
    Status scale(const Tensor &value, const float *factors, size_t count, const Tensor &result);
    Status average(const Tensor &source, const Tensor &result);

    pthreadpool_t pool_;
    std::vector<Memory> memory_;
    std::vector<Operator> operators_;
};

Tensor XnnpackBlock::tensor(int channels, int width, int height) {
    constexpr size_t kLine = 64;
    const size_t bytes = sizeof(float) * channels * width * height + XNN_EXTRA_BYTES;
    void *memory = std::aligned_alloc(kLine, (bytes / kLine + 1) * kLine);
    memory_.emplace_back(static_cast<float *>(memory));
    return {memory_.back().get(), channels, width, height, channels};
}

Tensor XnnpackBlock::destination(const BlockData &data, const StageRef &stage,
                                 const Tensor &source) {
    const Block &block = data.block;
    const Image &image = block.output;
    const int channels = stage.convolution != nullptr
                             ? stage.convolution->out_channels
                             : stage.channels * stage.depthwise->multiplier;
    if (stage.id == StageId::kCheap) {  // Behind the primary's channels.
        return {data.output + source.channels, channels, image.width, image.height, image.channels};
    }
    if (stage.id == StageId::kProject || (stage.id == StageId::kDepthwise && !block.project)) {
        return {data.output, channels, image.width, image.height, image.channels};
    }
    if (stage.depthwise == nullptr) return tensor(channels, source.width, source.height);
    const Window &w = stage.depthwise->window;
    const auto extent = [](int in, int kernel, int stride, int dilation, int before, int after) {
        return static_cast<int>(output_extent(in, kernel, stride, dilation, before, after));
    };
    return tensor(
        channels,
        extent(source.width, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left, w.pad_right),
        extent(source.height, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top, w.pad_bottom));
}

/// From ONNX's [out][in][taps] to [out][taps][in].
std::vector<float> channels_last(const float *weights, int out, int in, int taps) {
    std::vector<float> result(static_cast<size_t>(out) * in * taps);
    for (size_t o = 0, at = 0; o < static_cast<size_t>(out); ++o) {
        for (int tap = 0; tap < taps; ++tap) {
            for (int i = 0; i < in; ++i) result[at++] = weights[(o * in + i) * taps + tap];
        }
    }
    return result;
}

Status XnnpackBlock::convolve(const StageRef &stage, const StageParameters &parameters,
                              const Tensor &source, const Tensor &result) {
    const bool depthwise = stage.depthwise != nullptr;
    const Window &w = depthwise ? stage.depthwise->window : stage.convolution->window;
    const int groups = depthwise ? source.channels : 1;
    const int in = source.channels / groups;
    const std::vector<float> weights =
        channels_last(parameters.weights, result.channels, in, w.taps());
    const Range range = range_of(*stage.epilogue, 0).value_or(Range());
    xnn_operator_t op = nullptr;
    SEPCONV_RETURN_IF_ERROR(
        check(xnn_create_convolution2d_nhwc_f32(
                  w.pad_top, w.pad_right, w.pad_bottom, w.pad_left, w.kernel_h, w.kernel_w,
                  w.stride_h, w.stride_w, w.dilation_h, w.dilation_w, groups, in,
                  result.channels / groups, source.stride, result.stride, weights.data(),
                  parameters.bias, range.min, range.max, 0, &op),
              "create_convolution2d_nhwc_f32"));
    operators_.emplace_back(op);
    return check(xnn_setup_convolution2d_nhwc_f32(op, 1, source.height, source.width, source.data,
                                                  result.data, pool_),
                 "setup_convolution2d_nhwc_f32");
}

/// The steps from `step` on, in place.
Status XnnpackBlock::finish(const Epilogue &epilogue, size_t step, const float *operand,
                            const Tensor &value) {
    for (; step < epilogue.size(); ++step) {
        if (epilogue[step].op == Op::kAdd && epilogue[step].operand == Operand::kTensor) {
            const std::optional<Range> range = range_of(epilogue, step + 1);
            SEPCONV_RETURN_IF_ERROR(add(operand, range.value_or(Range()), value));
            step += range ? 1 : 0;
        } else {
            SEPCONV_RETURN_IF_ERROR(elementwise(epilogue[step], value));
        }
    }
    return Status();
}

Status XnnpackBlock::elementwise(const Elementwise &step, const Tensor &value) {
    using Create = decltype(&xnn_create_sigmoid_nc_f32);
    using Setup = decltype(&xnn_setup_sigmoid_nc_f32);
    Create create = xnn_create_hardswish_nc_f32;
    Setup setup = xnn_setup_hardswish_nc_f32;
    if (step.op == Op::kHardSigmoid) return hard_sigmoid(step, value);
    if (step.op == Op::kSigmoid) {
        create = xnn_create_sigmoid_nc_f32;
        setup = xnn_setup_sigmoid_nc_f32;
    } else if (step.op != Op::kHardSwish) {
        return unsupported(fmt::format("has no {} here", name_of(step.op)));
    }
    xnn_operator_t op = nullptr;
    SEPCONV_RETURN_IF_ERROR(check(create(value.channels, value.stride, value.stride, 0, &op),
                                  std::string(name_of(step.op)).c_str()));
    operators_.emplace_back(op);
    return check(setup(op, value.pixels(), value.data, value.data, pool_), "setup of elementwise");
}

/// Two operators: the library has none for it.
Status XnnpackBlock::hard_sigmoid(const Elementwise &step, const Tensor &value) {
    const Tensor factor = tensor(1, 1, 1);
    const Tensor term = tensor(1, 1, 1);
    *factor.data = step.alpha;
    *term.data = step.beta;
    SEPCONV_RETURN_IF_ERROR(scale(value, factor.data, 1, value));
    const size_t count = value.pixels() * value.channels;
    const size_t one = 1;
    xnn_operator_t op = nullptr;
    SEPCONV_RETURN_IF_ERROR(check(xnn_create_add_nd_f32(0, 1, 0, &op), "create_add_nd_f32"));
    operators_.emplace_back(op);
    return check(
        xnn_setup_add_nd_f32(op, 1, &count, 1, &one, value.data, term.data, value.data, pool_),
        "setup_add_nd_f32");
}

/// Of whole tensors.
Status XnnpackBlock::add(const float *operand, Range range, const Tensor &value) {
    const size_t count = value.pixels() * value.channels;
    xnn_operator_t op = nullptr;
    SEPCONV_RETURN_IF_ERROR(
        check(xnn_create_add_nd_f32(range.min, range.max, 0, &op), "create_add_nd_f32"));
    operators_.emplace_back(op);
    return check(
        xnn_setup_add_nd_f32(op, 1, &count, 1, &count, value.data, operand, value.data, pool_),
        "setup_add_nd_f32");
}

/// Times one factor, or one a channel; both tensors are dense.
Status XnnpackBlock::scale(const Tensor &value, const float *factors, size_t count,
                           const Tensor &result) {
    const size_t extents[] = {value.pixels(), static_cast<size_t>(value.channels)};
    xnn_operator_t op = nullptr;
    SEPCONV_RETURN_IF_ERROR(check(xnn_create_multiply_nd_f32(Range().min, Range().max, 0, &op),
                                  "create_multiply_nd_f32"));
    operators_.emplace_back(op);
    return check(xnn_setup_multiply_nd_f32(op, 2, extents, 1, &count, value.data, factors,
                                           result.data, pool_),
                 "setup_multiply_nd_f32");
}

Status XnnpackBlock::average(const Tensor &source, const Tensor &result) {
    xnn_operator_t op = nullptr;
    SEPCONV_RETURN_IF_ERROR(
        check(xnn_create_global_average_pooling_nwc_f32(
                  source.channels, source.stride, result.stride, Range().min, Range().max, 0, &op),
              "create_global_average_pooling_nwc_f32"));
    operators_.emplace_back(op);
    return check(xnn_setup_global_average_pooling_nwc_f32(op, 1, source.pixels(), source.data,
                                                          result.data, pool_),
                 "setup_global_average_pooling_nwc_f32");
}

Status XnnpackBlock::build(const BlockData &data) {
    const Image &in = data.block.input;
    const Image &out = data.block.output;
    Tensor value{data.input, in.channels, in.width, in.height, in.channels};
    Tensor gated;  // What the gate will be multiplied into.
    const std::vector<StageRef> stages = stages_of(data.block);
    for (size_t i = 0; i < stages.size(); ++i) {
        const StageRef &stage = stages[i];
        if (stage.id == StageId::kOutput) {
            value = {data.output, out.channels, out.width, out.height, out.channels};
            SEPCONV_RETURN_IF_ERROR(finish(*stage.epilogue, 0, data.input, value));
            continue;
        }
        if (stage.id == StageId::kReduce) {
            gated = value;
            value = tensor(gated.channels, 1, 1);
            SEPCONV_RETURN_IF_ERROR(average(gated, value));
        }
        const Tensor result = destination(data, stage, value);
        SEPCONV_RETURN_IF_ERROR(convolve(stage, parameters_of(data.values, i), value, result));
        const size_t done = range_of(*stage.epilogue, 0) ? 1 : 0;
        SEPCONV_RETURN_IF_ERROR(finish(*stage.epilogue, done, data.input, result));
        value = result;
        if (stage.id == StageId::kExcite) {
            const Tensor image = gated.data == data.input
                                     ? tensor(gated.channels, gated.width, gated.height)
                                     : gated;
            SEPCONV_RETURN_IF_ERROR(scale(gated, value.data, gated.channels, image));
            value = image;
        }
    }
    return Status();
}

class Xnnpack : public Peer {
public:
    explicit Xnnpack(int threads) : pool_(threads > 1 ? pthreadpool_create(threads) : nullptr) {}
    std::string name() const override { return "XNNPACK"; }
    std::string facts() const override {
        return "Debian's libxnnpack of 2022-02-16, its operators, NHWC, the CPU's best kernels";
    }
    Result<std::vector<std::unique_ptr<PreparedBlock>>> prepare(const BlockData &data) override {
        auto block = std::make_unique<XnnpackBlock>(pool_.get());
        SEPCONV_RETURN_IF_ERROR(block->build(data));
        std::vector<std::unique_ptr<PreparedBlock>> blocks;
        blocks.push_back(std::move(block));
        return blocks;
    }

private:
    Pool pool_;
};

}  // namespace

Result<std::unique_ptr<Peer>> make_xnnpack(const PeerOptions &options) {
    for (const auto &[isa, better] : {std::pair("sse41", "avx2"), {"avx2", "avx512"}}) {
        if (options.isa == isa && sepconv_isa_available(better) != 0) {
            return unsupported(fmt::format("cannot be held to {} on a CPU with {}", isa, better));
        }
    }
    SEPCONV_RETURN_IF_ERROR(check(xnn_initialize(nullptr), "xnn_initialize"));
    return {std::make_unique<Xnnpack>(options.threads)};
}

}  // namespace sepconv::bench
