#include "compiler/fold_layers.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include "compiler/fold_movement.h"
#include "compiler/fold_reduce.h"
#include "compiler/infer_shapes.h"
#include "compiler/onnx_tensor.h"

namespace sepconv {
namespace {

using Doubles = std::vector<double>;

Constant rounded(ElementType type, const Shape &shape, Doubles values) {
    return cast_constant(Constant(shape, std::move(values)), type);
}

size_t count_of(Shape::const_iterator first, Shape::const_iterator last) {
    return static_cast<size_t>(element_count(Shape(first, last)));
}

/// exp(x - maximum) / sum of `count` values that lie `step` apart.
void softmax_row(double *row, size_t count, size_t step) {
    double top = -HUGE_VAL;
    for (size_t i = 0; i < count; ++i) top = std::max(top, row[i * step]);
    double sum = 0.0;
    for (size_t i = 0; i < count; ++i) {
        row[i * step] = std::exp(row[i * step] - top);
        sum += row[i * step];
    }
    for (size_t i = 0; i < count; ++i) row[i * step] /= sum;
}

/// Which parameter an element has: i / inner % channels.
struct Channels {
    size_t channels;
    size_t inner;

    size_t of(size_t i) const { return i / inner % channels; }
};

Channels channels_of(const Shape &shape, size_t axis) {
    const auto at = shape.begin() + static_cast<std::ptrdiff_t>(axis);
    return {static_cast<size_t>(*at), count_of(at + 1, shape.end())};
}

/// Mean and variance (of the population) of each channel.
std::pair<Doubles, Doubles> statistics(const Doubles &values, const Channels &channels) {
    Doubles mean(channels.channels, 0.0);
    Doubles variance(channels.channels, 0.0);
    const double count = static_cast<double>(values.size()) / static_cast<double>(mean.size());
    for (size_t i = 0; i < values.size(); ++i) mean[channels.of(i)] += values[i];
    for (double &sum : mean) sum /= count;
    for (size_t i = 0; i < values.size(); ++i) {
        const double distance = values[i] - mean[channels.of(i)];
        variance[channels.of(i)] += distance * distance;
    }
    for (double &sum : variance) sum /= count;
    return {mean, variance};
}

/// What training makes of a running statistic.
Constant moved(const Constant &running, const Doubles &current, double momentum) {
    Doubles values = running.converted<double>();
    for (size_t c = 0; c < values.size(); ++c) {
        values[c] = values[c] * momentum + current[c] * (1.0 - momentum);
    }
    return rounded(running.type(), running.shape, std::move(values));
}

using Constants = std::vector<Constant>;

/// The rule's shape for the node, which is claimed; inputs must have one floating type.
Result<Shape> checked_shape(const LayerFold &fold, int64_t elements_read = 0) {
    for (const Constant *input : fold.inputs) {
        if (input != nullptr &&
            (!input->is_floating() || input->type() != fold.inputs[0]->type())) {
            return fold.c.unsupported(
                "input types " + std::string(name_of(fold.inputs[0]->type())) + " and " +
                name_of(input->type()) +
                " are not supported on constants, expected one type of floats");
        }
    }
    const Result<std::vector<Shape>> shapes = infer_node(fold.c.graph, fold.c.node);
    SEPCONV_RETURN_IF_ERROR(shapes.status());
    SEPCONV_RETURN_IF_ERROR(fold.claim(shapes.value()[0], elements_read));
    return shapes.value()[0];
}

Result<Constants> fold_softmax(const LayerFold &fold) {
    const Result<Shape> shape = checked_shape(fold);
    SEPCONV_RETURN_IF_ERROR(shape.status());
    const Constant &x = *fold.inputs[0];
    Doubles values = x.converted<double>();
    const bool coerced = fold.c.node.attribute("coerced", int64_t{0}) != 0;
    const auto at =
        x.shape.begin() + static_cast<std::ptrdiff_t>(fold.c.node.attribute("axis", int64_t{0}));
    const size_t count = coerced ? count_of(at, x.shape.end()) : static_cast<size_t>(*at);
    const size_t inner = coerced ? 1 : count_of(at + 1, x.shape.end());
    for (size_t first = 0; first < values.size(); first += count * inner) {
        for (size_t i = 0; i < inner; ++i) softmax_row(&values[first + i], count, inner);
    }
    return Constants{rounded(x.type(), x.shape, std::move(values))};
}

/// a * b in double; both have two axes or more, and the result has `shape`.
Doubles product(const Constant &a, const Constant &b, const Shape &shape) {
    Doubles result(static_cast<size_t>(element_count(shape)), 0.0);
    if (result.empty()) return result;
    const size_t rank = shape.size();
    const auto m = static_cast<size_t>(shape[rank - 2]);
    const auto n = static_cast<size_t>(shape[rank - 1]);
    const auto k = static_cast<size_t>(a.shape.back());
    Shape left = shape;
    Shape right = shape;
    left[rank - 1] = right[rank - 2] = static_cast<int64_t>(k);
    const Doubles x = expand(a, left).converted<double>();
    const Doubles y = expand(b, right).converted<double>();
    for (size_t row = 0; row < result.size() / n; ++row) {
        double *sums = &result[row * n];
        for (size_t i = 0; i < k; ++i) {
            const double factor = x[row * k + i];
            const double *terms = &y[(row / m * k + i) * n];
            for (size_t j = 0; j < n; ++j) sums[j] += factor * terms[j];
        }
    }
    return result;
}

/// What is read for a product whose result has `shape`: the expanded matrices, and a byte for each
/// multiplication.
int64_t product_reads(const Shape &shape, int64_t k) {
    const int64_t count = element_count(shape);
    return count == 0 ? 0
                      : k * (count / shape.back() + count / shape[shape.size() - 2]) +
                            count * k / int64_t{sizeof(double)};
}

Result<Constants> fold_matmul(const LayerFold &fold) {
    const Result<Shape> shape = checked_shape(fold);
    SEPCONV_RETURN_IF_ERROR(shape.status());
    Constant a = *fold.inputs[0];
    Constant b = *fold.inputs[1];
    // A vector is a row on the left and a column on the right.
    Shape matrices = shape.value();
    if (a.shape.size() == 1) matrices.insert(matrices.end() - (b.shape.size() == 1 ? 0 : 1), 1);
    if (b.shape.size() == 1) matrices.push_back(1);
    if (a.shape.size() == 1) a.shape.insert(a.shape.begin(), 1);
    if (b.shape.size() == 1) b.shape.push_back(1);
    SEPCONV_RETURN_IF_ERROR(fold.claim({}, product_reads(matrices, a.shape.back())));
    return Constants{rounded(a.type(), shape.value(), product(a, b, matrices))};
}

Result<Constants> fold_gemm(const LayerFold &fold) {
    const Result<Shape> shape = checked_shape(fold);
    SEPCONV_RETURN_IF_ERROR(shape.status());
    const Node &node = fold.c.node;
    const auto oriented = [&](size_t i, const char *key) {
        const Constant &given = *fold.inputs[i];
        return node.attribute(key, int64_t{0}) != 0 ? transpose(given, {1, 0}) : given;
    };
    const Constant a = oriented(0, "transA");
    const Constant b = oriented(1, "transB");
    SEPCONV_RETURN_IF_ERROR(fold.claim({}, product_reads(shape.value(), a.shape[1])));
    Doubles sum = product(a, b, shape.value());
    const double alpha = node.attribute("alpha", 1.0F);
    for (double &value : sum) value *= alpha;
    if (fold.inputs.size() > 2 && fold.inputs[2] != nullptr) {
        const double beta = node.attribute("beta", 1.0F);
        const Doubles terms = expand(*fold.inputs[2], shape.value()).converted<double>();
        for (size_t i = 0; i < sum.size(); ++i) sum[i] += beta * terms[i];
    }
    return Constants{rounded(a.type(), shape.value(), std::move(sum))};
}

Result<Constants> fold_global_pool(const LayerFold &fold) {
    const Result<Shape> shape = checked_shape(fold, element_count(fold.inputs[0]->shape));
    SEPCONV_RETURN_IF_ERROR(shape.status());
    std::vector<int64_t> axes(shape.value().size() - 2);
    std::iota(axes.begin(), axes.end(), 2);
    const bool mean = fold.c.node.op == "GlobalAveragePool";
    std::optional<Constant> pooled =
        reduce(mean ? "ReduceMean" : "ReduceMax", *fold.inputs[0], axes, shape.value());
    if (!pooled) return fold.c.unsupported("the input is empty");
    return Constants{std::move(*pooled)};
}

/// Parameters are one per index of axis 1, or with spatial 0 (before operator set 9) of all from
/// it.
Result<Constants> fold_batch_normalization(const LayerFold &fold) {
    const Node &node = fold.c.node;
    const Constant &x = *fold.inputs[0];
    if (x.shape.size() < 2) {
        return fold.c.invalid("the input has shape " + shape_text(x.shape));
    }
    const bool spatial = fold.c.opset() >= 9 || node.attribute("spatial", int64_t{1}) != 0;
    const Shape expected(x.shape.begin() + 1, spatial ? x.shape.begin() + 2 : x.shape.end());
    for (size_t i = 0; i < fold.inputs.size(); ++i) {
        if (!fold.inputs[i]->is_floating()) {
            return fold.c.invalid("input " + std::to_string(i) + " has the type " +
                                  name_of(fold.inputs[i]->type()));
        }
        if (i > 0 && fold.inputs[i]->shape != expected) {
            return fold.c.invalid("input " + std::to_string(i) + " has shape " +
                                  shape_text(fold.inputs[i]->shape) + ", expected " +
                                  shape_text(expected));
        }
    }
    SEPCONV_RETURN_IF_ERROR(fold.claim(x.shape, 3 * element_count(x.shape)));
    // Before operator set 14 training is what has more outputs.
    const bool training = fold.c.opset() >= 14 ? node.attribute("training_mode", int64_t{0}) != 0
                                               : node.outputs.size() > 1;
    const double momentum = node.attribute("momentum", 0.9F);
    const double epsilon = node.attribute("epsilon", 1e-5F);
    Doubles values = x.converted<double>();
    const Channels channels = spatial ? channels_of(x.shape, 1)
                                      : Channels{static_cast<size_t>(element_count(expected)), 1};
    const Doubles scale = fold.inputs[1]->converted<double>();
    const Doubles bias = fold.inputs[2]->converted<double>();
    Doubles mean = fold.inputs[3]->converted<double>();
    Doubles variance = fold.inputs[4]->converted<double>();
    if (training) std::tie(mean, variance) = statistics(values, channels);
    for (size_t i = 0; i < values.size(); ++i) {
        const size_t c = channels.of(i);
        values[i] = (values[i] - mean[c]) / std::sqrt(variance[c] + epsilon) * scale[c] + bias[c];
    }
    Constants results{rounded(x.type(), x.shape, std::move(values))};
    if (training) {
        results.push_back(moved(*fold.inputs[3], mean, momentum));
        results.push_back(moved(*fold.inputs[4], variance, momentum));
    }
    return results;
}

/// (x - zero) * scale, in the scale's type or output_dtype.
Result<Constants> fold_dequantize(const LayerFold &fold) {
    const Constant &x = *fold.inputs[0];
    const Constant &scale = *fold.inputs[1];
    const Constant *zero = fold.inputs.size() > 2 ? fold.inputs[2] : nullptr;
    if (fold.c.node.attribute("block_size", int64_t{0}) != 0 || scale.shape.size() > 1) {
        return fold.c.unsupported(
            "scales of blocks are not supported, expected a scalar or a list");
    }
    const auto dtype = static_cast<int>(fold.c.node.attribute("output_dtype", int64_t{0}));
    const std::optional<ElementType> type = dtype == 0 ? scale.type() : element_type(dtype);
    if (!type) {
        return fold.c.unsupported("output_dtype " + data_type_name(dtype) + " is not supported");
    }
    if (!x.is_integer() || !scale.is_floating()) {
        return fold.c.invalid("x has type " + std::string(name_of(x.type())) + " and the scale " +
                              name_of(scale.type()));
    }
    const auto fits = [&](const Constant &zeros) {
        return zeros.type() == x.type() && zeros.shape.size() <= 1 &&
               element_count(zeros.shape) == element_count(scale.shape);
    };
    if (zero != nullptr && !fits(*zero)) {
        return fold.c.invalid("the zero point has type " + std::string(name_of(zero->type())) +
                              " and shape " + shape_text(zero->shape) + ", expected " +
                              name_of(x.type()) + " and " + shape_text(scale.shape));
    }
    Channels channels{1, 1};
    if (element_count(scale.shape) != 1) {
        const Result<int64_t> axis =
            fold.c.resolve_axis(fold.c.node.attribute("axis", int64_t{1}), fold.c.rank(0));
        SEPCONV_RETURN_IF_ERROR(axis.status());
        channels = channels_of(x.shape, static_cast<size_t>(axis.value()));
        if (scale.shape[0] != static_cast<int64_t>(channels.channels)) {
            return fold.c.invalid("has " + shape_text(scale.shape) + " scales for extent " +
                                  std::to_string(channels.channels));
        }
    }
    SEPCONV_RETURN_IF_ERROR(fold.claim(x.shape, 2 * element_count(x.shape)));
    const Doubles quantised = x.converted<double>();
    const Doubles scales = scale.converted<double>();
    const Doubles zeros = zero == nullptr ? Doubles(scales.size(), 0.0) : zero->converted<double>();
    Doubles values(quantised.size());
    for (size_t i = 0; i < values.size(); ++i) {
        const size_t c = channels.of(i);
        values[i] = (quantised[i] - zeros[c]) * scales[c];
    }
    return Constants{rounded(*type, x.shape, std::move(values))};
}

}  // namespace

LayerRule layer_rule(const std::string &op) {
    static const std::unordered_map<std::string, LayerRule> rules{
        {"Softmax", fold_softmax},
        {"MatMul", fold_matmul},
        {"Gemm", fold_gemm},
        {"GlobalAveragePool", fold_global_pool},
        {"GlobalMaxPool", fold_global_pool},
        {"BatchNormalization", fold_batch_normalization},
        {"DequantizeLinear", fold_dequantize},
    };
    const auto found = rules.find(op);
    return found == rules.end() ? nullptr : found->second;
}

}  // namespace sepconv
