#include "tests/reference/images.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "layer/shape.h"
#include "layer/sums.h"

namespace sepconv::reference {

Named::Named(const Kernel &kernel, const Arguments &arguments) {
    const std::vector<KernelArgument> list = arguments_of(kernel);
    for (size_t i = 0; i + 1 < list.size(); ++i) {
        by_name_[list[i].name] = &arguments.at(i);
    }
    output_elements_ = list.back().elements;
}

const std::vector<double> &Named::operator[](const std::string &name) const {
    return *by_name_.at(name);
}

Plane load(const Image &image, const std::vector<double> &buffer) {
    Plane plane(image.channels, image.width, image.height);
    for (int c = 0; c < image.channels; ++c) {
        for (int y = 0; y < image.height; ++y) {
            for (int x = 0; x < image.width; ++x) {
                plane.at(c, x, y).value = buffer.at(offset_of(image, c, x, y));
            }
        }
    }
    return plane;
}

void store(const Plane &plane, const Image &image, std::vector<OutputElement> *output) {
    for (int c = 0; c < image.channels; ++c) {
        for (int y = 0; y < image.height; ++y) {
            for (int x = 0; x < image.width; ++x) {
                const Bounded &bounded = plane.at(c, x, y);
                output->at(offset_of(image, c, x, y)) = {{bounded.value, tolerance(bounded)}, true};
            }
        }
    }
}

void apply_epilogue(const Epilogue &epilogue, const Operands &operands, const Named &named,
                    Plane *plane) {
    const int channels = plane->channels / operands.multiplier;
    // Of channel c of the plane: where its kChannel operand lies, and its channel in a tensor.
    const auto packed_channel = [&](int c) {
        return operands.multiplier == 1 ? c
                                        : c / channels * round_up_to_panel(channels) + c % channels;
    };
    const auto output_channel = [&](int c) {
        return c % channels * operands.multiplier + c / channels;
    };
    for (int c = 0; c < plane->channels; ++c) {
        for (int y = 0; y < plane->height; ++y) {
            for (int x = 0; x < plane->width; ++x) {
                const auto operand = [&](int step) -> Bounded {
                    const std::string number = std::to_string(step);
                    if (epilogue[step].operand == Operand::kScalar) {
                        return {named[operands.prefix + "scalar_" + number].at(0), 0};
                    }
                    if (epilogue[step].operand == Operand::kChannel) {
                        return {named[operands.prefix + "channel_" + number].at(packed_channel(c)),
                                0};
                    }
                    const auto before = std::count_if(
                        epilogue.begin(), epilogue.begin() + step,
                        [](const Elementwise &s) { return s.operand == Operand::kTensor; });
                    return {named[operands.prefix + "tensor_" + number].at(
                                offset_of(operands.tensors.at(before), output_channel(c), x, y)),
                            0};
                };
                plane->at(c, x, y) = apply(epilogue, plane->at(c, x, y), operand);
            }
        }
    }
}

namespace {

/// Whether the errors of a sum's terms come from roundings that no two terms share.
enum class Terms { kIndependent, kDependent };

/// The sum of products, and what its float evaluation in an order that has nothing to do with the
/// values may be off. With S the sum and Q that of the products' squares, the k-th of n partial
/// sums has an expected square of (k / n)^2 S^2 + k (n - k) / (n (n - 1)) (Q - S^2 / n): together,
/// and with a rounding of each product, less than (n + 1) (S^2 + Q).
class Sum {
public:
    explicit Sum(Terms terms) : independent_(terms == Terms::kIndependent) {}

