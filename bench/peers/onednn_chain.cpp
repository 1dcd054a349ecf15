#include "bench/peers/onednn_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "layer/shape.h"

namespace sepconv::bench {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using Tag = memory::format_tag;
constexpr auto kFloat = memory::data_type::f32;
constexpr int kDepthwise = DNNL_ARG_ATTR_POST_OP_DW;

memory::desc desc_of(const memory::dims &dims, Tag tag) {
    return {dims, kFloat, tag};
}

memory::dims dims_of(const Image &image) {
    return {1, image.channels, image.height, image.width};
}

const Window &window_of(const StageRef &stage) {
    return stage.depthwise != nullptr ? stage.depthwise->window : stage.convolution->window;
}

memory::dims result_dims(const StageRef &stage, const memory::dims &source) {
    const Window &w = window_of(stage);
    const int64_t channels = stage.depthwise != nullptr
                                 ? int64_t{stage.channels} * stage.depthwise->multiplier
                                 : stage.convolution->out_channels;
    return {
        1, channels,
        output_extent(source[2], w.kernel_h, w.stride_h, w.dilation_h, w.pad_top, w.pad_bottom),
        output_extent(source[3], w.kernel_w, w.stride_w, w.dilation_w, w.pad_left, w.pad_right)};
}

/// ONNX's weights, with the groups of a depthwise as a dimension of their own.
memory::desc weights_desc(const StageRef &stage, Tag four, Tag five) {
    const Window &w = window_of(stage);
    if (stage.depthwise != nullptr) {
        return desc_of({stage.channels, stage.depthwise->multiplier, 1, w.kernel_h, w.kernel_w},
                       five);
    }
    return desc_of(
        {stage.convolution->out_channels, stage.convolution->in_channels, w.kernel_h, w.kernel_w},
        four);
}

/// The primitive descriptor of a convolution with these attributes.
dnnl::convolution_forward::primitive_desc describe_convolution(const StageRef &stage,
                                                               const memory::desc &source,
                                                               const memory::desc &result,
                                                               const dnnl::primitive_attr &attr,
                                                               const dnnl::engine &engine) {
    const Window &w = window_of(stage);
    const dnnl::convolution_forward::desc convolution(
        dnnl::prop_kind::forward_inference, algorithm::convolution_direct, source,
        weights_desc(stage, Tag::any, Tag::any), desc_of({result.dims()[1]}, Tag::a), result,
        {w.stride_h, w.stride_w}, {w.dilation_h - 1, w.dilation_w - 1}, {w.pad_top, w.pad_left},
        {w.pad_bottom, w.pad_right});
    return {convolution, attr, engine};
}

/// The scratchpad is ours. (Copies of a primitive_attr are the same object.)
dnnl::primitive_attr attributes_with(const dnnl::post_ops &operations) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    attributes.set_post_ops(operations);
    return attributes;
}

void append_step(const Elementwise &step, dnnl::post_ops *operations) {
    const auto add = [&](algorithm kind, float alpha = 0, float beta = 0) {
        operations->append_eltwise(1, kind, alpha, beta);
    };
    switch (step.op) {
        case Op::kRelu:
            return add(algorithm::eltwise_relu);
        case Op::kClip:
            return add(algorithm::eltwise_clip, step.alpha, step.beta);
        case Op::kLeakyRelu:
            return add(algorithm::eltwise_relu, step.alpha);
        case Op::kHardSwish:
            return add(algorithm::eltwise_hardswish);
        case Op::kSigmoid:
            return add(algorithm::eltwise_logistic);
        case Op::kTanh:
            return add(algorithm::eltwise_tanh);
        case Op::kSilu:
            return add(algorithm::eltwise_swish, 1);
        case Op::kGelu:
            return add(algorithm::eltwise_gelu_erf);
        case Op::kGeluTanh:
            return add(algorithm::eltwise_gelu_tanh);
        case Op::kHardSigmoid:
            add(algorithm::eltwise_linear, step.alpha, step.beta);
            return add(algorithm::eltwise_clip, 0, 1);
        default:
            throw std::runtime_error(fmt::format("has no {} here", name_of(step.op)));
    }
}

}  // namespace

