#include "layer/arguments.h"

#include <gtest/gtest.h>

#include "tests/layer/blocks.h"

namespace sepconv {
namespace {

using testing::ghost_block;
using testing::separable_block;
using testing::squeezed_block;
using testing::step;

struct Expected {
    std::string name;
    Role role;
    int64_t elements;
    StageId stage;
    int step;
};

void expect_arguments(const Kernel &kernel, const std::vector<Expected> &expected) {
    const std::vector<KernelArgument> list = arguments_of(kernel);
    ASSERT_EQ(list.size(), expected.size());
    for (size_t i = 0; i < list.size(); ++i) {
        SCOPED_TRACE(expected[i].name);
        EXPECT_EQ(list[i].name, expected[i].name);
        EXPECT_EQ(list[i].role, expected[i].role);
        EXPECT_EQ(list[i].elements, expected[i].elements);
        EXPECT_EQ(list[i].stage, expected[i].stage);
        EXPECT_EQ(list[i].step, expected[i].step);
    }
}

TEST(Arguments, OfASeparableBlockWithOperands) {
    Block block = separable_block();
    block.depthwise->epilogue = {step(Op::kRelu), step(Op::kMultiply, Operand::kChannel)};
    block.project->epilogue = {step(Op::kAdd, Operand::kTensor),
                               step(Op::kMinimum, Operand::kScalar),
                               step(Op::kAdd, Operand::kTensor)};
    Image strided = block.output;
    strided.stride_x = 25;
    strided.stride_y = 150;
    block.operands = {block.output, strided};
    expect_arguments(block, {{"input", Role::kInput, 240, StageId::kOutput, -1},
                             {"depthwise_weights", Role::kWeights, 9 * 16, StageId::kDepthwise, -1},
                             {"depthwise_bias", Role::kBias, 16, StageId::kDepthwise, -1},
                             {"depthwise_channel_1", Role::kChannel, 8, StageId::kDepthwise, 1},
                             {"project_weights", Role::kWeights, 2 * 8 * 16, StageId::kProject, -1},
                             {"project_bias", Role::kBias, 32, StageId::kProject, -1},
                             {"project_tensor_0", Role::kTensor, 600, StageId::kProject, 0},
                             {"project_scalar_1", Role::kScalar, 1, StageId::kProject, 1},
                             {"project_tensor_2", Role::kTensor, 745, StageId::kProject, 2},
                             {"output", Role::kOutput, 600, StageId::kOutput, -1}});
}

TEST(Arguments, OfADepthwiseWithMultiplier) {
    Block block = separable_block();
    block.project.reset();
    block.depthwise->multiplier = 3;
    block.depthwise->epilogue = {step(Op::kAdd, Operand::kChannel)};
    block.output = dense_image(24, 6, 5, false);
    expect_arguments(block,
                     {{"input", Role::kInput, 240, StageId::kOutput, -1},
                      {"depthwise_weights", Role::kWeights, 3 * 9 * 16, StageId::kDepthwise, -1},
                      {"depthwise_bias", Role::kBias, 48, StageId::kDepthwise, -1},
                      {"depthwise_channel_0", Role::kChannel, 48, StageId::kDepthwise, 0},
                      {"output", Role::kOutput, 720, StageId::kOutput, -1}});
}

TEST(Arguments, OfASqueezeExcite) {
    Block block = squeezed_block();
    block.squeeze->reduce.epilogue = {step(Op::kAdd, Operand::kChannel)};
    block.squeeze->excite.epilogue = {step(Op::kMultiply, Operand::kScalar)};
    block.project->epilogue = {step(Op::kAdd, Operand::kTensor)};
    block.operands = {block.output};
    expect_arguments(block, {{"input", Role::kInput, 240, StageId::kOutput, -1},
                             {"depthwise_weights", Role::kWeights, 9 * 16, StageId::kDepthwise, -1},
                             {"depthwise_bias", Role::kBias, 16, StageId::kDepthwise, -1},
                             {"reduce_weights", Role::kWeights, 8 * 16, StageId::kReduce, -1},
                             {"reduce_bias", Role::kBias, 16, StageId::kReduce, -1},
                             {"reduce_channel_0", Role::kChannel, 3, StageId::kReduce, 0},
                             {"excite_weights", Role::kWeights, 3 * 16, StageId::kExcite, -1},
                             {"excite_bias", Role::kBias, 16, StageId::kExcite, -1},
                             {"excite_scalar_0", Role::kScalar, 1, StageId::kExcite, 0},
                             {"project_weights", Role::kWeights, 2 * 8 * 16, StageId::kProject, -1},
                             {"project_bias", Role::kBias, 32, StageId::kProject, -1},
                             {"project_tensor_0", Role::kTensor, 600, StageId::kProject, 0},
                             {"output", Role::kOutput, 600, StageId::kOutput, -1}});
}

TEST(Arguments, OfAGhostModule) {
    Block block = ghost_block();
    block.cheap->epilogue = {step(Op::kAdd, Operand::kChannel)};
    block.epilogue = {step(Op::kMultiply, Operand::kChannel), step(Op::kAdd, Operand::kTensor)};
    block.operands = {block.output};
    expect_arguments(block, {{"input", Role::kInput, 240, StageId::kOutput, -1},
                             {"project_weights", Role::kWeights, 8 * 16, StageId::kProject, -1},
                             {"project_bias", Role::kBias, 16, StageId::kProject, -1},
                             {"cheap_weights", Role::kWeights, 9 * 16, StageId::kCheap, -1},
                             {"cheap_bias", Role::kBias, 16, StageId::kCheap, -1},
                             {"cheap_channel_0", Role::kChannel, 10, StageId::kCheap, 0},
                             {"output_channel_0", Role::kChannel, 20, StageId::kOutput, 0},
                             {"output_tensor_1", Role::kTensor, 600, StageId::kOutput, 1},
                             {"output", Role::kOutput, 600, StageId::kOutput, -1}});
}

TEST(Stages, AreInTheOrderInWhichTheyAreComputed) {
    Block block = squeezed_block();
    block.expand = Convolution{8, 8, {}, {}};
    block.cheap = ghost_block().cheap;
    const auto names = [](const Block &of) {
        std::string text;
        for (const StageRef &stage : stages_of(of)) text += std::string(stage.name) + " ";
        return text;
    };
    EXPECT_EQ(names(block), "expand depthwise reduce excite project cheap ");
    block.epilogue = {step(Op::kRelu)};
    EXPECT_EQ(names(block), "expand depthwise reduce excite project cheap output ");
    EXPECT_EQ(names(ghost_block()), "project cheap ");
}

TEST(Stages, KnowWhatTheyCompute) {
    Block block = squeezed_block();
    block.cheap = ghost_block().cheap;
    block.epilogue = {step(Op::kRelu)};
    std::vector<int> channels;
    for (const StageRef &stage : stages_of(block)) {
        channels.push_back(stage.channels);
        const bool convolution = stage.convolution != nullptr,
                   depthwise = stage.depthwise != nullptr;
        EXPECT_EQ(convolution || depthwise, stage.id != StageId::kOutput) << stage.name;
        EXPECT_FALSE(convolution && depthwise) << stage.name;
    }
    EXPECT_EQ(channels, (std::vector<int>{8, 3, 8, 20, 10, 20}));
}

TEST(Stages, TensorOperandsStandInTheLastEpilogue) {
    Block block = squeezed_block();
    EXPECT_EQ(&last_epilogue(block), &block.project->epilogue);
    block.squeeze.reset();
    block.project.reset();
    EXPECT_EQ(&last_epilogue(block), &block.depthwise->epilogue);
    const Block ghost = ghost_block();
    EXPECT_EQ(&last_epilogue(ghost), &ghost.epilogue);
}

TEST(Arguments, OfAResize) {
    Resize resize;
    resize.taps = 2;
    resize.input = dense_image(3, 4, 5, false);
    resize.output = dense_image(3, 8, 10, false);
    resize.epilogue = {step(Op::kAdd, Operand::kChannel)};
    expect_arguments(resize, {{"input", Role::kInput, 60, StageId::kOutput, -1},
                              {"index_y", Role::kResizeIndex, 20, StageId::kOutput, -1},
                              {"weight_y", Role::kResizeWeight, 20, StageId::kOutput, -1},
                              {"index_x", Role::kResizeIndex, 16, StageId::kOutput, -1},
                              {"weight_x", Role::kResizeWeight, 16, StageId::kOutput, -1},
                              {"channel_0", Role::kChannel, 3, StageId::kOutput, 0},
                              {"output", Role::kOutput, 240, StageId::kOutput, -1}});
}

TEST(Arguments, OfAMapSpanWhatItsStridesTouch) {
    Map map;
    map.extent = {1, 1, 1, 4, 6, 20};
    map.input = {0, 0, 0, 0, 0, 1};
    map.output = {0, 0, 0, 1, 4, 24};
    map.epilogue = {step(Op::kAdd, Operand::kTensor)};
    map.operands = {{0, 0, 0, 0, 0, 0}};
    expect_arguments(map, {{"input", Role::kInput, 20, StageId::kOutput, -1},
                           {"tensor_0", Role::kTensor, 1, StageId::kOutput, 0},
                           {"output", Role::kOutput, 480, StageId::kOutput, -1}});
}

TEST(Arguments, OfAMapSpanWhatNegativeStridesTouch) {
    Map map;
    map.extent = {1, 1, 1, 4, 6, 20};
    map.input = {0, 0, 0, -240, 40, -2};
    map.output = {0, 0, 0, 120, 20, 1};
    map.epilogue = {step(Op::kAdd, Operand::kTensor)};
    map.operands = {{0, 0, 0, 0, -1, 0}};
    expect_arguments(map, {{"input", Role::kInput, 959, StageId::kOutput, -1},
                           {"tensor_0", Role::kTensor, 6, StageId::kOutput, 0},
                           {"output", Role::kOutput, 480, StageId::kOutput, -1}});
}

TEST(Arguments, OfPoolAndSoftmax) {
    Pool pool;
    pool.input = dense_image(3, 4, 4, false);
    pool.window.kernel_h = pool.window.kernel_w = 4;
    pool.output = dense_image(3, 1, 1, false);
    expect_arguments(pool, {{"input", Role::kInput, 48, StageId::kOutput, -1},
                            {"output", Role::kOutput, 3, StageId::kOutput, -1}});
    Softmax softmax;
    softmax.outer = 2;
    softmax.extent = 5;
    softmax.inner = 3;
    softmax.input = softmax.output = {15, 3, 1};
    expect_arguments(softmax, {{"input", Role::kInput, 30, StageId::kOutput, -1},
                               {"output", Role::kOutput, 30, StageId::kOutput, -1}});
}

TEST(Cost, OfASeparableBlockBesideTheStandardConvolution) {
    const Cost cost = cost_of(separable_block());
    EXPECT_EQ(cost.macs, 30 * (8 * 9 + 8 * 20));
    EXPECT_EQ(cost.standard_macs, 30 * 8 * 9 * 20);
    EXPECT_EQ(cost.parameters, 8 * 9 + 8 + 8 * 20 + 20);
    EXPECT_EQ(cost.bytes_read, 4 * (240 + cost.parameters));
    EXPECT_EQ(cost.bytes_written, 4 * 600);
    // 1 / out_channels + 1 / (k * k).
    EXPECT_DOUBLE_EQ(static_cast<double>(cost.macs) / static_cast<double>(cost.standard_macs),
                     1.0 / 20 + 1.0 / 9);
}

TEST(Cost, OfASqueezeExciteIsThatOfOnePixelMore) {
    Block block = squeezed_block();
    block.squeeze->excite.epilogue = {step(Op::kAdd, Operand::kChannel)};
    const Cost cost = cost_of(block), without = cost_of(separable_block());
    EXPECT_EQ(cost.macs, without.macs + 2 * 8 * 3);
    EXPECT_EQ(cost.standard_macs, without.standard_macs + 2 * 8 * 3);
    EXPECT_EQ(cost.parameters, without.parameters + 2 * 8 * 3 + 3 + 8);
    EXPECT_EQ(cost.bytes_read, without.bytes_read + 4 * (2 * 8 * 3 + 3 + 8 + 8));
    EXPECT_EQ(cost.bytes_written, without.bytes_written);
}

TEST(Cost, OfAGhostModule) {
    Block block = ghost_block();
    block.epilogue = {step(Op::kAdd, Operand::kTensor)};
    block.operands = {block.output};
    const Cost cost = cost_of(block);
    EXPECT_EQ(cost.macs, 30 * (8 * 10 + 10 * 9));
    EXPECT_EQ(cost.standard_macs, cost.macs);
    EXPECT_EQ(cost.parameters, 8 * 10 + 10 + 10 * 9 + 10);
    EXPECT_EQ(cost.bytes_read, 4 * (240 + 600 + cost.parameters));
    EXPECT_EQ(cost.bytes_written, 4 * 600);
}

TEST(Cost, OfADenseConvolutionIsTheStandardOne) {
    Block block = separable_block();
    block.project->window = block.depthwise->window;
    block.depthwise.reset();
    EXPECT_EQ(cost_of(block).macs, 30 * 8 * 9 * 20);
    EXPECT_EQ(cost_of(block).standard_macs, cost_of(block).macs);
}

}  // namespace
}  // namespace sepconv