    void add(double weight, const Bounded &x) {
        const double term = weight * x.value;
        value_ += term;
        magnitude_ += std::abs(term);
        squares_ += term * term;
        inherited_ += std::abs(weight) * x.error;
        const double deviation = std::abs(weight) * x.deviation;
        deviation_ += independent_ ? deviation * deviation : deviation;
        ++terms_;
    }
    double magnitude() const { return magnitude_; }
    int64_t terms() const { return terms_; }
    /// `most`: roundings that are certain, if less than those of one accumulator.
    Bounded bounded(double most = std::numeric_limits<double>::infinity()) const {
        const double count = static_cast<double>(terms_);
        const double roundings = std::min(most, roundings_of_sum(count));
        const double smallest = std::numeric_limits<float>::min();
        const double own = kRounding * std::sqrt((count + 1) * (value_ * value_ + squares_));
        return {value_, inherited_ + kRounding * roundings * magnitude_ + smallest,
                (independent_ ? std::sqrt(deviation_) : deviation_) + own + smallest};
    }

private:
    bool independent_;
    double value_ = 0, magnitude_ = 0, squares_ = 0, inherited_ = 0, deviation_ = 0;
    int64_t terms_ = 0;
};

Plane convolve(const Plane &in, const Convolution &layer, const std::vector<double> &weights,
               const std::vector<double> &bias, int width, int height, Terms terms) {
    const Window &w = layer.window;
    const double products = static_cast<double>(layer.in_channels) * w.taps();
    const double most = products > kProducts ? roundings_of_long_products(products)
                                             : std::numeric_limits<double>::infinity();
    Plane out(layer.out_channels, width, height);
    for (int c = 0; c < layer.out_channels; ++c) {
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                Sum sum(terms);
                sum.add(bias.at(c), {1.0, 0.0});
                for (int ky = 0; ky < w.kernel_h; ++ky) {
                    for (int kx = 0; kx < w.kernel_w; ++kx) {
                        const int64_t in_x = x * w.stride_w + kx * w.dilation_w - w.pad_left;
                        const int64_t in_y = y * w.stride_h + ky * w.dilation_h - w.pad_top;
                        if (!in.contains(in_x, in_y)) {
                            continue;
                        }
                        for (int64_t kc = 0; kc < layer.in_channels; ++kc) {
                            const int64_t tap =
                                ((int64_t{c} / kPanel * w.kernel_h + ky) * w.kernel_w + kx);
                            sum.add(weights[(tap * layer.in_channels + kc) * kPanel + c % kPanel],
                                    in.at(kc, in_x, in_y));
                        }
                    }
                }
                out.at(c, x, y) = sum.bounded(most);
            }
        }
    }
    return out;
}

/// Channels of the result are ordered [multiplier][channels].
Plane convolve_depthwise(const Plane &in, const Depthwise &layer,
                         const std::vector<double> &weights, const std::vector<double> &bias,
                         int width, int height, Terms terms) {
    const Window &w = layer.window;
    const int64_t packed = round_up_to_panel(layer.channels);
    Plane out(layer.channels * layer.multiplier, width, height);
    for (int m = 0; m < layer.multiplier; ++m) {
        for (int c = 0; c < layer.channels; ++c) {
            for (int y = 0; y < height; ++y) {
                for (int x = 0; x < width; ++x) {
                    Sum sum(terms);
                    sum.add(bias.at(m * packed + c), {1.0, 0.0});
                    for (int ky = 0; ky < w.kernel_h; ++ky) {
                        for (int kx = 0; kx < w.kernel_w; ++kx) {
                            const int64_t in_x = x * w.stride_w + kx * w.dilation_w - w.pad_left;
                            const int64_t in_y = y * w.stride_h + ky * w.dilation_h - w.pad_top;
                            if (in.contains(in_x, in_y)) {
                                const int64_t tap = (m * w.kernel_h + ky) * w.kernel_w + kx;
                                sum.add(weights.at(tap * packed + c), in.at(c, in_x, in_y));
                            }
                        }
                    }
                    out.at(m * layer.channels + c, x, y) = sum.bounded();
                }
            }
        }
    }
    return out;
}

/// From [multiplier][channels] to the output's channel * multiplier + m.
Plane interleaved(const Plane &plane, int multiplier) {
    Plane out(plane.channels, plane.width, plane.height);
    const int channels = plane.channels / multiplier;
    for (int c = 0; c < plane.channels; ++c) {
        for (int y = 0; y < plane.height; ++y) {
            for (int x = 0; x < plane.width; ++x) {
                out.at(c % channels * multiplier + c / channels, x, y) = plane.at(c, x, y);
            }
        }
    }
    return out;
}