std::vector<OnednnVariant> onednn_variants(const Block &block) {
    std::vector<OnednnVariant> variants;
    const bool residual = !block.operands.empty() && block.epilogue.empty();
    for (const OnednnLayout layout :
         {OnednnLayout::kChannelsLast, OnednnLayout::kInside, OnednnLayout::kEverywhere}) {
        for (const bool fused : {false, true}) {
            // Fused over NHWC, oneDNN 2.6.3 computes wrong values, and with SSE4.1 crashes.
            if (fused && (!block.expand || layout != OnednnLayout::kEverywhere)) continue;
            variants.push_back({layout, fused, false});
            if (residual) variants.push_back({layout, fused, true});
        }
    }
    return variants;
}

OnednnChain::OnednnChain(const dnnl::engine &engine, OnednnVariant variant, const BlockData &data)
    : variant_(variant), engine_(engine), stream_(engine) {
    const memory::desc input = desc_of(dims_of(data.block.input), Tag::nhwc);
    const memory::desc output = desc_of(dims_of(data.block.output), Tag::nhwc);
    input_ = memory(input, engine_, data.input);
    output_ = memory(output, engine_, data.output);
    build(data);
    share_scratchpad();
    stream_.wait();
}

bool OnednnChain::restore() {
    try {
        if (variant_.sum) copy(input_, result_);
        return true;
    } catch (const dnnl::error &) {
        return false;
    }
}

bool OnednnChain::run() {
    try {
        for (const Step &step : steps_) step.primitive.execute(stream_, step.arguments);
        stream_.wait();
        return true;
    } catch (const dnnl::error &) {
        return false;
    }
}

bool OnednnChain::fetch() {
    try {
        if (result_.get_data_handle() == output_.get_data_handle()) return true;
        copy(result_, output_);
        return true;
    } catch (const dnnl::error &) {
        return false;
    }
}

void OnednnChain::copy(memory from, memory to) {
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
}

std::string OnednnChain::setting() const {
    const char *layout = variant_.layout == OnednnLayout::kChannelsLast ? "NHWC"
                         : variant_.layout == OnednnLayout::kInside     ? "NHWC at the ends"
                                                                        : "its own layout";
    return fmt::format("{}{} ({})", layout, variant_.sum ? ", sum" : "", implementations_);
}

void OnednnChain::build(const BlockData &data) {
    const std::vector<StageRef> stages = stages_of(data.block);
    if (stages.front().id == StageId::kReduce && variant_.layout == OnednnLayout::kEverywhere) {
        const bool wide = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core;
        input_ = reordered(input_,
                           desc_of(dims_of(data.block.input), wide ? Tag::nChw16c : Tag::nChw8c));
    }
    memory value = input_;
    memory gated, primary;
    for (size_t i = 0; i < stages.size(); ++i) {
        const StageId id = stages[i].id;
        if (id == StageId::kOutput) {
            value = finish(*stages[i].epilogue, value);
            continue;
        }
        if (id == StageId::kReduce) {
            gated = value;
            value = average(gated);
        }
        if (id == StageId::kCheap) primary = value;
        const bool fused = variant_.fused && id == StageId::kExpand;
        value = convolve(data, i, fused, value);
        if (fused) ++i;
        if (id == StageId::kExcite) value = multiply(gated, value);
        if (id == StageId::kCheap) value = join(data, primary, value);
    }
    result_ = value;
}

/// One for all: they run one after the other.
void OnednnChain::share_scratchpad() {
    size_t bytes = 1;
    for (const Step &step : steps_) bytes = std::max(bytes, step.scratchpad.get_size());
    scratchpad_ =
        memory({{static_cast<memory::dim>(bytes)}, memory::data_type::u8, Tag::a}, engine_);
    for (Step &step : steps_) {
        step.arguments[DNNL_ARG_SCRATCHPAD] =
            memory(step.scratchpad, engine_, scratchpad_.get_data_handle());
    }
}

