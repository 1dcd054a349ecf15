#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "compiler/limits.h"
#include "compiler/lowering.h"
#include "compiler/passes/passes.h"

namespace sepconv {
namespace {

View whole(const View &view) {
    return view;
}

}  // namespace

Result<const Constant *> Lowering::constant_of(const Node &node, size_t input) const {
    const Constant *constant = graph_.constant(node.input(input));
    if (constant != nullptr && constant->type() == ElementType::kFloat) return constant;
    return unsupported(node, fmt::format("input {} must be a constant float tensor", input));
}

std::function<float(int64_t)> Lowering::bias_of(const Node &node) const {
    const Constant *bias = graph_.constant(node.input(2));
    if (bias == nullptr) return [](int64_t) { return 0.0F; };
    return [bias](int64_t channel) { return bias->floats()[channel]; };
}

Result<Epilogue> Lowering::place_epilogue(const FusedSteps &steps, int64_t first, int64_t channels,
                                          int64_t multiplier, const Shape &shape,
                                          const std::function<View(const View &)> &at_output,
                                          std::vector<Place> &places,
                                          std::vector<Image> &operands) {
    Epilogue epilogue;
    for (const FusedStep &fused : steps) {
        epilogue.push_back(fused.step);
        const Constant *constant = graph_.constant(fused.operand);
        switch (fused.step.operand) {
            case Operand::kNone:
                break;
            case Operand::kScalar:
                places.push_back(constant_floats(constant->floats()));
                break;
            case Operand::kChannel:
                if (constant != nullptr) {
                    SEPCONV_RETURN_IF_ERROR(claim(multiplier * whole_panels(channels)));
                    places.push_back(
                        constant_floats(pack_channels(channels, multiplier, [&](int64_t channel) {
                            return constant->floats()[first + channel];
                        })));
                } else {
                    View gate = view_of(fused.operand);
                    if (!is_padded(gate) || (gate.shape[1] > 1 && gate.strides[1] != 1)) {
                        Result<View> copied = channels_last_copy(gate);
                        SEPCONV_RETURN_IF_ERROR(copied.status());
                        gate = copied.value();
                    }
                    Place place = batched_place(gate);
                    place.offset += first;
                    places.push_back(place);
                }
                break;
            case Operand::kTensor: {
                View operand = at_output(broadcast(view_of(fused.operand), shape));
                const size_t axis = operand.shape.size() >= 3 ? 1 : operand.shape.size() - 1;
                operand = sliced(operand, static_cast<int>(axis), first, 1, channels * multiplier);
                places.push_back(batched_place(operand));
                operands.push_back(image_of(operand, is_padded(operand)));
                break;
            }
        }
    }
    return epilogue;
}

Status Lowering::lower_part(const Part &part, const View &in, const View &out,
                            const std::function<View(const View &)> &at_output) {
    Block block;
    block.input = image_of(in, is_padded(in));
    block.output = image_of(out, is_padded(out));
    Convolution layer;
    layer.in_channels = static_cast<int>(part.in_channels);
    layer.out_channels = static_cast<int>(part.out_channels);
    layer.window = part.window;
    std::vector<Place> places = {batched_place(in)};
    SEPCONV_RETURN_IF_ERROR(
        claim(whole_panels(part.out_channels) * (part.in_channels * part.window.taps() + 1)));
    places.push_back(
        constant_floats(pack_convolution(part.out_channels, part.in_channels, part.window.kernel_h,
                                         part.window.kernel_w, part.weight)));
    places.push_back(constant_floats(pack_channels(part.out_channels, 1, part.bias)));
    const Shape &full = out.shape;
    Result<Epilogue> epilogue = place_epilogue(
        part.epilogue, part.first_out, part.out_channels, 1, at_output ? operand_shape_ : full,
        at_output ? at_output : whole, places, block.operands);
    SEPCONV_RETURN_IF_ERROR(epilogue.status());
    layer.epilogue = epilogue.value();
    block.project = layer;
    places.push_back(batched_place(out));
    return add_step(block, batch_of(out), std::move(places));
}

Status Lowering::lower_convolution(const Group &group) {
    const Node &node = graph_.nodes[group.anchor];
    Result<const Constant *> weights = constant_of(node, 1);
    SEPCONV_RETURN_IF_ERROR(weights.status());
    const Shape &shape = weights.value()->shape;
    const std::vector<float> &values = weights.value()->floats();
    const int64_t groups = node.attribute("group", int64_t{1});
    const Kernel2d kernel = kernel_of(shape);
    const View in = view_of(node.input(0));
    const View out = destination(group.output);
    views_[group.output] = out;
    operand_shape_ = graph_.shape_of(group.output);
    const std::function<float(int64_t)> bias = bias_of(node);
    for (int64_t g = 0; g < groups; g++) {
        Part part;
        part.in_channels = shape[1];
        part.out_channels = shape[0] / groups;
        part.first_out = g * part.out_channels;
        part.window = window_of(node, kernel);
        part.weight = [&](int64_t co, int64_t ci, int64_t ky, int64_t kx) {
            return values[(((part.first_out + co) * shape[1] + ci) * kernel.h + ky) * kernel.w +
                          kx];
        };
        part.bias = [&](int64_t channel) { return bias(part.first_out + channel); };
        part.epilogue = group.epilogue;
        SEPCONV_RETURN_IF_ERROR(
            lower_part(part, sliced(in, 1, g * part.in_channels, 1, part.in_channels),
                       sliced(out, 1, part.first_out, 1, part.out_channels), whole));
    }
    return Status();
}

namespace {

/// One axis of one phase of a transposed convolution: the outputs at phase, phase + stride, ... are
/// an ordinary convolution with the kernel positions `taps`, in reading order.
struct Phase {
    std::vector<int64_t> taps;
    int64_t dilation = 1;
    int64_t before = 0, after = 0;  ///< Padding.
    int64_t outputs = 0;
};

/// A phase without taps: a 1x1 kernel over `in` pixels makes its outputs.
Phase untapped(int64_t outputs, int64_t in) {
    Phase result;
    result.outputs = outputs;
    result.after = std::max<int64_t>(0, outputs - in);
    return result;
}

/// out(o) collects in(i) * w(k) with o = i * stride + k * dilation - pad, so for o = phase + stride
/// * q the taps have k * dilation = phase + pad (mod stride) and read i = q + (phase + pad - k *
/// dilation) / stride.
Phase phase_of(int64_t phase, int64_t in, int64_t out, int64_t kernel, int64_t stride,
               int64_t dilation, int64_t pad) {
    Phase result;
    result.outputs = (out - phase + stride - 1) / stride;
    std::vector<int64_t> positions;
    for (int64_t k = kernel - 1; k >= 0; k--) {  // Descending k is ascending i.
        const int64_t distance = phase + pad - k * dilation;
        if (((distance % stride) + stride) % stride != 0) continue;
        result.taps.push_back(k);
        positions.push_back(distance / stride);
    }
    if (positions.empty()) return untapped(result.outputs, in);
    if (positions.size() > 1) result.dilation = positions[1] - positions[0];
    result.before = -positions[0];
    result.after = std::max<int64_t>(0, result.outputs + positions.back() - in);
    return result;
}

struct Phases {
    std::vector<Phase> rows, columns;
};

Phases phases_of(const View &in, const View &out, const Kernel2d &kernel, const Window &window,
                 int64_t rows, int64_t columns) {
    Phases phases;
    for (int64_t y = 0; y < rows; y++) {
        phases.rows.push_back(phase_of(y, in.shape[2], out.shape[2], kernel.h, window.stride_h,
                                       window.dilation_h, window.pad_top));
    }
    for (int64_t x = 0; x < columns; x++) {
        phases.columns.push_back(phase_of(x, in.shape[3], out.shape[3], kernel.w, window.stride_w,
                                          window.dilation_w, window.pad_left));
    }
    return phases;
}

/// A phase of either axis. Where one has no taps, no tap of the other's meets a pixel: one zero
/// weight stands for them.
struct Phase2d {
    Phase rows, columns;
    bool empty = false;
};

Phase2d both(const Phase &rows, const Phase &columns, const View &in) {
    if (!rows.taps.empty() && !columns.taps.empty()) return {rows, columns, false};
    return {untapped(rows.outputs, in.shape[2]), untapped(columns.outputs, in.shape[3]), true};
}

Window phase_window(const Phase2d &phase) {
    const Phase &rows = phase.rows, &columns = phase.columns;
    Window window;
    if (!phase.empty) {
        window.kernel_h = static_cast<int>(rows.taps.size());
        window.kernel_w = static_cast<int>(columns.taps.size());
    }
    window.dilation_h = static_cast<int>(rows.dilation);
    window.dilation_w = static_cast<int>(columns.dilation);
    window.pad_top = static_cast<int>(rows.before);
    window.pad_left = static_cast<int>(columns.before);
    window.pad_bottom = static_cast<int>(rows.after);
    window.pad_right = static_cast<int>(columns.after);
    return window;
}

}  // namespace

Status Lowering::lower_transposed(const Group &group) {
    const Node &node = graph_.nodes[group.anchor];
    Result<const Constant *> weights = constant_of(node, 1);
    SEPCONV_RETURN_IF_ERROR(weights.status());
    const Shape &shape = weights.value()->shape;  // [in, out / groups, kernel_h, kernel_w]
    const std::vector<float> &values = weights.value()->floats();
    const Kernel2d kernel = kernel_of(shape);
    const Window window = window_of(node, kernel);
    const int64_t groups = node.attribute("group", int64_t{1});
    const int64_t channels = shape[1], inputs = shape[0] / groups;
    const View in = view_of(node.input(0));
    const View out = destination(group.output);
    if (out.shape.size() != 4) return unsupported(node, "only 2-D transposed convolution");
    views_[group.output] = out;
    operand_shape_ = graph_.shape_of(group.output);
    const std::function<float(int64_t)> bias = bias_of(node);
    const int64_t phases_y = std::min<int64_t>(window.stride_h, out.shape[2]);
    const int64_t phases_x = std::min<int64_t>(window.stride_w, out.shape[3]);
    if (phases_y * phases_x > static_cast<int64_t>(kMaxSteps)) {
        return unsupported(
            node, fmt::format("strides {}x{} are too large", window.stride_h, window.stride_w));
    }
    SEPCONV_RETURN_IF_ERROR(claim(phases_y * kernel.h + phases_x * kernel.w));
    const Phases phases = phases_of(in, out, kernel, window, phases_y, phases_x);
    for (int64_t py = 0; py < phases_y; py++) {
        for (int64_t px = 0; px < phases_x; px++) {
            const Phase2d phase = both(phases.rows[py], phases.columns[px], in);
            const auto at_output = [&](const View &view) {
                return sliced(sliced(view, 2, py, window.stride_h, phase.rows.outputs), 3, px,
                              window.stride_w, phase.columns.outputs);
            };
            for (int64_t g = 0; g < groups; g++) {
                Part part;
                part.in_channels = inputs;
                part.out_channels = channels;
                part.first_out = g * channels;
                part.window = phase_window(phase);
                part.weight = [&](int64_t co, int64_t ci, int64_t ky, int64_t kx) {
                    if (phase.empty) return 0.0F;
                    const int64_t row = (g * inputs + ci) * channels + co;
                    const int64_t y = phase.rows.taps[ky], x = phase.columns.taps[kx];
                    return values[(row * kernel.h + y) * kernel.w + x];
                };
                part.bias = [&](int64_t channel) { return bias(part.first_out + channel); };
                part.epilogue = group.epilogue;
                const View pixels = at_output(out);
                SEPCONV_RETURN_IF_ERROR(lower_part(part, sliced(in, 1, g * inputs, 1, inputs),
                                                   sliced(pixels, 1, part.first_out, 1, channels),
                                                   at_output));
            }
        }
    }
    return Status();
}

Status Lowering::lower_matrix(const Group &group) {
    const Node &node = graph_.nodes[group.anchor];
    Result<const Constant *> weights = constant_of(node, 1);
    SEPCONV_RETURN_IF_ERROR(weights.status());
    const Constant &matrix = *weights.value();
    if (matrix.shape.size() != 2) return unsupported(node, "the weights must be a matrix");
    const bool transposed_weights = node.attribute("transB", int64_t{0}) != 0;
    const int64_t inputs = matrix.shape[transposed_weights ? 1 : 0];
    const int64_t outputs = matrix.shape[transposed_weights ? 0 : 1];
    const float alpha = node.attribute("alpha", 1.0F), beta = node.attribute("beta", 1.0F);
    View in = view_of(node.input(0));
    if (node.attribute("transA", int64_t{0}) != 0) in = transposed(in, {1, 0});
    const int64_t pixels = element_count(in.shape) / inputs;
    Result<View> rows = as_shape(in, {pixels, inputs});
    SEPCONV_RETURN_IF_ERROR(rows.status());
    if (!adds_per_column(graph_, node)) {  // split_gemm() leaves none.
        return unsupported(node, "the bias must be one value or one per column");
    }
    const Constant *bias = graph_.constant(node.input(2));
    const View target = output_as(group.output, {pixels, outputs});
    Part part;
    part.in_channels = inputs;
    part.out_channels = outputs;
    part.weight = [&](int64_t co, int64_t ci, int64_t, int64_t) {
        return alpha * matrix.floats()[transposed_weights ? co * inputs + ci : ci * outputs + co];
    };
    part.bias = [&](int64_t channel) {
        if (bias == nullptr) return 0.0F;
        return beta * bias->floats()[bias->floats().size() == 1 ? 0 : channel];
    };
    part.epilogue = group.epilogue;
    SEPCONV_RETURN_IF_ERROR(lower_part(part, rows.value(), target, nullptr));
    return finish_output(group.output, target);
}

}  // namespace sepconv
