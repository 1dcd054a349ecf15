#include <algorithm>

#include "schedules/cpu.h"
#include "schedules/cpu_stages.h"

namespace sepconv {
namespace {

using Halide::Func;
using Halide::TailStrategy;
using Halide::Var;

/// Output of an image kernel: channels in vectors, rows in parallel tasks.
void schedule_image(SimpleStages &stages, const Image &image, int lanes, const Var &cb,
                    const Var &cv) {
    const Var &c = stages.axes[0], &x = stages.axes[1], &y = stages.axes[2];
    Func &out = stages.output;
    out.bound(c, 0, image.channels).bound(x, 0, image.width).bound(y, 0, image.height);
    out.split(c, cb, cv, lanes, vector_tail(image.channels, lanes)).vectorize(cv);
    const int64_t tasks = divisor_at_most(image.height, 8);
    if (tasks > 1) {
        Var task("task");
        out.split(y, task, y, static_cast<int>(image.height / tasks), TailStrategy::RoundUp)
            .parallel(task);
    }
}

}  // namespace

void schedule_pool(SimpleStages &stages, const Pool &pool, const TargetFacts &facts) {
    Var cb("cb"), cv("cv");
    schedule_image(stages, pool.output, facts.lanes, cb, cv);
    const Var &c = stages.axes[0], &x = stages.axes[1], &y = stages.axes[2];
    stages.output.reorder(cv, x, cb, y);
    const TailStrategy tail =
        pool.output.channels < facts.lanes ? TailStrategy::Predicate : TailStrategy::RoundUp;
    stages.reduction.compute_at(stages.output, x).vectorize(c, facts.lanes, tail);
    std::vector<Halide::VarOrRVar> order = {c};
    order.insert(order.end(), stages.reduced.begin(), stages.reduced.end());
    order.insert(order.end(), {x, y});
    stages.reduction.update().reorder(order).vectorize(c, facts.lanes, tail);
    if (!stages.chunk.defined()) return;
    stages.chunk.compute_at(stages.reduction, stages.reduced[0]).vectorize(c, facts.lanes, tail);
    stages.chunk.update()
        .reorder(c, stages.in_chunk[0], stages.in_chunk[1])
        .vectorize(c, facts.lanes, tail);
}

void schedule_resize(SimpleStages &stages, const Resize &resize, const TargetFacts &facts) {
    Var cb("cb"), cv("cv");
    schedule_image(stages, resize.output, facts.lanes, cb, cv);
    stages.output.reorder(cv, cb, stages.axes[1], stages.axes[2]);
}

void schedule_map(SimpleStages &stages, const Map &map, const TargetFacts &facts) {
    Func &out = stages.output;
    for (int d = 0; d < kMapRank; d++) {
        out.bound(stages.axes[d], 0, static_cast<int>(map.extent[kMapRank - 1 - d]));
    }
    const int64_t inner = map.extent[kMapRank - 1];
    Var vo("vo"), vi("vi");
    if (inner < facts.lanes) return;
    out.split(stages.axes[0], vo, vi, facts.lanes, vector_tail(inner, facts.lanes)).vectorize(vi);
}

void schedule_softmax(SimpleStages &stages, const Softmax &softmax, const TargetFacts &facts) {
    const Var &i = stages.axes[0], &k = stages.axes[1], &o = stages.axes[2];
    Func &out = stages.output;
    out.bound(i, 0, static_cast<int>(softmax.inner)).bound(k, 0, static_cast<int>(softmax.extent));
    out.bound(o, 0, static_cast<int>(softmax.outer));
    if (softmax.inner >= facts.lanes) {
        Var ib("ib"), iv("iv");
        out.split(i, ib, iv, facts.lanes, vector_tail(softmax.inner, facts.lanes))
            .reorder(iv, k, ib, o)
            .vectorize(iv);
        if (stages.chunk.defined()) stages.reduction.update().reorder(i, stages.reduced[0]);
        for (Func f : {stages.maximum, stages.reduction}) {
            f.compute_at(out, ib).vectorize(i, facts.lanes);
            f.update().vectorize(i, facts.lanes);
        }
        if (stages.chunk.defined()) {
            stages.chunk.compute_at(stages.reduction, stages.reduced[0]).vectorize(i, facts.lanes);
            stages.chunk.update().reorder(i, stages.in_chunk[0]).vectorize(i, facts.lanes);
        }
        return;
    }
    Var kb("kb"), kv("kv");
    out.reorder(k, i, o);
    out.split(k, kb, kv, facts.lanes, vector_tail(softmax.extent, facts.lanes)).vectorize(kv);
    stages.maximum.compute_at(out, i);
    stages.reduction.compute_at(out, i);
    if (stages.chunk.defined()) stages.chunk.compute_at(stages.reduction, stages.reduced[0]);
}

}  // namespace sepconv
