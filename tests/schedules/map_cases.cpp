#include "tests/schedules/kernel_cases.h"

namespace sepconv::testing {
namespace {

/// Strides of a dense tensor of these extents, outermost first.
MapIndex dense_strides(const MapIndex &extent) {
    MapIndex strides{};
    int64_t stride = 1;
    for (int d = kMapRank - 1; d >= 0; --d) {
        strides[d] = stride;
        stride *= extent[d];
    }
    return strides;
}

Map dense_map(const MapIndex &extent, Epilogue epilogue) {
    Map map;
    map.extent = extent;
    map.input = map.output = dense_strides(extent);
    map.epilogue = std::move(epilogue);
    for (const Elementwise &step : map.epilogue) {
        if (is_binary(step.op)) {
            map.operands.push_back(map.input);
        }
    }
    return map;
}

void add(std::vector<KernelCase> *cases, const std::string &name, const Kernel &kernel) {
    cases->push_back({name, kernel, {}, {}});
}

void add_copies(std::vector<KernelCase> *cases) {
    add(cases, "map_copy_one", dense_map({1, 1, 1, 1, 1, 1}, {}));
    add(cases, "map_copy_3", dense_map({1, 1, 1, 1, 1, 3}, {}));
    add(cases, "map_copy_16", dense_map({1, 1, 1, 1, 1, 16}, {}));
    add(cases, "map_copy_1001", dense_map({1, 1, 1, 1, 1, 1001}, {}));
    add(cases, "map_copy_rank6", dense_map({2, 3, 2, 3, 2, 17}, {}));
    Map transpose = dense_map({1, 1, 1, 9, 11, 19}, {});
    transpose.input = {0, 0, 0, 11, 1, 99};
    add(cases, "map_planes_to_channels_last", transpose);
    Map back = dense_map({1, 1, 1, 19, 9, 11}, {});
    back.input = {0, 0, 0, 1, 11 * 19, 19};
    add(cases, "map_channels_last_to_planes", back);
    Map scatter = dense_map({1, 1, 1, 9, 11, 19}, {});
    scatter.output = {0, 0, 0, 11, 1, 99};
    add(cases, "map_store_to_planes", scatter);
    Map shuffle = dense_map({1, 1, 1, 12, 4, 6}, {});
    shuffle.input = {0, 0, 0, 24, 1, 4};
    add(cases, "map_channel_shuffle", shuffle);
    Map into_slice = dense_map({1, 1, 1, 5, 7, 18}, {});
    into_slice.output = {0, 0, 0, 7 * 30, 30, 1};
    add(cases, "map_into_channel_slice", into_slice);
    Map from_slice = dense_map({1, 1, 1, 5, 7, 3}, {});
    from_slice.input = {0, 0, 0, 7 * 30, 30, 1};
    add(cases, "map_from_channel_slice", from_slice);
    Map depth_to_space = dense_map({3, 2, 4, 2, 5, 1}, {});
    depth_to_space.input = {160, 80, 20, 40, 4, 1};
    add(cases, "map_six_strides", depth_to_space);
    Map broadcast = dense_map({1, 1, 1, 4, 6, 20}, {});
    broadcast.input = {0, 0, 0, 0, 0, 1};
    add(cases, "map_broadcast_input_rows", broadcast);
    broadcast.input = {0, 0, 0, 6, 1, 0};
    add(cases, "map_broadcast_input_channels", broadcast);
    Map every_second = dense_map({1, 1, 1, 4, 6, 20}, {});
    every_second.input = {0, 0, 0, 240, 40, 2};
    add(cases, "map_every_second", every_second);
}

/// Axes that are read from their last element.
void add_reversals(std::vector<KernelCase> *cases) {
    for (const int64_t extent : {3, 16, 17, 1001}) {
        Map line = dense_map({1, 1, 1, 1, 1, extent}, {});
        line.input[kMapRank - 1] = -1;
        add(cases, "map_reversed_" + std::to_string(extent), line);
    }
    Map image = dense_map({1, 1, 1, 4, 6, 20}, {});
    image.input = {0, 0, 0, 120, 20, -1};
    add(cases, "map_reversed_channels", image);
    image.input = {0, 0, 0, -120, -20, 1};
    add(cases, "map_reversed_image", image);
    image.input = {0, 0, 0, -240, 40, -2};
    add(cases, "map_reversed_every_second", image);
    image.input = {0, 0, 0, 6, -1, 24};
    add(cases, "map_reversed_planes_to_channels_last", image);
    Map sum = dense_map({1, 1, 1, 4, 6, 20}, {binary_step(Op::kSubtract, Operand::kTensor)});
    sum.operands = {{0, 0, 0, 0, 20, -1}};
    add(cases, "map_subtract_reversed", sum);
}

void add_operators(std::vector<KernelCase> *cases) {
    const Op unary[] = {Op::kRelu, Op::kHardSwish, Op::kSigmoid, Op::kTanh,
                        Op::kSilu, Op::kGelu,      Op::kErf,     Op::kExp};
    for (const Op op : unary) {
        add(cases, "map_" + std::string(name_of(op)),
            dense_map({1, 1, 1, 2, 5, 37}, {unary_step(op)}));
    }
    const Op binary[] = {Op::kAdd,     Op::kSubtract, Op::kMultiply, Op::kDivide,
                         Op::kMinimum, Op::kMaximum,  Op::kPRelu};
    for (const Op op : binary) {
        const Epilogue step{binary_step(op, Operand::kTensor)};
        const std::string name = "map_" + std::string(name_of(op));
        add(cases, name + "_same_shape", dense_map({1, 1, 1, 2, 5, 37}, step));
        Map channel = dense_map({1, 1, 1, 3, 5, 37}, step);
        channel.operands = {{0, 0, 0, 0, 0, 1}};
        add(cases, name + "_channel", channel);
        Map scalar = dense_map({1, 1, 1, 3, 5, 37}, step);
        scalar.operands = {MapIndex{}};
        add(cases, name + "_scalar", scalar);
    }
    Map outer = dense_map({1, 1, 2, 4, 3, 18},
                          {binary_step(Op::kSubtract, Operand::kTensor, true),
                           binary_step(Op::kMultiply, Operand::kTensor), unary_step(Op::kRelu)});
    outer.input = {0, 0, 0, 18, 0, 1};
    outer.operands = {{0, 0, 3, 0, 1, 0}, {0, 0, 72, 1, 0, 4}};
    add(cases, "map_outer_broadcasts", outer);
}

void add_fills(std::vector<KernelCase> *cases) {
    for (const int64_t elements : {1, 3, 16, 17, 1000}) {
        Map fill;  // One value, broadcast: what Pad does around its interior.
        fill.extent[kMapRank - 1] = elements;
        fill.output[kMapRank - 1] = 1;
        add(cases, "fill_" + std::to_string(elements), fill);
    }
}

Softmax dense_softmax(int64_t outer, int64_t extent, int64_t inner) {
    Softmax softmax;
    softmax.outer = outer;
    softmax.extent = extent;
    softmax.inner = inner;
    softmax.input = softmax.output = {extent * inner, inner, 1};
    return softmax;
}

void add_softmaxes(std::vector<KernelCase> *cases) {
    add(cases, "softmax_1x2", dense_softmax(1, 2, 1));
    add(cases, "softmax_1x1", dense_softmax(1, 1, 1));
    add(cases, "softmax_1x1000", dense_softmax(1, 1000, 1));
    add(cases, "softmax_37x97", dense_softmax(37, 97, 1));
    add(cases, "softmax_5x3x50", dense_softmax(5, 3, 50));
    add(cases, "softmax_3x20x7", dense_softmax(3, 20, 7));
    Softmax channels = dense_softmax(6, 19, 5);
    channels.input = {95, 1, 19};
    add(cases, "softmax_from_channels_last", channels);
    Softmax sliced = dense_softmax(6, 19, 1);
    sliced.input = {24, 1, 0};
    sliced.output = {21, 1, 0};
    add(cases, "softmax_sliced", sliced);
}

}  // namespace

std::vector<KernelCase> map_cases() {
    std::vector<KernelCase> cases;
    add_copies(&cases);
    add_reversals(&cases);
    add_operators(&cases);
    add_fills(&cases);
    add_softmaxes(&cases);
    return cases;
}

}  // namespace sepconv::testing
