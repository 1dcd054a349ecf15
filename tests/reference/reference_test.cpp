#include "tests/reference/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "layer/arguments.h"
#include "layer/shape.h"
#include "tests/support/compare.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/kernel_data.h"
#include "tests/support/pack.h"
#include "tests/support/random.h"

namespace sepconv::testing {
namespace {

std::vector<double> doubles(const std::vector<float> &values) {
    return {values.begin(), values.end()};
}

/// A grouped convolution of planes by ONNX's definition, in natural order of everything.
std::vector<double> onnx_convolution(const std::vector<double> &planes, int in_channels, int height,
                                     int width, const std::vector<float> &oihw,
                                     const std::vector<float> &bias, int group, const Window &w) {
    const int out_channels = static_cast<int>(bias.size());
    const int group_in = in_channels / group;
    const int out_height = static_cast<int>(
        output_extent(height, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top, w.pad_bottom));
    const int out_width = static_cast<int>(
        output_extent(width, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left, w.pad_right));
    std::vector<double> out;
    for (int o = 0; o < out_channels; ++o) {
        for (int y = 0; y < out_height; ++y) {
            for (int x = 0; x < out_width; ++x) {
                double sum = bias[o];
                for (int i = 0; i < group_in * w.taps(); ++i) {
                    const int kx = i % w.kernel_w;
                    const int ky = i / w.kernel_w % w.kernel_h;
                    const int channel = o / (out_channels / group) * group_in + i / w.taps();
                    const int in_y = y * w.stride_h + ky * w.dilation_h - w.pad_top;
                    const int in_x = x * w.stride_w + kx * w.dilation_w - w.pad_left;
                    if (in_y >= 0 && in_y < height && in_x >= 0 && in_x < width) {
                        sum += static_cast<double>(oihw[o * group_in * w.taps() + i]) *
                               planes[(channel * height + in_y) * width + in_x];
                    }
                }
                out.push_back(sum);
            }
        }
    }
    return out;
}

Image planes(int channels, int width, int height) {
    Image image = dense_image(channels, width, height, false);
    image.stride_c = int64_t{width} * height;
    image.stride_x = 1;
    image.stride_y = width;
    return image;
}

Window uneven_window() {
    Window w;
    w.kernel_h = 2;
    w.kernel_w = 3;
    w.stride_h = 2;
    w.dilation_w = 2;
    w.pad_top = 1;
    w.pad_left = 2;
    w.pad_right = 1;
    return w;
}

void expect_values(const std::vector<reference::OutputElement> &actual,
                   const std::vector<double> &expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_TRUE(actual[i].written);
        ASSERT_NEAR(actual[i].bounded.value, expected[i], 1e-12) << "element " << i;
        ASSERT_LT(actual[i].bounded.error, 1e-4);
    }
}

TEST(Reference, ConvolutionAgreesWithOnnxInNaturalOrder) {
    Random random("convolution");
    Block block;
    block.input = planes(5, 7, 6);
    block.project = Convolution{5, 18, uneven_window(), {}};
    block.output = planes(18, 6, 3);
    const auto in = random.uniform(5 * 7 * 6, -1, 1);
    const auto weights = random.uniform(18 * 5 * 6, -1, 1);
    const auto bias = random.uniform(18, -1, 1);
    expect_values(
        reference::compute(block, {doubles(in), doubles(pack_convolution(*block.project, weights)),
                                   doubles(pack_bias(bias))}),
        onnx_convolution(doubles(in), 5, 6, 7, weights, bias, 1, uneven_window()));
}

TEST(Reference, DepthwiseAgreesWithOnnxInNaturalOrder) {
    Random random("depthwise");
    Block block;
    block.input = planes(19, 7, 6);
    block.depthwise = Depthwise{19, 2, uneven_window(), {}};
    block.output = planes(38, 6, 3);
    const auto in = random.uniform(19 * 7 * 6, -1, 1);
    const auto weights = random.uniform(38 * 6, -1, 1);
    const auto bias = random.uniform(38, -1, 1);
    expect_values(
        reference::compute(block, {doubles(in), doubles(pack_depthwise(*block.depthwise, weights)),
                                   doubles(pack_depthwise_channels(*block.depthwise, bias))}),
        onnx_convolution(doubles(in), 19, 6, 7, weights, bias, 19, uneven_window()));
}

Window square_window(int kernel) {
    Window w;
    w.kernel_h = w.kernel_w = kernel;
    w.pad_top = w.pad_left = w.pad_bottom = w.pad_right = kernel / 2;
    return w;
}

TEST(Reference, SqueezeGatesWhatTheProjectReads) {
    Random random("squeeze");
    Block block;
    block.input = planes(5, 4, 3);
    block.squeeze = Squeeze{{5, 2, {}, {{Op::kRelu, Operand::kNone, false, 0, 0}}},
                            {2, 5, {}, {{Op::kSigmoid, Operand::kNone, false, 0, 0}}}};
    block.project = Convolution{5, 3, {}, {}};
    block.output = planes(3, 4, 3);
    const auto in = random.uniform(5 * 4 * 3, -1, 1);
    const auto reduce = random.uniform(2 * 5, -2, 2), excite = random.uniform(5 * 2, -2, 2);
    const auto reduce_bias = random.uniform(2, -1, 1), excite_bias = random.uniform(5, -1, 1);
    const auto weights = random.uniform(3 * 5, -1, 1), bias = random.uniform(3, -1, 1);
    std::vector<double> reduced(reduce_bias.begin(), reduce_bias.end());
    for (int c = 0; c < 5; ++c) {
        double mean = 0;
        for (int i = 0; i < 12; ++i) mean += in[c * 12 + i] / 12.0;
        for (int r = 0; r < 2; ++r) reduced[r] += reduce[r * 5 + c] * mean;
    }
    std::vector<double> gates;
    for (int c = 0; c < 5; ++c) {
        double gate = excite_bias[c];
        for (int r = 0; r < 2; ++r) gate += excite[c * 2 + r] * std::max(reduced[r], 0.0);
        gates.push_back(1 / (1 + std::exp(-gate)));
    }
    std::vector<double> expected;
    for (int o = 0; o < 3; ++o) {
        for (int i = 0; i < 12; ++i) {
            double sum = bias[o];
            for (int c = 0; c < 5; ++c) sum += gates[c] * weights[o * 5 + c] * in[c * 12 + i];
            expected.push_back(sum);
        }
    }
    expect_values(
        reference::compute(
            block, {doubles(in), doubles(pack_convolution(block.squeeze->reduce, reduce)),
                    doubles(pack_bias(reduce_bias)),
                    doubles(pack_convolution(block.squeeze->excite, excite)),
                    doubles(pack_bias(excite_bias)),
                    doubles(pack_convolution(*block.project, weights)), doubles(pack_bias(bias))}),
        expected);
}

TEST(Reference, GhostModuleIsPrimaryThenCheapThenItsSum) {
    Random random("ghost");
    Block block;
    block.input = planes(3, 4, 5);
    block.project = Convolution{3, 2, {}, {}};
    block.cheap = Depthwise{2, 1, square_window(3), {}};
    block.epilogue = {{Op::kAdd, Operand::kTensor, false, 0, 0}};
    block.output = planes(4, 4, 5);
    block.operands = {block.output};
    const auto in = random.uniform(3 * 20, -1, 1), other = random.uniform(4 * 20, -1, 1);
    const auto weights = random.uniform(2 * 3, -1, 1), bias = random.uniform(2, -1, 1);
    const auto cheap = random.uniform(2 * 9, -1, 1), cheap_bias = random.uniform(2, -1, 1);
    const auto primary = onnx_convolution(doubles(in), 3, 5, 4, weights, bias, 1, {});
    std::vector<double> expected = primary;
    const auto second = onnx_convolution(primary, 2, 5, 4, cheap, cheap_bias, 2, square_window(3));
    expected.insert(expected.end(), second.begin(), second.end());
    for (size_t i = 0; i < expected.size(); ++i) expected[i] += other[i];
    expect_values(
        reference::compute(
            block, {doubles(in), doubles(pack_convolution(*block.project, weights)),
                    doubles(pack_bias(bias)), doubles(pack_depthwise(*block.cheap, cheap)),
                    doubles(pack_depthwise_channels(*block.cheap, cheap_bias)), doubles(other)}),
        expected);
}

TEST(Reference, BoundsStayTightBehindAGate) {
    KernelCase test{"tight", {}, {}, {}};
    Block block;
    block.input = dense_image(24, 28, 28, false);
    block.expand = Convolution{24, 72, {}, {}};
    block.depthwise = Depthwise{72, 1, square_window(5), {}};
    block.squeeze =
        Squeeze{{72, 24, {}, {{Op::kRelu, Operand::kNone, false, 0, 0}}},
                {24, 72, {}, {{Op::kHardSigmoid, Operand::kNone, false, 1.0F / 6, 0.5F}}}};
    block.project = Convolution{72, 40, {}, {}};
    block.output = dense_image(40, 28, 28, false);
    test.kernel = block;
    double largest = 0;
    for (const reference::OutputElement &element :
         reference::compute(block, as_doubles(make_data(test)))) {
        largest = std::max(largest, element.bounded.error);
    }
    EXPECT_LT(largest, 3e-4);
    EXPECT_GT(largest, 1e-6);
}

TEST(Reference, ToleranceIsTheLesserOfErrorAndSixDeviations) {
    EXPECT_EQ(reference::tolerance({1, 1e-5}), 1e-5);
    EXPECT_DOUBLE_EQ(reference::tolerance({1, 1e-3, 1e-5}), 6e-5);
    const reference::Bounded x{2, 1e-3, 1e-5}, y{-3, 1e-4, 1e-6};
    const reference::Bounded both = reference::product(x, y);
    EXPECT_EQ(both.value, -6);
    EXPECT_NEAR(both.error, 3e-3 + 2e-4 + 1e-7 + 6 * reference::kRounding, 1e-15);
    EXPECT_NEAR(both.deviation, 3e-5 + 2e-6 + 6 * reference::kRounding, 1e-15);
}

TEST(Reference, EpilogueFollowsItsDefinitions) {
    const auto value = [](const Elementwise &step, double x, double operand = 0) {
        return reference::apply({step}, {x, 0},
                                [&](int) {
                                    return reference::Bounded{operand, 0};
                                })
            .value;
    };
    EXPECT_EQ(value({Op::kRelu, Operand::kNone, false, 0, 0}, -2), 0);
    EXPECT_EQ(value({Op::kClip, Operand::kNone, false, -1, 1}, 3), 1);
    EXPECT_EQ(value({Op::kLeakyRelu, Operand::kNone, false, 0.5F, 0}, -2), -1);
    EXPECT_EQ(value({Op::kHardSigmoid, Operand::kNone, false, 0.25F, 0.5F}, 1), 0.75);
    EXPECT_EQ(value({Op::kHardSwish, Operand::kNone, false, 0, 0}, 3), 3);
    EXPECT_EQ(value({Op::kHardSwish, Operand::kNone, false, 0, 0}, -3), 0);
    EXPECT_NEAR(value({Op::kSigmoid, Operand::kNone, false, 0, 0}, 1), 0.7310585786300049, 1e-15);
    EXPECT_NEAR(value({Op::kGelu, Operand::kNone, false, 0, 0}, 1), 0.8413447460685429, 1e-15);
    EXPECT_NEAR(value({Op::kGeluTanh, Operand::kNone, false, 0, 0}, 1), 0.8411919906082768, 1e-12);
    EXPECT_EQ(value({Op::kSubtract, Operand::kScalar, false, 0, 0}, 5, 3), 2);
    EXPECT_EQ(value({Op::kSubtract, Operand::kScalar, true, 0, 0}, 5, 3), -2);
    EXPECT_EQ(value({Op::kDivide, Operand::kScalar, true, 0, 0}, 4, 2), 0.5);
    EXPECT_EQ(value({Op::kPRelu, Operand::kScalar, false, 0, 0}, -4, 0.25), -1);
}

TEST(Reference, PoolsCountWhatTheyShould) {
    Pool pool;
    pool.input = planes(1, 2, 2);
    pool.window.kernel_h = pool.window.kernel_w = 2;
    pool.window.pad_top = pool.window.pad_left = 1;
    pool.output = planes(1, 2, 2);
    const reference::Arguments arguments{{-1, -2, -3, -4}};
    expect_values(reference::compute(pool, arguments), {-1, -1, -1, -1});
    pool.kind = PoolKind::kAverage;
    expect_values(reference::compute(pool, arguments), {-1, -1.5, -2, -2.5});
    pool.kind = PoolKind::kAverageIncludingPad;
    expect_values(reference::compute(pool, arguments), {-0.25, -0.75, -1, -2.5});
}

TEST(Compare, FindsNanGapsAndWrongValues) {
    Map fill;  // One value, broadcast.
    fill.extent[kMapRank - 1] = 3;
    fill.output[kMapRank - 1] = 1;
    std::vector<reference::OutputElement> expected = reference::compute(fill, {{1}});
    GuardedBuffer buffer(3, Flush::kBack);
    EXPECT_FALSE(matches(fill, expected, buffer.floats()));
    buffer.floats()[0] = buffer.floats()[1] = buffer.floats()[2] = 1.0F;
    EXPECT_TRUE(matches(fill, expected, buffer.floats()));
    buffer.floats()[1] = 1.001F;
    EXPECT_FALSE(matches(fill, expected, buffer.floats()));
    buffer.floats()[1] = std::nanf("");
    EXPECT_FALSE(matches(fill, expected, buffer.floats()));
    buffer.floats()[1] = 1.0F;
    expected[2].written = false;
    EXPECT_FALSE(matches(fill, expected, buffer.floats()));
}

}  // namespace
}  // namespace sepconv::testing
