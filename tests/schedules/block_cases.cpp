#include "layer/shape.h"
#include "tests/schedules/kernel_cases.h"

namespace sepconv::testing {
namespace {

std::vector<Elementwise> unary_steps() {
    return {unary_step(Op::kRelu),
            unary_step(Op::kClip, 0.0F, 6.0F),
            unary_step(Op::kClip, -0.25F, 0.5F),
            unary_step(Op::kLeakyRelu, 0.01F),
            unary_step(Op::kHardSigmoid, 0.2F, 0.5F),
            unary_step(Op::kHardSigmoid, 1.0F / 6.0F, 0.5F),
            unary_step(Op::kHardSwish),
            unary_step(Op::kSigmoid),
            unary_step(Op::kTanh),
            unary_step(Op::kSilu),
            unary_step(Op::kGelu),
            unary_step(Op::kGeluTanh),
            unary_step(Op::kErf),
            unary_step(Op::kExp),
            unary_step(Op::kSqrt),
            unary_step(Op::kAbs),
            unary_step(Op::kNegate)};
}

std::vector<Elementwise> binary_steps(Operand operand) {
    return {binary_step(Op::kAdd, operand),
            binary_step(Op::kSubtract, operand),
            binary_step(Op::kSubtract, operand, true),
            binary_step(Op::kMultiply, operand),
            binary_step(Op::kDivide, operand),
            binary_step(Op::kDivide, operand, true),
            binary_step(Op::kMinimum, operand),
            binary_step(Op::kMaximum, operand),
            binary_step(Op::kPRelu, operand)};
}

/// The step behind what keeps its argument in the operator's domain.
Epilogue in_domain(const Elementwise &step) {
    if (step.op == Op::kSqrt) {
        return {unary_step(Op::kAbs), step};
    }
    if (step.op == Op::kDivide && step.reversed) {
        return {unary_step(Op::kAbs), unary_step(Op::kClip, 0.5F, 4.0F), step};
    }
    return {step};
}

Block pointwise_block(int width, int height, int in, int out, Epilogue epilogue) {
    Block block;
    block.input = dense_image(in, width, height, false);
    block.output = dense_image(out, width, height, false);
    for (const Elementwise &step : epilogue) {
        if (step.operand == Operand::kTensor) {
            block.operands.push_back(block.output);
        }
    }
    block.project = Convolution{in, out, {}, std::move(epilogue)};
    return block;
}

Block depthwise_block(int width, int height, int channels, const Window &window, EdgeLayout layout,
                      Epilogue epilogue, int multiplier = 1) {
    Block block;
    block.input = input_image(layout, channels, width, height);
    const auto extent = [](int in, int kernel, int stride, int dilation, int pads) {
        return static_cast<int>(output_extent(in, kernel, stride, dilation, pads, 0));
    };
    block.output = output_image(layout, channels * multiplier,
                                extent(width, window.kernel_w, window.stride_w, window.dilation_w,
                                       window.pad_left + window.pad_right),
                                extent(height, window.kernel_h, window.stride_h, window.dilation_h,
                                       window.pad_top + window.pad_bottom));
    for (const Elementwise &step : epilogue) {
        if (step.operand == Operand::kTensor) {
            block.operands.push_back(block.output);
        }
    }
    block.depthwise = Depthwise{channels, multiplier, window, std::move(epilogue)};
    return block;
}

Window same_window(int kernel_h, int kernel_w, int stride, int height, int width) {
    Window window;
    window.kernel_h = kernel_h;
    window.kernel_w = kernel_w;
    window.stride_h = window.stride_w = stride;
    return with_padding(window, PaddingMode::kSameUpper, height, width);
}

/// Behind a block: a project, with the images that go with it.
Block with_project(Block block, int out, EdgeLayout layout, Epilogue epilogue) {
    const int in = block.output.channels;
    block.project = Convolution{in, out, {}, std::move(epilogue)};
    block.output = output_image(layout, out, block.output.width, block.output.height);
    block.operands.clear();
    for (const Elementwise &step : block.project->epilogue) {
        if (step.operand == Operand::kTensor) {
            block.operands.push_back(block.output);
        }
    }
    return block;
}

std::string name_of_step(const Elementwise &step) {
    static const char *const operands[] = {"", "_scalar", "_channel", "_tensor"};
    return std::string(name_of(step.op)) + operands[static_cast<int>(step.operand)] +
           (step.reversed ? "_reversed" : "");
}

void add(std::vector<KernelCase> *cases, std::string name, Kernel kernel) {
    cases->push_back({std::move(name), std::move(kernel), {}, {}});
}

void add_operators(std::vector<KernelCase> *cases) {
    std::vector<Elementwise> steps = unary_steps();
    for (const Operand operand : {Operand::kScalar, Operand::kChannel, Operand::kTensor}) {
        const std::vector<Elementwise> binary = binary_steps(operand);
        steps.insert(steps.end(), binary.begin(), binary.end());
    }
    for (size_t i = 0; i < steps.size(); ++i) {
        const std::string name = std::to_string(i) + "_" + name_of_step(steps[i]);
        // Both places where an epilogue is computed, in turns: odd channels, odd pixels.
        if (i % 2 == 0) {
            add(cases, "pointwise_op" + name, pointwise_block(5, 3, 9, 21, in_domain(steps[i])));
        } else {
            add(cases, "depthwise_op" + name,
                depthwise_block(5, 3, 21, same_window(3, 3, 1, 3, 5), EdgeLayout::kExact,
                                in_domain(steps[i])));
        }
    }
}

void add_long_kernels(std::vector<KernelCase> *cases) {
    const std::pair<int, int> kernels[] = {{1, 7}, {1, 9}, {7, 1}, {9, 1}};
    for (const auto &[rows, columns] : kernels) {
        const std::string size = std::to_string(rows) + "x" + std::to_string(columns);
        const Window window = same_window(rows, columns, 1, 11, 13);
        add(cases, "depthwise_k" + size,
            depthwise_block(13, 11, 20, window, EdgeLayout::kExact, {unary_step(Op::kRelu)}));
        Block dense = pointwise_block(13, 11, 6, 18, {});
        dense.project->window = window;
        add(cases, "convolution_k" + size, dense);
    }
    for (const int kernel : {9, 11}) {
        add(cases, "depthwise_k" + std::to_string(kernel),
            depthwise_block(15, 12, 33, same_window(kernel, kernel, 1, 12, 15), EdgeLayout::kExact,
                            {}));
    }
}

void add_layouts(std::vector<KernelCase> *cases) {
    const std::pair<const char *, EdgeLayout> layouts[] = {
        {"exact", EdgeLayout::kExact},
        {"padded", EdgeLayout::kPadded},
        {"planar_input", EdgeLayout::kPlanarInput},
        {"planar_output", EdgeLayout::kPlanarOutput},
        {"sliced", EdgeLayout::kSliced}};
    const Epilogue residual{binary_step(Op::kAdd, Operand::kTensor)};
    for (const auto &[name, layout] : layouts) {
        const Window window = same_window(3, 3, 1, 9, 10);
        const Block depthwise = depthwise_block(10, 9, 20, window, layout, residual);
        add(cases, std::string("depthwise_") + name, depthwise);
        add(cases, std::string("separable_") + name,
            with_project(depthwise_block(10, 9, 20, window, layout, {unary_step(Op::kRelu)}), 27,
                         layout, residual));
        Block pointwise = pointwise_block(10, 9, 19, 37, residual);
        pointwise.input = input_image(layout, 19, 10, 9);
        pointwise.output = output_image(layout, 37, 10, 9);
        pointwise.operands = {pointwise.output};
        add(cases, std::string("pointwise_") + name, pointwise);
        Block stem = pointwise_block(10, 9, 3, 24, {unary_step(Op::kRelu)});
        stem.input = input_image(layout, 3, 21, 19);
        stem.project->window = same_window(3, 3, 2, 19, 21);
        stem.output = output_image(layout, 24, 11, 10);
        add(cases, std::string("stem_") + name, stem);
    }
    Block mixed = pointwise_block(10, 9, 19, 37, residual);
    mixed.operands = {planar_image(37, 10, 9)};
    add(cases, "pointwise_planar_operand", mixed);
    Block broadcast_rows = pointwise_block(10, 9, 19, 37, residual);
    broadcast_rows.operands[0].stride_y = 0;
    add(cases, "pointwise_operand_broadcast_over_rows", broadcast_rows);
    Block narrower = pointwise_block(10, 9, 19, 37, {});
    narrower.input = dense_image(19, 13, 11, false);
    add(cases, "pointwise_of_wider_rows", narrower);
}

/// What models have: the first, middle and last blocks of MobileNetV1 at a smaller size.
void add_mobile_blocks(std::vector<KernelCase> *cases) {
    const Epilogue relu{unary_step(Op::kRelu)};
    const int blocks[][4] = {
        {28, 32, 64, 1}, {28, 64, 128, 2}, {14, 128, 128, 1}, {7, 256, 256, 1}};
    for (const auto &[size, in, out, stride] : blocks) {
        const Window window = same_window(3, 3, stride, size, size);
        add(cases,
            "mobile_" + std::to_string(size) + "x" + std::to_string(in) + "_to" +
                std::to_string(out) + "_s" + std::to_string(stride),
            with_project(depthwise_block(size, size, in, window, EdgeLayout::kPadded, relu), out,
                         EdgeLayout::kPadded, relu));
    }
}

void add_windows(std::vector<KernelCase> *cases) {
    Window negative;
    negative.kernel_h = negative.kernel_w = 3;
    negative.pad_top = -1;
    negative.pad_left = -2;
    negative.pad_right = 1;
    add(cases, "depthwise_negative_padding",
        depthwise_block(12, 10, 17, negative, EdgeLayout::kExact, {}));
    Window one_by_one;
    one_by_one.stride_h = one_by_one.stride_w = 2;
    add(cases, "depthwise_k1_s2", depthwise_block(9, 9, 17, one_by_one, EdgeLayout::kExact, {}));
    Window uneven = same_window(3, 3, 1, 9, 9);
    uneven.stride_h = 2;
    uneven.dilation_w = 3;
    add(cases, "depthwise_uneven", depthwise_block(17, 9, 17, uneven, EdgeLayout::kExact, {}));
    Block shorter = depthwise_block(9, 9, 17, same_window(3, 3, 1, 9, 9), EdgeLayout::kExact, {});
    shorter.output = dense_image(17, 6, 5, false);
    add(cases, "depthwise_output_shorter_than_window_gives", shorter);
    Window far = same_window(3, 3, 1, 9, 9);
    far.pad_top = far.pad_left = 5;
    far.pad_bottom = far.pad_right = 4;
    add(cases, "depthwise_windows_wholly_in_padding",
        depthwise_block(9, 9, 17, far, EdgeLayout::kExact, {}));
    for (const int multiplier : {2, 3, 8}) {
        const std::string number = std::to_string(multiplier);
        const Epilogue affine{binary_step(Op::kMultiply, Operand::kChannel),
                              binary_step(Op::kAdd, Operand::kChannel)};
        const Window window = same_window(3, 3, 1, 7, 9);
        add(cases, "depthwise_multiplier" + number,
            depthwise_block(9, 7, 11, window, EdgeLayout::kExact, affine, multiplier));
        add(cases, "separable_multiplier" + number,
            with_project(depthwise_block(9, 7, 11, window, EdgeLayout::kExact, affine, multiplier),
                         18, EdgeLayout::kExact, affine));
    }
}

}  // namespace

std::vector<KernelCase> block_cases() {
    std::vector<KernelCase> cases;
    add_operators(&cases);
    add_long_kernels(&cases);
    add_layouts(&cases);
    add_mobile_blocks(&cases);
    add_windows(&cases);
    const std::vector<KernelCase> fused = fused_cases();
    cases.insert(cases.end(), fused.begin(), fused.end());
    return cases;
}

}  // namespace sepconv::testing
