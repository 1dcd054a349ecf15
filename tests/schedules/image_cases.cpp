#include <algorithm>
#include <cmath>

#include "layer/shape.h"
#include "tests/schedules/kernel_cases.h"

namespace sepconv::testing {
namespace {

Window square(int kernel, int stride, int pad) {
    Window window;
    window.kernel_h = window.kernel_w = kernel;
    window.stride_h = window.stride_w = stride;
    window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = pad;
    return window;
}

Pool pool_of(PoolKind kind, const Window &window, int channels, int width, int height,
             EdgeLayout layout, bool ceil) {
    Pool pool;
    pool.kind = kind;
    pool.window = window;
    pool.input = input_image(layout, channels, width, height);
    const auto out_width = output_extent(width, window.kernel_w, window.stride_w, window.dilation_w,
                                         window.pad_left, window.pad_right, ceil);
    const auto out_height =
        output_extent(height, window.kernel_h, window.stride_h, window.dilation_h, window.pad_top,
                      window.pad_bottom, ceil);
    pool.output =
        output_image(layout, channels, static_cast<int>(out_width), static_cast<int>(out_height));
    return pool;
}

void add_pools(std::vector<KernelCase> *cases) {
    const std::pair<const char *, PoolKind> kinds[] = {
        {"max", PoolKind::kMax},
        {"average", PoolKind::kAverage},
        {"average_with_pad", PoolKind::kAverageIncludingPad}};
    const auto add = [&](const std::string &name, const Pool &pool) {
        cases->push_back({"pool_" + name, pool, {}, {}});
    };
    for (const auto &[name, kind] : kinds) {
        const std::string prefix = std::string(name) + "_";
        const auto pool = [kind = kind](const Window &window, int channels, EdgeLayout layout,
                                        bool ceil) {
            return pool_of(kind, window, channels, 17, 14, layout, ceil);
        };
        add(prefix + "k2_s2", pool(square(2, 2, 0), 24, EdgeLayout::kExact, false));
        add(prefix + "k3_s2_p1", pool(square(3, 2, 1), 19, EdgeLayout::kExact, false));
        add(prefix + "k3_s2_p1_padded", pool(square(3, 2, 1), 19, EdgeLayout::kPadded, false));
        add(prefix + "k3_s2_ceil", pool(square(3, 2, 0), 1, EdgeLayout::kExact, true));
        add(prefix + "k3_s1_p1_planar_in",
            pool(square(3, 1, 1), 7, EdgeLayout::kPlanarInput, false));
        add(prefix + "k3_s1_p1_planar_out",
            pool(square(3, 1, 1), 18, EdgeLayout::kPlanarOutput, false));
        add(prefix + "k3_s1_p1_sliced", pool(square(3, 1, 1), 18, EdgeLayout::kSliced, false));
        Window uneven = square(2, 1, 0);
        uneven.kernel_w = 4;
        uneven.pad_right = 3;
        uneven.dilation_h = 2;
        add(prefix + "uneven", pool(uneven, 33, EdgeLayout::kExact, false));
        Window whole = square(14, 1, 0);
        whole.kernel_w = 17;
        Pool global = pool(whole, 130, EdgeLayout::kExact, false);
        global.epilogue = {binary_step(Op::kMultiply, Operand::kChannel),
                           binary_step(Op::kAdd, Operand::kScalar),
                           unary_step(Op::kHardSigmoid, 0.2F, 0.5F)};
        add(prefix + "global_with_epilogue", global);
    }
}

/// Where an output position lies in the input, as ONNX's coordinate_transformation_mode has it.
double coordinate(const std::string &mode, int at, int in, int out) {
    const double scale = static_cast<double>(out) / in;
    if (mode == "asymmetric") {
        return at / scale;
    }
    if (mode == "align_corners") {
        return out == 1 ? 0.0 : static_cast<double>(at) * (in - 1) / (out - 1);
    }
    if (mode == "pytorch_half_pixel" && out == 1) {
        return 0.0;
    }
    return (at + 0.5) / scale - 0.5;
}

int inside(int index, int extent) {
    return std::min(std::max(index, 0), extent - 1);
}

ResizeTable nearest_table(const std::string &mode, int in, int out) {
    ResizeTable table;
    for (int i = 0; i < out; ++i) {
        table.index.push_back(
            inside(static_cast<int>(std::floor(coordinate(mode, i, in, out))), in));
        table.weight.push_back(1.0F);
    }
    return table;
}

ResizeTable linear_table(const std::string &mode, int in, int out) {
    ResizeTable table;
    table.index.resize(2 * out);
    table.weight.resize(2 * out);
    for (int i = 0; i < out; ++i) {
        const double at = coordinate(mode, i, in, out);
        const double first = std::floor(at);
        for (int tap = 0; tap < 2; ++tap) {
            table.index[tap * out + i] = inside(static_cast<int>(first) + tap, in);
            const double upper = at - first;
            table.weight[tap * out + i] = static_cast<float>(tap == 1 ? upper : 1.0 - upper);
        }
    }
    return table;
}

ResizeTable cubic_table(const std::string &mode, int in, int out) {
    ResizeTable table;
    table.index.resize(4 * out);
    table.weight.resize(4 * out);
    constexpr double kA = -0.75;
    for (int i = 0; i < out; ++i) {
        const double at = coordinate(mode, i, in, out);
        const double first = std::floor(at);
        for (int tap = 0; tap < 4; ++tap) {
            const double d = std::abs(at - (first + tap - 1));
            const double weight = d <= 1 ? (kA + 2) * d * d * d - (kA + 3) * d * d + 1
                                         : kA * (d * d * d - 5 * d * d + 8 * d - 4);
            table.index[tap * out + i] = inside(static_cast<int>(first) + tap - 1, in);
            table.weight[tap * out + i] = static_cast<float>(weight);
        }
    }
    return table;
}

using MakeTable = ResizeTable (*)(const std::string &, int, int);

/// A resize from 7 x 5 to `width` x `height` pixels.
KernelCase resize_case(const std::string &name, int taps, MakeTable make, const std::string &mode,
                       int channels, int width, int height, EdgeLayout layout) {
    Resize resize;
    resize.taps = taps;
    resize.input = input_image(layout, channels, 7, 5);
    resize.output = output_image(layout, channels, width, height);
    return {"resize_" + name, resize, make(mode, 5, height), make(mode, 7, width)};
}

void add_resizes(std::vector<KernelCase> *cases) {
    for (const char *mode : {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}) {
        const std::string suffix = std::string("_") + mode;
        cases->push_back(resize_case("nearest" + suffix, 1, nearest_table, mode, 19, 14, 10,
                                     EdgeLayout::kExact));
        cases->push_back(
            resize_case("linear" + suffix, 2, linear_table, mode, 24, 14, 10, EdgeLayout::kExact));
        cases->push_back(resize_case("linear_ragged" + suffix, 2, linear_table, mode, 3, 11, 8,
                                     EdgeLayout::kExact));
        cases->push_back(resize_case("linear_smaller" + suffix, 2, linear_table, mode, 17, 3, 1,
                                     EdgeLayout::kPadded));
    }
    cases->push_back(
        resize_case("cubic", 4, cubic_table, "half_pixel", 5, 14, 10, EdgeLayout::kExact));
    cases->push_back(resize_case("linear_sliced", 2, linear_table, "half_pixel", 18, 14, 10,
                                 EdgeLayout::kSliced));
    cases->push_back(resize_case("nearest_planar_in", 1, nearest_table, "asymmetric", 18, 14, 10,
                                 EdgeLayout::kPlanarInput));
    KernelCase planar = resize_case("linear_planar_out_epilogue", 2, linear_table, "half_pixel", 18,
                                    14, 10, EdgeLayout::kPlanarOutput);
    std::get<Resize>(planar.kernel).epilogue = {binary_step(Op::kAdd, Operand::kChannel),
                                                binary_step(Op::kMultiply, Operand::kScalar),
                                                unary_step(Op::kSigmoid)};
    cases->push_back(planar);
}

}  // namespace

std::vector<KernelCase> image_cases() {
    std::vector<KernelCase> cases;
    add_pools(&cases);
    add_resizes(&cases);
    return cases;
}

}  // namespace sepconv::testing
