#include "schedules/build_kernel.h"

#include <fmt/format.h>

#include "algorithms/stages.h"
#include "layer/shape.h"
#include "schedules/autoschedule.h"
#include "schedules/bound_allocations.h"
#include "schedules/cpu.h"
#include "schedules/gpu.h"
#include "schedules/riscv.h"
#include "schedules/scratch.h"

namespace sepconv {
namespace {

using Halide::Func;
using Halide::OutputImageParam;

void fix(OutputImageParam buffer, int d, int64_t extent, int64_t stride) {
    buffer.dim(d).set_bounds(0, static_cast<int>(extent)).set_stride(static_cast<int>(stride));
}

/// The loop nests of one kind of machine, and how they want a kernel's stages defined.
struct CpuSchedules {
    TargetFacts facts;
    const Tuning &tuning;

    static Rows rows(const Kernel & /*kernel*/) { return Rows::kFlattened; }
    int run(const Block &block) const { return flattened_run(block, choose(block, facts, tuning)); }
    void operator()(BlockStages &stages, const Block &block) const {
        schedule_block(stages, block, facts, choose(block, facts, tuning));
    }
    void operator()(SimpleStages &stages, const Pool &pool) const {
        schedule_pool(stages, pool, facts);
    }
    void operator()(SimpleStages &stages, const Resize &resize) const {
        schedule_resize(stages, resize, facts);
    }
    void operator()(SimpleStages &stages, const Map &map) const {
        schedule_map(stages, map, facts);
    }
    void operator()(SimpleStages &stages, const Softmax &softmax) const {
        schedule_softmax(stages, softmax, facts);
    }
};

struct GpuSchedules {
    static Rows rows(const Kernel &kernel) { return rows_on_gpu(kernel); }
    static int run(const Block & /*block*/) { return 1; }
    void operator()(BlockStages &stages, const Block &block) const {
        schedule_block_on_gpu(stages, block);
    }
    void operator()(SimpleStages &stages, const Pool &pool) const {
        schedule_pool_on_gpu(stages, pool);
    }
    void operator()(SimpleStages &stages, const Resize &resize) const {
        schedule_resize_on_gpu(stages, resize);
    }
    void operator()(SimpleStages &stages, const Map &map) const {
        schedule_map_on_gpu(stages, map);
    }
    void operator()(SimpleStages &stages, const Softmax &softmax) const {
        schedule_softmax_on_gpu(stages, softmax);
    }
};

/// Leaves all to an autoscheduler. Tricks of ours with rows would only hide from it what there is.
struct NoSchedules {
    static Rows rows(const Kernel & /*kernel*/) { return Rows::kNatural; }
    static int run(const Block & /*block*/) { return 1; }
    template<typename Stages, typename Layer>
    void operator()(Stages & /*stages*/, const Layer & /*layer*/) const {}
};

/// Defines and schedules one kind of kernel and fixes the output's bounds and strides.
template<typename Schedules>
struct Build {
    Parameters &parameters;
    const Schedules &schedule;
    const Rows rows;

    Func operator()(const Block &block) {
        BlockStages stages = define_block(block, parameters, rows, schedule.run(block));
        schedule(stages, block);
        if (!block.cheap) return on_image(stages.output, stages.pixels);
        // Two halves of one image: (c, x, y, half).
        Image half = block.output;
        half.channels = block.cheap->channels;
        on_image(stages.output, half);
        fix(stages.output.output_buffer(), 3, 2, half.channels * half.stride_c);
        return stages.output;
    }
    Func operator()(const Pool &pool) {
        SimpleStages stages = define_pool(pool, parameters);
        schedule(stages, pool);
        return on_image(stages.output, pool.output);
    }
    Func operator()(const Resize &resize) {
        SimpleStages stages = define_resize(resize, parameters);
        schedule(stages, resize);
        return on_image(stages.output, resize.output);
    }
    Func operator()(const Map &map) {
        SimpleStages stages = define_map(map, parameters);
        schedule(stages, map);
        for (int d = 0; d < kMapRank; d++) {
            fix(stages.output.output_buffer(), d, map.extent[kMapRank - 1 - d],
                map.output[kMapRank - 1 - d]);
        }
        return stages.output;
    }
    Func operator()(const Softmax &softmax) {
        SimpleStages stages = define_softmax(softmax, parameters);
        schedule(stages, softmax);
        fix(stages.output.output_buffer(), 0, softmax.inner, softmax.output[2]);
        fix(stages.output.output_buffer(), 1, softmax.extent, softmax.output[1]);
        fix(stages.output.output_buffer(), 2, softmax.outer, softmax.output[0]);
        return stages.output;
    }

private:
    static Func on_image(Func output, const Image &image) {
        OutputImageParam buffer = output.output_buffer();
        constrain_image(buffer, image, false);
        return output;
    }
};

template<typename Schedules>
BuiltKernel build(const Kernel &kernel, const Schedules &schedules) {
    const Rows rows = schedules.rows(kernel);
    Parameters parameters(kernel, rows);
    Func output = std::visit(Build<Schedules>{parameters, schedules, rows}, kernel);
    BuiltKernel built;
    built.parameters = parameters.in_order();
    for (const Halide::ImageParam &buffer : built.parameters) built.arguments.push_back(buffer);
    built.pipeline = Halide::Pipeline(output);
    return built;
}

}  // namespace

BuiltKernel build_kernel(const Kernel &kernel, const Halide::Target &target,
                         const Schedule &schedule) {
    if (const auto *automatic = std::get_if<Autoscheduler>(&schedule)) {
        BuiltKernel built = build(kernel, NoSchedules{});
        autoschedule(&built, target, *automatic);
        return built;
    }
    if (target.has_gpu_feature()) return build(kernel, GpuSchedules{});
    return build(kernel, CpuSchedules{facts_of(target), std::get<Tuning>(schedule)});
}

Result<Scratch> compile_kernel(const Kernel &kernel, const Halide::Target &target,
                               const Schedule &schedule, const std::string &name,
                               const std::string &object_path) {
    const auto named = [&name](const Status &status) {
        return Status(status.code(), fmt::format("kernel {}: {}", name, status.message()));
    };
    try {
        BuiltKernel built = build_kernel(kernel, target, schedule);
        avoid_riscv_defects(&built.pipeline, target);
        if (std::holds_alternative<Autoscheduler>(schedule)) {
            const Status inside = check_bounds(built, target);
            if (!inside.ok()) return named(inside);
            bound_allocations(&built.pipeline);
        }
        Halide::Module module = built.pipeline.compile_to_module(
            built.arguments, name, target, Halide::LinkageType::ExternalPlusArgv);
        // Of a device's kernel nothing is on the host; the runtime asks it for the rest.
        Result<Scratch> scratch =
            target.has_gpu_feature() ? Result<Scratch>(Scratch()) : scratch_of(module);
        if (!scratch.ok()) return named(scratch.status());
        module.compile({{Halide::OutputFileType::object, object_path}});
        return scratch;
    } catch (const Halide::Error &error) {  // Not a std::exception in Halide 21.
        return named(Status(StatusCode::kInternal, error.what()));
    }
}

}  // namespace sepconv
