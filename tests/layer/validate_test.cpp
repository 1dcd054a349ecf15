#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "tests/layer/blocks.h"

namespace sepconv {
namespace {

using testing::ghost_block;
using testing::separable_block;
using testing::squeezed_block;
using testing::step;

void expect_rejected(const Kernel &kernel, const std::string &field,
                     StatusCode code = StatusCode::kInvalidArgument) {
    const Status status = validate(kernel);
    EXPECT_EQ(status.code(), code);
    EXPECT_NE(status.message().find(field), std::string::npos)
        << "expected the message to name " << field << ": " << status.message();
}

/// A block after `change` is rejected with a message that names `field`.
void expect_changed_rejected(Block block, const std::function<void(Block &)> &change,
                             const std::string &field,
                             StatusCode code = StatusCode::kInvalidArgument) {
    change(block);
    expect_rejected(block, field, code);
}

void expect_block_rejected(const std::function<void(Block &)> &change, const std::string &field,
                           StatusCode code = StatusCode::kInvalidArgument) {
    expect_changed_rejected(separable_block(), change, field, code);
}

void expect_squeeze_rejected(const std::function<void(Block &)> &change, const std::string &field) {
    expect_changed_rejected(squeezed_block(), change, field);
}

void expect_ghost_rejected(const std::function<void(Block &)> &change, const std::string &field) {
    expect_changed_rejected(ghost_block(), change, field);
}

TEST(Validate, AcceptsEveryShapeOfBlock) {
    EXPECT_TRUE(validate(separable_block()).ok());
    Block depthwise = separable_block();
    depthwise.project.reset();
    depthwise.output = dense_image(8, 6, 5, true);
    EXPECT_TRUE(validate(depthwise).ok()) << validate(depthwise).message();
    Block dense = separable_block();
    dense.project->window = dense.depthwise->window;
    dense.depthwise.reset();
    EXPECT_TRUE(validate(dense).ok());
    Block inverted = separable_block();
    inverted.expand = Convolution{4, 8, {}, {step(Op::kRelu)}};
    inverted.input = dense_image(4, 6, 5, false);
    EXPECT_TRUE(validate(inverted).ok());
    Block shorter = separable_block();
    shorter.output = dense_image(20, 3, 2, false);
    EXPECT_TRUE(validate(shorter).ok());
}

TEST(Validate, AcceptsEveryShapeOfSqueezeAndGhost) {
    EXPECT_TRUE(validate(squeezed_block()).ok()) << validate(squeezed_block()).message();
    EXPECT_TRUE(validate(ghost_block()).ok()) << validate(ghost_block()).message();
    Block gates = squeezed_block();
    gates.squeeze->reduce.epilogue = {step(Op::kAdd, Operand::kChannel)};
    gates.squeeze->excite.epilogue = {step(Op::kMultiply, Operand::kScalar), step(Op::kSigmoid)};
    EXPECT_TRUE(validate(gates).ok()) << validate(gates).message();
    Block alone = squeezed_block();
    alone.depthwise.reset();
    EXPECT_TRUE(validate(alone).ok()) << validate(alone).message();
    Block bottleneck = squeezed_block();
    bottleneck.project->out_channels = 10;
    bottleneck.cheap = ghost_block().cheap;
    EXPECT_TRUE(validate(bottleneck).ok()) << validate(bottleneck).message();
    Block sum = ghost_block();
    sum.epilogue = {step(Op::kAdd, Operand::kTensor), step(Op::kRelu)};
    sum.operands = {sum.output};
    EXPECT_TRUE(validate(sum).ok()) << validate(sum).message();
}

TEST(Validate, RejectsExtents) {
    expect_block_rejected([](Block &b) { b.input.width = 0; }, "input.width");
    expect_block_rejected([](Block &b) { b.output.height = -1; }, "output.height");
    expect_block_rejected([](Block &b) { b.output.height = 6; }, "output.height");
    expect_block_rejected([](Block &b) { b.output = dense_image(20, 7, 5, false); },
                          "output.width");
    expect_block_rejected([](Block &b) { b.depthwise->window.kernel_h = 0; }, "kernel_h");
    expect_block_rejected([](Block &b) { b.depthwise->window.stride_w = 0; }, "stride_w");
    expect_block_rejected([](Block &b) { b.depthwise->window.dilation_w = -1; }, "dilation_w");
    expect_block_rejected([](Block &b) { b.depthwise->multiplier = 0; }, "depthwise.multiplier");
}

TEST(Validate, RejectsChannelsThatDoNotMeet) {
    expect_block_rejected([](Block &b) { b.input.channels = 9; }, "depthwise.channels");
    expect_block_rejected([](Block &b) { b.project->in_channels = 16; }, "project.in_channels");
    expect_block_rejected([](Block &b) { b.output.channels = 19; }, "output.channels");
    expect_block_rejected([](Block &b) { b.depthwise->multiplier = 2; }, "project.in_channels");
    expect_block_rejected(
        [](Block &b) {
            b.expand = Convolution{7, 8, {}, {}};
        },
        "expand.in_channels");
}

TEST(Validate, RejectsStagesThatNoKernelHas) {
    expect_block_rejected([](Block &b) { b.project->window.stride_h = 2; }, "project.window");
    expect_block_rejected(
        [](Block &b) {
            b.expand = Convolution{8, 8, {}, {}};
            b.expand->window.kernel_w = 3;
        },
        "expand.window");
    expect_block_rejected(
        [](Block &b) {
            b.expand = Convolution{8, 8, {}, {}};
            b.depthwise.reset();
        },
        "depthwise");
    expect_block_rejected(
        [](Block &b) {
            b.depthwise.reset();
            b.project.reset();
        },
        "no stage");
}

TEST(Validate, RejectsSqueezes) {
    expect_squeeze_rejected([](Block &b) { b.squeeze->reduce.in_channels = 9; },
                            "reduce.in_channels");
    expect_squeeze_rejected([](Block &b) { b.squeeze->excite.in_channels = 4; },
                            "excite.in_channels");
    expect_squeeze_rejected([](Block &b) { b.squeeze->excite.out_channels = 1; },
                            "excite.out_channels");
    expect_squeeze_rejected([](Block &b) { b.squeeze->reduce.window.kernel_h = 3; },
                            "reduce.window");
    expect_squeeze_rejected([](Block &b) { b.squeeze->excite.window.stride_w = 2; },
                            "excite.window");
    expect_squeeze_rejected([](Block &b) { b.squeeze->reduce.out_channels = 0; },
                            "reduce.out_channels");
    expect_squeeze_rejected([](Block &b) { b.depthwise->multiplier = 2; }, "depthwise.multiplier");
    expect_squeeze_rejected([](Block &b) { b.project.reset(); }, "squeeze");
    expect_squeeze_rejected(
        [](Block &b) {
            b.depthwise.reset();
            b.project->window.kernel_h = 3;
        },
        "project.window");
    expect_squeeze_rejected(
        [](Block &b) {
            b.squeeze->reduce.epilogue = {step(Op::kAdd, Operand::kTensor)};
            b.operands = {b.output};
        },
        "reduce.epilogue[0] (add)");
    expect_squeeze_rejected(
        [](Block &b) { b.squeeze->excite.epilogue = {step(Op::kMultiply, Operand::kTensor)}; },
        "excite.epilogue[0] (multiply)");
}

TEST(Validate, RejectsGhostModules) {
    expect_ghost_rejected([](Block &b) { b.cheap->channels = 8; }, "cheap.channels");
    expect_ghost_rejected([](Block &b) { b.cheap->multiplier = 2; }, "cheap.multiplier");
    expect_ghost_rejected([](Block &b) { b.output = dense_image(10, 6, 5, false); },
                          "output.channels");
    expect_ghost_rejected([](Block &b) { b.cheap->window.stride_h = 2; }, "output.height");
    expect_ghost_rejected([](Block &b) { b.cheap->window.pad_left = 0; }, "output.width");
    expect_ghost_rejected([](Block &b) { b.project->window.kernel_w = 3; }, "project.window");
    expect_ghost_rejected([](Block &b) { b.project.reset(); }, "depthwise, a project");
    expect_ghost_rejected([](Block &b) { b.depthwise = separable_block().depthwise; }, "cheap");
    for (const char *stage : {"project", "cheap"}) {
        expect_ghost_rejected(
            [stage](Block &b) {
                Epilogue &sum = *stage == 'p' ? b.project->epilogue : b.cheap->epilogue;
                sum = {step(Op::kAdd, Operand::kTensor)};
            },
            std::string(stage) + ".epilogue[0] (add)");
    }
    expect_ghost_rejected([](Block &b) { b.epilogue = {step(Op::kAdd)}; }, "output.epilogue[0]");
    expect_ghost_rejected([](Block &b) { b.epilogue = {step(Op::kAdd, Operand::kTensor)}; },
                          "operands");
    expect_ghost_rejected(
        [](Block &b) {
            b.epilogue = {step(Op::kAdd, Operand::kTensor)};
            b.operands = {dense_image(10, 6, 5, false)};
        },
        "operands[0].channels");
    expect_block_rejected([](Block &b) { b.epilogue = {step(Op::kRelu)}; }, "epilogue");
}

TEST(Validate, RejectsLayouts) {
    expect_block_rejected([](Block &b) { b.input.stride_x = -1; }, "input.stride");
    expect_block_rejected([](Block &b) { b.output.stride_x = 19; }, "output.stride");
    expect_block_rejected([](Block &b) { b.output.stride_y = 0; }, "output.stride");
}

TEST(Validate, AcceptsInputsThatRepeatElements) {
    Block block = separable_block();
    block.input.stride_y = 0;
    EXPECT_TRUE(validate(block).ok()) << validate(block).message();
}

TEST(Validate, RejectsWhatThirtyTwoBitsDoNotIndex) {
    const auto too_large = StatusCode::kResourceExhausted;
    expect_block_rejected([](Block &b) { b.input.stride_y = int64_t{1} << 40; }, "input",
                          too_large);
    expect_block_rejected([](Block &b) { b.input.stride_y = INT64_MAX; }, "input", too_large);
    expect_block_rejected([](Block &b) { b.input.width = b.input.height = 1 << 30; }, "input",
                          too_large);
    expect_block_rejected([](Block &b) { b.depthwise->window.dilation_h = INT32_MAX; },
                          "dilation_h", too_large);
    Map map;
    map.extent = {1 << 20, 1 << 20, 1 << 20, 1 << 20, 1, 1};
    expect_rejected(map, "extent", too_large);
}

TEST(Validate, RejectsOperands) {
    expect_block_rejected(
        [](Block &b) { b.depthwise->epilogue = {step(Op::kAdd, Operand::kTensor)}; },
        "depthwise.epilogue[0] (add)");
    expect_block_rejected([](Block &b) { b.project->epilogue = {step(Op::kAdd)}; },
                          "project.epilogue[0] (add)");
    expect_block_rejected(
        [](Block &b) { b.project->epilogue = {step(Op::kRelu, Operand::kScalar)}; },
        "project.epilogue[0] (relu)");
    expect_block_rejected(
        [](Block &b) { b.project->epilogue = {step(Op::kAdd, Operand::kTensor)}; }, "operands");
    expect_block_rejected([](Block &b) { b.operands = {b.output}; }, "operands");
    expect_block_rejected(
        [](Block &b) {
            b.project->epilogue = {step(Op::kAdd, Operand::kTensor)};
            b.operands = {b.input};
        },
        "operands[0].channels");
    expect_block_rejected(
        [](Block &b) {
            b.project->epilogue = {step(Op::kAdd, Operand::kScalar)};
            b.project->epilogue[0].reversed = true;
        },
        "reversed");
    expect_block_rejected(
        [](Block &b) {
            b.project->epilogue = {step(Op::kLeakyRelu)};
            b.project->epilogue[0].alpha = std::numeric_limits<float>::quiet_NaN();
        },
        "alpha");
    expect_block_rejected([](Block &b) { b.project->epilogue = {step(static_cast<Op>(99))}; },
                          "epilogue[0].op");
}

TEST(Validate, RejectsPoolsWithWindowsInPadding) {
    Pool pool;
    pool.input = dense_image(3, 4, 4, false);
    pool.window.kernel_h = pool.window.kernel_w = 2;
    pool.output = dense_image(3, 3, 3, false);
    EXPECT_TRUE(validate(pool).ok()) << validate(pool).message();
    pool.window.pad_top = 2;
    pool.output = dense_image(3, 3, 5, false);
    expect_rejected(pool, "pool.window (h)");
    pool.kind = PoolKind::kAverageIncludingPad;
    EXPECT_TRUE(validate(pool).ok()) << validate(pool).message();
}

TEST(Validate, OfAMapOnlyWhatIsReadMayHaveNegativeStrides) {
    Map map;
    map.extent = {1, 1, 1, 1, 4, 5};
    map.input = {0, 0, 0, 0, -5, -1};
    map.output = {0, 0, 0, 0, 5, 1};
    map.epilogue = {step(Op::kAdd, Operand::kTensor)};
    map.operands = {{0, 0, 0, 0, 0, -3}};
    EXPECT_TRUE(validate(map).ok()) << validate(map).message();
    map.output[4] = -5;
    expect_rejected(map, "output.stride");
    map.output[4] = 5;
    map.input[4] = -(int64_t{1} << 31);
    expect_rejected(map, "input", StatusCode::kResourceExhausted);
    map.input[4] = INT64_MIN;
    expect_rejected(map, "input", StatusCode::kResourceExhausted);
}

TEST(Validate, RejectsTheOtherKernels) {
    Resize resize;
    resize.input = resize.output = dense_image(3, 4, 4, false);
    EXPECT_TRUE(validate(resize).ok());
    resize.taps = 3;
    expect_rejected(resize, "taps");
    Map map;
    EXPECT_TRUE(validate(map).ok());
    map.epilogue = {step(Op::kAdd, Operand::kScalar)};
    expect_rejected(map, "map.epilogue[0] (add)");
    map.epilogue = {step(Op::kAdd, Operand::kTensor)};
    expect_rejected(map, "operands");
    Softmax softmax;
    softmax.extent = 4;
    expect_rejected(softmax, "output.stride");
}

}  // namespace
}  // namespace sepconv
