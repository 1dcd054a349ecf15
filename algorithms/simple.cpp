#include "algorithms/elementwise.h"
#include "algorithms/stages.h"
#include "algorithms/sums.h"
#include "layer/sums.h"

namespace sepconv {
namespace {

using Halide::cast;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

OperandAt image_operands(Parameters &parameters, const Epilogue &epilogue, const Var &c) {
    return [&parameters, &epilogue, c](int step) -> Expr {
        const bool scalar = epilogue[step].operand == Operand::kScalar;
        const std::string name =
            (scalar ? std::string("scalar_") : std::string("channel_")) + std::to_string(step);
        return scalar ? parameters[name](0) : parameters[name](c);
    };
}

/// Taps of a window along one axis that lie in [low, high), for the output position `at`.
Expr taps_inside(const Expr &at, int kernel, int stride, int dilation, int before, int low,
                 int high) {
    Expr count = 0;
    for (int k = 0; k < kernel; k++) {
        Expr position = at * stride + k * dilation - before;
        count += cast<int>(position >= low && position < high);
    }
    return count;
}

/// What an average divides by.
Expr divisor(const Pool &pool, const Var &x, const Var &y) {
    const Window &w = pool.window;
    const bool with_pad = pool.kind == PoolKind::kAverageIncludingPad;
    const int top = with_pad ? w.pad_top : 0, bottom = with_pad ? w.pad_bottom : 0;
    const int left = with_pad ? w.pad_left : 0, right = with_pad ? w.pad_right : 0;
    Expr columns = taps_inside(x, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left, -left,
                               pool.input.width + right);
    Expr rows = taps_inside(y, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top, -top,
                            pool.input.height + bottom);
    return cast<float>(columns * rows);
}

bool window_fits(const Pool &pool) {
    const Window &w = pool.window;
    auto inside = [](int in, int out, int kernel, int stride, int dilation, int before) {
        return before <= 0 && (out - 1) * stride + (kernel - 1) * dilation - before < in;
    };
    return inside(pool.input.width, pool.output.width, w.kernel_w, w.stride_w, w.dilation_w,
                  w.pad_left) &&
           inside(pool.input.height, pool.output.height, w.kernel_h, w.stride_h, w.dilation_h,
                  w.pad_top);
}

/// The sum over all taps of a window in chunks, rows of it if they are long enough.
void define_long_sum(SimpleStages &stages, const Window &w, const std::vector<Var> &pixel,
                     const TapAt &value) {
    const Chunks columns(w.kernel_w, kChunkTerms), rows(w.kernel_h, kChunkTerms / w.kernel_w);
    Var index("chunk_index");
    RDom terms(0, columns.length(), 0, rows.length(), "in_chunk");
    // One axis: autoschedulers reorder those of a window, which a pair of floats does not allow.
    RDom chunks(0, columns.count() * rows.count(), "window");
    std::vector<Expr> at(pixel.begin(), pixel.end());
    std::vector<Expr> of_chunk = at;
    of_chunk.push_back(index);
    stages.chunk = Func("chunk");
    stages.chunk(of_chunk) = 0.0F;
    const Expr kx = columns.at(index % columns.count(), terms.x, terms);
    const Expr ky = rows.at(index / columns.count(), terms.y, terms);
    stages.chunk(of_chunk) += value(kx, ky);
    at.push_back(chunks.x);
    stages.reduction(pixel) = no_terms();
    stages.reduction(pixel) = plus(stages.reduction(pixel), stages.chunk(at));
    stages.in_chunk = {terms.x, terms.y};
    stages.reduced = {chunks.x};
}

}  // namespace

SimpleStages define_pool(const Pool &pool, Parameters &parameters) {
    SimpleStages stages;
    Var c("c"), x("x"), y("y");
    const Window &w = pool.window;
    const bool fits = window_fits(pool);
    const bool maximum = pool.kind == PoolKind::kMax;
    const Expr outside = maximum ? Expr(Halide::Float(32).min()) : Expr(0.0F);
    Func in("in");
    in(c, x, y) = parameters["input"](c, x, y);
    if (!fits) {
        in = Halide::BoundaryConditions::constant_exterior(
            in, outside, {{Expr(), Expr()}, {0, pool.input.width}, {0, pool.input.height}});
    }
    const TapAt value = [&](const Expr &kx, const Expr &ky) -> Expr {
        return in(c, x * w.stride_w + kx * w.dilation_w - w.pad_left,
                  y * w.stride_h + ky * w.dilation_h - w.pad_top);
    };
    stages.reduction = Func("pooled");
    Expr pooled;
    if (!maximum && int64_t{w.kernel_w} * w.kernel_h > kMeanTerms) {
        define_long_sum(stages, w, {c, x, y}, value);
        pooled = value_of(Halide::Tuple(stages.reduction(c, x, y)));
    } else {
        RDom r(0, w.kernel_w, 0, w.kernel_h, "window");
        stages.reduction(c, x, y) = outside;
        if (maximum) {
            stages.reduction(c, x, y) = Halide::max(stages.reduction(c, x, y), value(r.x, r.y));
        } else {
            stages.reduction(c, x, y) += value(r.x, r.y);
        }
        stages.reduced = {r.x, r.y};
        pooled = stages.reduction(c, x, y);
    }
    if (!maximum) {
        pooled =
            fits ? pooled * (1.0F / static_cast<float>(w.taps())) : pooled / divisor(pool, x, y);
    }
    stages.output = Func("output");
    stages.output(c, x, y) =
        apply(pool.epilogue, pooled, image_operands(parameters, pool.epilogue, c));
    stages.axes = {c, x, y};
    return stages;
}

SimpleStages define_resize(const Resize &resize, Parameters &parameters) {
    SimpleStages stages;
    Var c("c"), x("x"), y("y");
    Expr sum = 0.0F;
    for (int j = 0; j < resize.taps; j++) {
        Expr row =
            Halide::unsafe_promise_clamped(parameters["index_y"](y, j), 0, resize.input.height - 1);
        for (int i = 0; i < resize.taps; i++) {
            Expr column = Halide::unsafe_promise_clamped(parameters["index_x"](x, i), 0,
                                                         resize.input.width - 1);
            Expr value = parameters["input"](c, column, row);
            if (resize.taps == 1) {
                sum = value;
            } else {
                sum += parameters["weight_y"](y, j) * parameters["weight_x"](x, i) * value;
            }
        }
    }
    stages.output = Func("output");
    stages.output(c, x, y) =
        apply(resize.epilogue, sum, image_operands(parameters, resize.epilogue, c));
    stages.axes = {c, x, y};
    return stages;
}

SimpleStages define_map(const Map &map, Parameters &parameters) {
    SimpleStages stages;
    for (int d = 0; d < kMapRank; d++) stages.axes.emplace_back("i" + std::to_string(d));
    auto at = [&](const MapIndex &stride) {
        std::vector<Expr> index;
        for (int d = 0; d < kMapRank; d++) {
            const int from = kMapRank - 1 - d;
            const Expr i = stages.axes[d];
            const auto last = static_cast<int>(map.extent[from]) - 1;
            index.push_back(stride[from] == 0 ? Expr(0) : stride[from] < 0 ? last - i : i);
        }
        return index;
    };
    OperandAt operand = [&](int step) -> Expr {
        const int ordinal = tensor_ordinal(map.epilogue, step);
        return parameters["tensor_" + std::to_string(step)](at(map.operands[ordinal]));
    };
    stages.output = Func("output");
    stages.output(stages.axes) = apply(map.epilogue, parameters["input"](at(map.input)), operand);
    return stages;
}

SimpleStages define_softmax(const Softmax &softmax, Parameters &parameters) {
    SimpleStages stages;
    Var i("i"), k("k"), o("o");
    Halide::ImageParam &in = parameters["input"];
    const int extent = static_cast<int>(softmax.extent);
    RDom scan(0, extent, "scan");
    stages.maximum = Func("maximum");
    stages.maximum(i, o) = in(i, 0, o);
    stages.maximum(i, o) = Halide::max(stages.maximum(i, o), in(i, scan, o));
    const auto power = [&](const Expr &at) -> Expr {
        return Halide::exp(in(i, at, o) - stages.maximum(i, o));
    };
    stages.reduction = Func("total");
    Expr total;
    if (extent > kSoftmaxTerms) {
        const Chunks chunks(extent, kChunkTerms);
        Var chunk("chunk_k");
        RDom terms(0, chunks.length(), "in_chunk"), over(0, chunks.count(), "over");
        stages.chunk = Func("chunk");
        stages.chunk(i, chunk, o) = 0.0F;
        stages.chunk(i, chunk, o) += power(chunks.at(chunk, terms.x, terms));
        stages.reduction(i, o) = no_terms();
        stages.reduction(i, o) = plus(stages.reduction(i, o), stages.chunk(i, over, o));
        stages.in_chunk = {terms.x}, stages.reduced = {over.x};
        total = value_of(stages.reduction(i, o));
    } else {
        RDom over(0, extent, "over");
        stages.reduction(i, o) = 0.0F;
        stages.reduction(i, o) += power(over);
        stages.reduced = {over};
        total = stages.reduction(i, o);
    }
    stages.output = Func("output");
    stages.output(i, k, o) = power(k) / total;
    stages.axes = {i, k, o};
    stages.scanned = {scan};
    return stages;
}

}  // namespace sepconv