/// One pixel: the mean over all pixels.
Plane mean_of(const Plane &in) {
    Plane out(in.channels, 1, 1);
    const double scale = 1.0 / (static_cast<double>(in.width) * in.height);
    for (int c = 0; c < in.channels; ++c) {
        Sum sum(Terms::kDependent);  // The windows of pixels overlap.
        for (int y = 0; y < in.height; ++y) {
            for (int x = 0; x < in.width; ++x) {
                sum.add(1.0, in.at(c, x, y));
            }
        }
        const bool chunks = std::max(in.width, in.height) > kMeanTerms;
        const Bounded total = chunks ? sum.bounded(roundings_of_long_mean()) : sum.bounded();
        const double mean = total.value * scale;
        const double own = 2 * kRounding * std::abs(mean);
        out.at(c, 0, 0) = {mean, total.error * scale + own, total.deviation * scale + own};
    }
    return out;
}

Plane gated(const Plane &in, const Plane &gate) {
    Plane out = in;
    for (int c = 0; c < in.channels; ++c) {
        for (int y = 0; y < in.height; ++y) {
            for (int x = 0; x < in.width; ++x) {
                out.at(c, x, y) = product(in.at(c, x, y), gate.at(c, 0, 0));
            }
        }
    }
    return out;
}

/// The channels of `second` behind those of `first`.
Plane concatenated(const Plane &first, const Plane &second) {
    Plane out(first.channels + second.channels, first.width, first.height);
    for (int c = 0; c < out.channels; ++c) {
        const bool front = c < first.channels;
        for (int y = 0; y < out.height; ++y) {
            for (int x = 0; x < out.width; ++x) {
                out.at(c, x, y) = front ? first.at(c, x, y) : second.at(c - first.channels, x, y);
            }
        }
    }
    return out;
}

/// A stage's convolution, with its epilogue.
Plane compute_stage(const Plane &in, const StageRef &stage, const Image &size,
                    const std::vector<Image> &operands, const Named &named, Terms terms) {
    const std::string prefix = std::string(stage.name) + "_";
    const std::vector<double> &weights = named[prefix + "weights"];
    const std::vector<double> &bias = named[prefix + "bias"];
    const bool depthwise = stage.depthwise != nullptr;
    Plane out =
        depthwise ? convolve_depthwise(in, *stage.depthwise, weights, bias, size.width, size.height,
                                       terms)
                  : convolve(in, *stage.convolution, weights, bias, size.width, size.height, terms);
    apply_epilogue(*stage.epilogue, {prefix, operands, depthwise ? stage.depthwise->multiplier : 1},
                   named, &out);
    return out;
}

}  // namespace

std::vector<OutputElement> compute_block(const Block &block, const Named &named) {
    std::vector<OutputElement> output(named.output_elements());
    Plane plane = load(block.input, named["input"]);
    Plane before = plane;  // What a squeeze reads, or a Ghost module's primary.
    // Each channel has roundings of its own, until a gate depends on all channels, or a multiplier
    // makes several channels of an expand's.
    Terms terms = Terms::kIndependent;
    for (const StageRef &stage : stages_of(block)) {
        switch (stage.id) {
            case StageId::kExpand:
                plane = compute_stage(plane, stage, block.input, {}, named, terms);
                break;
            case StageId::kReduce:
                before = plane;
                plane = compute_stage(mean_of(plane), stage, dense_image(1, 1, 1, false), {}, named,
                                      terms);
                terms = Terms::kDependent;
                break;
            case StageId::kExcite:
                plane = gated(before, compute_stage(plane, stage, dense_image(1, 1, 1, false), {},
                                                    named, terms));
                break;
            case StageId::kCheap:
                plane = concatenated(plane,
                                     compute_stage(plane, stage, block.output, {}, named, terms));
                break;
            case StageId::kOutput:
                apply_epilogue(block.epilogue, {"output_", block.operands}, named, &plane);
                break;
            default:
                plane = compute_stage(plane, stage, block.output, block.operands, named, terms);
                if (block.expand && block.depthwise->multiplier > 1) terms = Terms::kDependent;
        }
    }
    if (block.depthwise && !block.project) {
        plane = interleaved(plane, block.depthwise->multiplier);
    }
    store(plane, block.output, &output);
    return output;
}