memory OnednnChain::convolve(const BlockData &data, size_t index, bool fused,
                             const memory &source) {
    const std::vector<StageRef> stages = stages_of(data.block);
    const StageRef &stage = stages[index];
    const StageRef &last = stages[fused ? index + 1 : index];
    Arguments arguments;
    dnnl::post_ops operations;
    append(*stage.epilogue, &operations, &arguments);
    if (fused) {
        const Window &w = last.depthwise->window;
        operations.append_dw(kFloat, kFloat, kFloat, w.kernel_w, w.stride_w, w.pad_left, 0, {});
        append(*last.epilogue, &operations, &arguments);
    }
    const dnnl::primitive_attr attributes = attributes_with(operations);
    const bool free_source = variant_.layout == OnednnLayout::kEverywhere ||
                             (variant_.layout == OnednnLayout::kInside && index > 0);
    const memory::dims dims = source.get_desc().dims();
    const auto descriptor = describe_convolution(
        stage, free_source ? desc_of(dims, Tag::any) : source.get_desc(),
        wanted(data.block, stage.id, result_dims(stage, dims)), attributes, engine_);
    arguments.merge(parameters(descriptor, stage, parameters_of(data.values, index), 0));
    if (fused) {
        arguments.merge(
            parameters(descriptor, last, parameters_of(data.values, index + 1), kDepthwise));
    }
    arguments[DNNL_ARG_SRC] = reordered(source, descriptor.src_desc());
    if (source.get_data_handle() == data.input) input_ = arguments[DNNL_ARG_SRC];
    const memory result = place(data, last.id, descriptor.dst_desc());
    arguments[DNNL_ARG_DST] = result;
    push(descriptor, dnnl::convolution_forward(descriptor), arguments);
    return result;
}

OnednnChain::Arguments OnednnChain::parameters(const dnnl::primitive_desc_base &descriptor,
                                               const StageRef &stage, const StageParameters &values,
                                               int prefix) {
    const memory::dim channels = stage.depthwise != nullptr
                                     ? int64_t{stage.channels} * stage.depthwise->multiplier
                                     : stage.convolution->out_channels;
    const auto packed = [&](int argument, const memory::desc &user, const float *from) {
        const memory source(user, engine_, const_cast<float *>(from));
        const memory result(descriptor.query_md(dnnl::query::exec_arg_md, prefix | argument),
                            engine_);
        copy(source, result);
        return result;
    };
    return {
        {prefix | DNNL_ARG_WEIGHTS,
         packed(DNNL_ARG_WEIGHTS, weights_desc(stage, Tag::oihw, Tag::goihw), values.weights)},
        {prefix | DNNL_ARG_BIAS, packed(DNNL_ARG_BIAS, desc_of({channels}, Tag::a), values.bias)}};
}

void OnednnChain::append(const Epilogue &epilogue, dnnl::post_ops *operations,
                         Arguments *arguments) const {
    for (const Elementwise &step : epilogue) {
        const bool residual = step.op == Op::kAdd && step.operand == Operand::kTensor;
        if (residual && variant_.sum) {
            operations->append_sum();
        } else if (residual) {
            operations->append_binary(algorithm::binary_add, input_.get_desc());
            (*arguments)[DNNL_ARG_ATTR_MULTIPLE_POST_OP(operations->len() - 1) | DNNL_ARG_SRC_1] =
                input_;
        } else {
            append_step(step, operations);
        }
    }
}

memory OnednnChain::average(const memory &source) {
    const memory::dims dims = source.get_desc().dims();
    const dnnl::pooling_forward::desc pooling(
        dnnl::prop_kind::forward_inference, algorithm::pooling_avg_exclude_padding,
        source.get_desc(), desc_of({1, dims[1], 1, 1}, Tag::any), {1, 1}, {dims[2], dims[3]},
        {0, 0}, {0, 0});
    const dnnl::pooling_forward::primitive_desc descriptor(pooling, attributes_with({}), engine_);
    const memory result(descriptor.dst_desc(), engine_);
    push(descriptor, dnnl::pooling_forward(descriptor),
         {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, result}});
    return result;
}

