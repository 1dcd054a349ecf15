#include "tests/reference/reference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "layer/sums.h"
#include "tests/reference/images.h"

namespace sepconv::reference {
namespace {

void for_each_index(const MapIndex &extent, const std::function<void(const MapIndex &)> &body) {
    MapIndex i{};
    for (i[0] = 0; i[0] < extent[0]; ++i[0]) {
        for (i[1] = 0; i[1] < extent[1]; ++i[1]) {
            for (i[2] = 0; i[2] < extent[2]; ++i[2]) {
                for (i[3] = 0; i[3] < extent[3]; ++i[3]) {
                    for (i[4] = 0; i[4] < extent[4]; ++i[4]) {
                        for (i[5] = 0; i[5] < extent[5]; ++i[5]) {
                            body(i);
                        }
                    }
                }
            }
        }
    }
}

/// Where an index lies: of an axis with a negative stride the last element is the first address.
int64_t place(const MapIndex &extent, const MapIndex &index, const MapIndex &stride) {
    int64_t sum = 0;
    for (size_t d = 0; d < index.size(); ++d) {
        sum += stride[d] * (stride[d] < 0 ? index[d] - (extent[d] - 1) : index[d]);
    }
    return sum;
}

std::vector<OutputElement> compute_map(const Map &map, const Named &named) {
    std::vector<OutputElement> output(named.output_elements());
    for_each_index(map.extent, [&](const MapIndex &index) {
        const auto operand = [&](int step) -> Bounded {
            const auto before = std::count_if(map.epilogue.begin(), map.epilogue.begin() + step,
                                              [](const Elementwise &s) { return is_binary(s.op); });
            return {named["tensor_" + std::to_string(step)].at(
                        place(map.extent, index, map.operands.at(before))),
                    0};
        };
        const Bounded in{named["input"].at(place(map.extent, index, map.input)), 0};
        output.at(place(map.extent, index, map.output)) = {apply(map.epilogue, in, operand), true};
    });
    return output;
}

std::vector<OutputElement> compute_softmax(const Softmax &softmax, const Named &named) {
    std::vector<OutputElement> output(named.output_elements());
    const std::vector<double> &input = named["input"];
    for (int64_t o = 0; o < softmax.outer; ++o) {
        for (int64_t i = 0; i < softmax.inner; ++i) {
            const auto in = [&](int64_t k) {
                return input.at(o * softmax.input[0] + k * softmax.input[1] + i * softmax.input[2]);
            };
            double largest = in(0);
            double smallest = in(0);
            for (int64_t k = 1; k < softmax.extent; ++k) {
                largest = std::max(largest, in(k));
                smallest = std::min(smallest, in(k));
            }
            double sum = 0;
            for (int64_t k = 0; k < softmax.extent; ++k) {
                sum += std::exp(in(k)-largest);
            }
            // exp of a rounded argument, twice; the sum; the division.
            const double relative = 20 + 4 * (largest - smallest) +
                                    (softmax.extent > kSoftmaxTerms
                                         ? roundings_of_long_mean()
                                         : roundings_of_sum(static_cast<double>(softmax.extent)));
            for (int64_t k = 0; k < softmax.extent; ++k) {
                const double value = std::exp(in(k)-largest) / sum;
                output.at(o * softmax.output[0] + k * softmax.output[1] + i * softmax.output[2]) = {
                    {value, relative * kRounding * value + 2e-38}, true};
            }
        }
    }
    return output;
}

struct Compute {
    const Named &named;

    std::vector<OutputElement> operator()(const Block &block) const {
        return compute_block(block, named);
    }
    std::vector<OutputElement> operator()(const Pool &pool) const {
        return compute_pool(pool, named);
    }
    std::vector<OutputElement> operator()(const Resize &resize) const {
        return compute_resize(resize, named);
    }
    std::vector<OutputElement> operator()(const Map &map) const { return compute_map(map, named); }
    std::vector<OutputElement> operator()(const Softmax &softmax) const {
        return compute_softmax(softmax, named);
    }
};

std::string locate_in_image(const Image &image, int64_t element) {
    for (int64_t y = 0; y < image.height; ++y) {
        for (int64_t x = 0; x < image.width; ++x) {
            for (int64_t c = 0; c < image.channels; ++c) {
                if (offset_of(image, c, x, y) == element) {
                    return "(c=" + std::to_string(c) + ", x=" + std::to_string(x) +
                           ", y=" + std::to_string(y) + ")";
                }
            }
        }
    }
    return "(between the image's elements, " + std::to_string(element) + ")";
}

}  // namespace

std::vector<OutputElement> compute(const Kernel &kernel, const Arguments &arguments) {
    const Named named(kernel, arguments);
    return std::visit(Compute{named}, kernel);
}

std::string locate(const Kernel &kernel, int64_t element) {
    if (const auto *block = std::get_if<Block>(&kernel)) {
        return locate_in_image(block->output, element);
    }
    if (const auto *pool = std::get_if<Pool>(&kernel)) {
        return locate_in_image(pool->output, element);
    }
    if (const auto *resize = std::get_if<Resize>(&kernel)) {
        return locate_in_image(resize->output, element);
    }
    return "(element " + std::to_string(element) + ")";
}

}  // namespace sepconv::reference