std::vector<OutputElement> compute_pool(const Pool &pool, const Named &named) {
    const Window &w = pool.window;
    const Plane in = load(pool.input, named["input"]);
    Plane out(in.channels, pool.output.width, pool.output.height);
    for (int c = 0; c < out.channels; ++c) {
        for (int y = 0; y < out.height; ++y) {
            for (int x = 0; x < out.width; ++x) {
                Sum sum(Terms::kIndependent);
                double largest = -std::numeric_limits<double>::infinity();
                int64_t padded_taps = 0;
                for (int ky = 0; ky < w.kernel_h; ++ky) {
                    for (int kx = 0; kx < w.kernel_w; ++kx) {
                        const int64_t in_x = x * w.stride_w + kx * w.dilation_w - w.pad_left;
                        const int64_t in_y = y * w.stride_h + ky * w.dilation_h - w.pad_top;
                        const bool in_padding =
                            in_x >= -w.pad_left && in_x < in.width + w.pad_right &&
                            in_y >= -w.pad_top && in_y < in.height + w.pad_bottom;
                        padded_taps += in_padding ? 1 : 0;
                        if (in.contains(in_x, in_y)) {
                            sum.add(1.0, in.at(c, in_x, in_y));
                            largest = std::max(largest, in.at(c, in_x, in_y).value);
                        }
                    }
                }
                const double count = static_cast<double>(
                    pool.kind == PoolKind::kAverage ? sum.terms() : padded_taps);
                const Bounded total =
                    w.taps() > kMeanTerms ? sum.bounded(roundings_of_long_mean()) : sum.bounded();
                const double average = total.value / count;
                const double own = 3 * kRounding * std::abs(average);
                out.at(c, x, y) = pool.kind == PoolKind::kMax
                                      ? Bounded{largest, 0}
                                      : Bounded{average, total.error / count + own,
                                                total.deviation / count + own};
            }
        }
    }
    apply_epilogue(pool.epilogue, {}, named, &out);
    std::vector<OutputElement> output(named.output_elements());
    store(out, pool.output, &output);
    return output;
}

std::vector<OutputElement> compute_resize(const Resize &resize, const Named &named) {
    const Plane in = load(resize.input, named["input"]);
    Plane out(in.channels, resize.output.width, resize.output.height);
    const auto index = [&](const char *name, int tap, int extent, int at) {
        return static_cast<int64_t>(named[name].at(int64_t{tap} * extent + at));
    };
    const auto weight = [&](const char *name, int tap, int extent, int at) {
        return resize.taps == 1 ? 1.0 : named[name].at(int64_t{tap} * extent + at);
    };
    for (int c = 0; c < out.channels; ++c) {
        for (int y = 0; y < out.height; ++y) {
            for (int x = 0; x < out.width; ++x) {
                Sum sum(Terms::kIndependent);
                for (int j = 0; j < resize.taps; ++j) {
                    for (int i = 0; i < resize.taps; ++i) {
                        const double factor = weight("weight_y", j, out.height, y) *
                                              weight("weight_x", i, out.width, x);
                        sum.add(factor, in.at(c, index("index_x", i, out.width, x),
                                              index("index_y", j, out.height, y)));
                    }
                }
                Bounded value = sum.bounded();
                const double own = 2 * kRounding * sum.magnitude();  // The product of two weights.
                value.error = resize.taps == 1 ? 0 : value.error + own;
                value.deviation += own;
                out.at(c, x, y) = value;
            }
        }
    }
    apply_epilogue(resize.epilogue, {}, named, &out);
    std::vector<OutputElement> output(named.output_elements());
    store(out, resize.output, &output);
    return output;
}

}  // namespace sepconv::reference
