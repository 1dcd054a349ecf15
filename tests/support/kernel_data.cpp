#include "tests/support/kernel_data.h"

#include <cmath>
#include <cstring>
#include <functional>

#include "layer/arguments.h"
#include "layer/shape.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/pack.h"
#include "tests/support/random.h"

namespace sepconv::testing {
namespace {

float poison() {
    const uint32_t bits = GuardedBuffer::kPoison;
    float value = 0.0F;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

ArgumentData of_floats(std::vector<float> values) {
    ArgumentData data;
    data.readable_elements = values.size();
    data.floats = std::move(values);
    return data;
}

/// Random values at the image's elements, poison between them.
ArgumentData random_image(Random *random, const Image &image, int64_t elements) {
    ArgumentData data = of_floats(std::vector<float>(elements, poison()));
    for (int64_t y = 0; y < image.height; ++y) {
        for (int64_t x = 0; x < image.width; ++x) {
            for (int64_t c = 0; c < image.channels; ++c) {
                data.floats[c * image.stride_c + x * image.stride_x + y * image.stride_y] =
                    random->uniform(-1.0F, 1.0F);
            }
        }
    }
    data.readable_elements += image.padded ? kPanel : 0;
    return data;
}

/// Away from zero, of both signs: may be divided by.
std::vector<float> random_operand(Random *random, size_t count) {
    std::vector<float> values = random->uniform(count, 0.5F, 1.5F);
    for (float &value : values) {
        value = random->uniform(-1.0F, 1.0F) < 0.0F ? -value : value;
    }
    return values;
}

std::vector<float> random_weights(Random *random, size_t count, int terms) {
    const float scale = 2.0F / std::sqrt(static_cast<float>(terms));
    return random->uniform(count, -scale, scale);
}

ArgumentData stage_weights(Random *random, const StageRef &stage, bool weights) {
    if (stage.depthwise != nullptr) {
        const Depthwise &layer = *stage.depthwise;
        const size_t outs = static_cast<size_t>(layer.channels) * layer.multiplier;
        const int taps = layer.window.taps();
        if (weights) {
            return of_floats(pack_depthwise(layer, random_weights(random, outs * taps, taps)));
        }
        return of_floats(pack_depthwise_channels(layer, random->uniform(outs, -1.0F, 1.0F)));
    }
    const Convolution &layer = *stage.convolution;
    const int terms = layer.in_channels * layer.window.taps();
    const size_t outs = layer.out_channels;
    if (weights) {
        return of_floats(pack_convolution(layer, random_weights(random, outs * terms, terms)));
    }
    return of_floats(pack_bias(random->uniform(outs, -1.0F, 1.0F)));
}

/// A per-channel operand: exact values, and poison in what may be read up to whole panels.
ArgumentData stage_channels(Random *random, const StageRef &stage, int64_t elements) {
    if (stage.depthwise != nullptr && stage.depthwise->multiplier > 1) {
        const Depthwise &layer = *stage.depthwise;
        const size_t outs = static_cast<size_t>(layer.channels) * layer.multiplier;
        return of_floats(pack_depthwise_channels(layer, random_operand(random, outs)));
    }
    ArgumentData data = of_floats(random_operand(random, elements));
    data.readable_elements = round_up_to_panel(static_cast<int>(elements));
    return data;
}

struct MakeData {
    Random *random;
    const KernelCase &test;
    const KernelArgument &argument;
    int tensors_before;  ///< kTensor operands earlier in the list.

    ArgumentData operator()(const Block &block) const {
        const StageRef stage = stage_of(block, argument.stage);
        switch (argument.role) {
            case Role::kWeights:
            case Role::kBias:
                return stage_weights(random, stage, argument.role == Role::kWeights);
            case Role::kChannel:
                return stage_channels(random, stage, argument.elements);
            case Role::kTensor:
                return random_image(random, block.operands.at(tensors_before), argument.elements);
            case Role::kInput:
                return random_image(random, block.input, argument.elements);
            default:
                return of_floats(random_operand(random, 1));
        }
    }
    ArgumentData operator()(const Pool &pool) const { return of_image(pool.input); }
    ArgumentData operator()(const Resize &resize) const {
        const ResizeTable &table = argument.name.back() == 'y' ? test.rows : test.columns;
        if (argument.role == Role::kResizeWeight) {
            return of_floats(table.weight);
        }
        if (argument.role == Role::kResizeIndex) {
            ArgumentData data;
            data.ints = table.index;
            data.readable_elements = data.ints.size();
            return data;
        }
        return of_image(resize.input);
    }
    /// Map, Softmax: random everywhere, for every element of the span may be named.
    template<typename Other>
    ArgumentData operator()(const Other &) const {
        if (argument.role == Role::kTensor) {
            return of_floats(random_operand(random, argument.elements));
        }
        return of_floats(random->uniform(argument.elements, -2.0F, 2.0F));
    }

private:
    ArgumentData of_image(const Image &input) const {
        if (argument.role == Role::kInput) {
            return random_image(random, input, argument.elements);
        }
        ArgumentData data = of_floats(random_operand(random, argument.elements));
        if (argument.role == Role::kChannel) {
            data.readable_elements = round_up_to_panel(static_cast<int>(argument.elements));
        }
        return data;
    }
};

/// Every value but those that stand for none: poison, and the zeros of packed weights.
void make_equal(ArgumentData *data, float value) {
    const float none = poison();
    for (float &element : data->floats) {
        const bool is_none = element == 0.0F || std::memcmp(&element, &none, sizeof none) == 0;
        if (!is_none) element = value;
    }
}

}  // namespace

std::vector<ArgumentData> make_data(const KernelCase &test) {
    Random random(test.name);
    std::vector<ArgumentData> data;
    int tensors = 0;
    for (const KernelArgument &argument : arguments_of(test.kernel)) {
        if (argument.role == Role::kOutput) {
            break;
        }
        data.push_back(std::visit(MakeData{&random, test, argument, tensors}, test.kernel));
        if (test.equal_terms && argument.role == Role::kInput) make_equal(&data.back(), 0.7F);
        if (test.equal_terms && argument.role == Role::kWeights) make_equal(&data.back(), 0.013F);
        tensors += argument.role == Role::kTensor ? 1 : 0;
    }
    return data;
}

reference::Arguments as_doubles(const std::vector<ArgumentData> &data) {
    reference::Arguments arguments;
    for (const ArgumentData &argument : data) {
        arguments.emplace_back(argument.floats.begin(), argument.floats.end());
        arguments.back().insert(arguments.back().end(), argument.ints.begin(), argument.ints.end());
    }
    return arguments;
}

}  // namespace sepconv::testing
