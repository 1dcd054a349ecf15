// Shape rules of elementwise operators with parameters among their inputs.
#include <algorithm>
#include <cfloat>
#include <cmath>

#include "compiler/infer_rules.h"
#include "compiler/infer_shapes.h"

namespace sepconv {
namespace {

/// A bound of Clip as an input: a constant goes into `value`, a computed one makes `computed` true.
Status clip_bound(const NodeContext &c, size_t input, float &value, bool &computed) {
    if (!c.has_input(input)) return Status();
    const std::string what = input == 1 ? "min" : "max";
    if (c.constant(input) == nullptr) {
        computed = true;
        if (element_count(c.shape(input)) == 1 && c.rank(input) <= c.rank(0)) return Status();
        return c.invalid(what + " has shape " + shape_text(c.shape(input)) + ", expected a scalar");
    }
    const Result<std::vector<float>> bound = c.constant_floats(input, what);
    if (!bound.ok()) return bound.status();
    if (bound.value().size() != 1) return c.invalid(what + " is no scalar");
    value = bound.value()[0];
    return std::isnan(value) ? c.invalid(what + " is NaN") : Status();
}

}  // namespace

Status infer_clip(NodeContext &c) {
    float low = c.node.attribute("min", -FLT_MAX);
    float high = c.node.attribute("max", FLT_MAX);
    bool computed = false;
    if (c.opset() >= 11) {
        SEPCONV_RETURN_IF_ERROR(clip_bound(c, 1, low, computed));
        SEPCONV_RETURN_IF_ERROR(clip_bound(c, 2, high, computed));
    }
    if (std::isnan(low) || std::isnan(high)) {
        return c.invalid("a bound is NaN");
    }
    c.outputs = {c.shape(0)};
    if (computed) {
        c.node.attributes.clear();
        return Status();
    }
    c.become_unary("Clip");
    c.node.attributes["min"] = std::clamp(low, -FLT_MAX, FLT_MAX);
    c.node.attributes["max"] = std::clamp(high, -FLT_MAX, FLT_MAX);
    return Status();
}

Status infer_pow(NodeContext &c) {
    // What Muls, a Sqrt and a Div compute to the last digits.
    constexpr float kMaxExponent = 8.0F;
    const Constant *exponent = c.constant(1);
    if (exponent == nullptr) {
        return c.unsupported("the exponent must be a constant");
    }
    const std::vector<float> values = exponent->converted<float>();
    Shape output;
    if (values.empty() || !broadcast_shapes(c.shape(0), exponent->shape, output) ||
        output != c.shape(0) ||
        std::count(values.begin(), values.end(), values[0]) !=
            static_cast<std::ptrdiff_t>(values.size())) {
        return c.unsupported("the exponent must be one constant number");
    }
    const float value = values[0];
    const bool halves = std::fabs(value) <= kMaxExponent && std::trunc(2 * value) == 2 * value;
    if (!halves) {
        return c.unsupported("the exponent is " + std::to_string(value) +
                             ", supported are multiples of 0.5 from -8 to 8");
    }
    c.outputs = {c.shape(0)};
    if (value == 2.0F) {
        c.node.op = "Mul";
        c.node.inputs[1] = c.node.inputs[0];
        return Status();
    }
    if (value == 0.5F || value == 1.0F) {
        c.become_unary(value == 1.0F ? "Identity" : "Sqrt");
        return Status();
    }
    c.become_unary(value == 0.0F ? "Clip" : "Pow");
    if (value == 0.0F) {
        c.node.attributes["min"] = c.node.attributes["max"] = 1.0F;
    } else {
        c.node.attributes["exponent"] = value;
    }
    return Status();
}

}  // namespace sepconv