/// In place, but for the input.
memory OnednnChain::multiply(const memory &image, const memory &gate) {
    const dnnl::binary::desc binary(algorithm::binary_mul, image.get_desc(), gate.get_desc(),
                                    image.get_desc());
    const dnnl::binary::primitive_desc descriptor(binary, attributes_with({}), engine_);
    const bool is_input = image.get_data_handle() == input_.get_data_handle();
    const memory result = is_input ? memory(image.get_desc(), engine_) : image;
    push(descriptor, dnnl::binary(descriptor),
         {{DNNL_ARG_SRC_0, image}, {DNNL_ARG_SRC_1, gate}, {DNNL_ARG_DST, result}});
    return result;
}

memory OnednnChain::join(const BlockData &data, const memory &primary, const memory &cheap) {
    const std::vector<memory::desc> sources = {primary.get_desc(), cheap.get_desc()};
    const memory::dims dims = output_.get_desc().dims();
    const memory::desc desc = wanted(data.block, StageId::kOutput, dims);
    const auto descriptor =
        desc.data.format_kind == dnnl_format_kind_any
            ? dnnl::concat::primitive_desc(1, sources, engine_, attributes_with({}))
            : dnnl::concat::primitive_desc(desc, 1, sources, engine_, attributes_with({}));
    const memory result = place(data, StageId::kOutput, descriptor.dst_desc());
    push(descriptor, dnnl::concat(descriptor),
         {{DNNL_ARG_MULTIPLE_SRC, primary},
          {DNNL_ARG_MULTIPLE_SRC + 1, cheap},
          {DNNL_ARG_DST, result}});
    return result;
}

/// An epilogue by itself, which must begin with the sum of tensors; in place.
memory OnednnChain::finish(const Epilogue &epilogue, const memory &value) {
    if (epilogue.front().op != Op::kAdd || epilogue.front().operand != Operand::kTensor) {
        throw std::runtime_error("has no activation behind a concatenation here");
    }
    Arguments arguments = {
        {DNNL_ARG_SRC_0, value}, {DNNL_ARG_SRC_1, input_}, {DNNL_ARG_DST, value}};
    dnnl::post_ops operations;
    append(Epilogue(epilogue.begin() + 1, epilogue.end()), &operations, &arguments);
    const dnnl::primitive_attr attributes = attributes_with(operations);
    const dnnl::binary::desc binary(algorithm::binary_add, value.get_desc(), input_.get_desc(),
                                    value.get_desc());
    const dnnl::binary::primitive_desc descriptor(binary, attributes, engine_);
    push(descriptor, dnnl::binary(descriptor), arguments);
    return value;
}

bool OnednnChain::is_last(const Block &block, StageId stage) const {
    if (block.cheap) return stage == StageId::kOutput;
    return stage == (block.project ? StageId::kProject : StageId::kDepthwise);
}

memory::desc OnednnChain::wanted(const Block &block, StageId stage,
                                 const memory::dims &dims) const {
    const bool fixed = variant_.layout == OnednnLayout::kChannelsLast ||
                       (variant_.layout == OnednnLayout::kInside && is_last(block, stage));
    return desc_of(dims, fixed ? Tag::nhwc : Tag::any);
}

memory OnednnChain::place(const BlockData &data, StageId stage, const memory::desc &desc) {
    const bool ours = variant_.layout != OnednnLayout::kEverywhere && is_last(data.block, stage);
    return ours ? memory(desc, engine_, data.output) : memory(desc, engine_);
}

/// Of the input of a chain with its own layout once and for all, else in every run.
memory OnednnChain::reordered(const memory &source, const memory::desc &desc) {
    if (source.get_desc() == desc) return source;
    const memory result(desc, engine_);
    if (steps_.empty()) {
        copy(source, result);
    } else {
        const dnnl::reorder::primitive_desc descriptor(source, result, attributes_with({}));
        push(descriptor, dnnl::reorder(descriptor),
             {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, result}});
    }
    return result;
}

template<typename Descriptor>
void OnednnChain::push(const Descriptor &descriptor, dnnl::primitive primitive,
                       Arguments arguments) {
    steps_.push_back({std::move(primitive), std::move(arguments), descriptor.scratchpad_desc()});
    if (!implementations_.empty()) implementations_ += " + ";
    implementations_ += descriptor.impl_info_str();
}

}  // namespace sepconv::bench
