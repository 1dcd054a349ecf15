#include "schedules/autoschedule.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace sepconv {
namespace {

using Halide::Expr;
using Halide::Target;

struct Row {
    const char *name;
    const char *halide_name;
    bool cpu, cuda, opencl;  ///< What it schedules for.
};

constexpr Row kRows[] = {
    {"adams2019", "Adams2019", true, false, false},
    {"anderson2021", "Anderson2021", false, true, false},
    {"li2018", "Li2018", true, true, true},
    {"mullapudi2016", "Mullapudi2016", true, false, false},
};

const Row *row_of(const std::string &name) {
    const auto *row = std::find_if(std::begin(kRows), std::end(kRows),
                                   [&](const Row &candidate) { return candidate.name == name; });
    return row == std::end(kRows) ? nullptr : row;
}

Halide::OutputImageParam output_of(const BuiltKernel &kernel) {
    return Halide::Func(kernel.pipeline.outputs().at(0)).output_buffer();
}

/// Every extent is known exactly.
void set_estimates(Halide::OutputImageParam buffer) {
    const Halide::Parameter &parameter = buffer.parameter();
    for (int d = 0; d < buffer.dimensions(); d++) {
        buffer.dim(d).set_estimate(parameter.min_constraint(d), parameter.extent_constraint(d));
    }
}

/// What the assertions of a lowered function say of its accesses.
class Accesses : public Halide::Internal::IRVisitor {
public:
    explicit Accesses(const BuiltKernel &kernel) {
        for (const Halide::ImageParam &buffer : kernel.parameters) {
            buffers_.emplace("Input buffer " + buffer.name(), buffer.parameter());
        }
        const Halide::OutputImageParam output = output_of(kernel);
        output_ = "Output buffer " + output.name();
        buffers_.emplace(output_, output.parameter());
    }

    /// The first access outside a buffer's bounds; "" where there is none.
    const std::string &outside() const { return outside_; }
    /// Dimensions of the output that an assertion is about: all of them, or there was none to read.
    int checked_of_output() const { return checked_of_output_; }

private:
    using IRVisitor::visit;

    void visit(const Halide::Internal::AssertStmt *assertion) override {
        const auto *call = assertion->message.as<Halide::Internal::Call>();
        if (call != nullptr && call->name == "halide_error_access_out_of_bounds") check(call->args);
        IRVisitor::visit(assertion);
    }

    /// Arguments of that call: "Input buffer NAME", dimension, first and last index touched, ...
    void check(const std::vector<Expr> &arguments) {
        const std::string name = arguments.at(0).as<Halide::Internal::StringImm>()->value;
        const auto d = static_cast<int>(*as_const_int(arguments.at(1)));
        const Halide::Parameter &buffer = buffers_.at(name);
        const int64_t min = *as_const_int(buffer.min_constraint(d));
        const int64_t extent = *as_const_int(buffer.extent_constraint(d));
        const auto first = as_const_int(arguments.at(2)), last = as_const_int(arguments.at(3));
        if (name == output_) checked_of_output_++;
        if (first && last && *first >= min && *last < min + extent) return;
        if (!outside_.empty()) return;
        outside_ = fmt::format("dimension {} of {}: expected {} to {}, touched {}", d, name, min,
                               min + extent - 1,
                               first && last ? fmt::format("{} to {}", *first, *last)
                                             : std::string("what is not known"));
    }

    std::map<std::string, Halide::Parameter> buffers_;
    std::string output_, outside_;
    int checked_of_output_ = 0;
};

}  // namespace

std::string describe(const Schedule &schedule) {
    if (const auto *tuning = std::get_if<Tuning>(&schedule)) return describe(*tuning);
    const auto &by = std::get<Autoscheduler>(schedule);
    return fmt::format("{} for {} threads", by.name, by.threads);
}

std::vector<std::string> autoscheduler_names() {
    std::vector<std::string> names;
    for (const Row &row : kRows) names.emplace_back(row.name);
    return names;
}

std::string plugin_file(const std::string &autoscheduler) {
    return fmt::format("libautoschedule_{}.so", autoscheduler);
}

Status check_autoscheduler(const std::string &name, const std::string &halide_target) {
    const Row *row = row_of(name);
    if (row == nullptr) {
        return Status(StatusCode::kInvalidArgument,
                      fmt::format("expected one of {}, got '{}'",
                                  fmt::join(autoscheduler_names(), ", "), name));
    }
    const Target target(halide_target);
    const bool cuda = target.has_feature(Target::CUDA);
    const bool opencl = target.has_feature(Target::OpenCL);
    if (cuda ? row->cuda : opencl ? row->opencl : row->cpu) return Status();
    std::vector<std::string> devices;
    for (const auto &[device, can] :
         {std::pair("cpu", row->cpu), {"cuda", row->cuda}, {"opencl", row->opencl}}) {
        if (can) devices.emplace_back(device);
    }
    return Status(StatusCode::kUnsupported,
                  fmt::format("{} schedules for {}, not for {}", name, fmt::join(devices, ", "),
                              cuda     ? "cuda"
                              : opencl ? "opencl"
                                       : "cpu"));
}

void autoschedule(BuiltKernel *kernel, const Target &target, const Autoscheduler &by) {
    for (Halide::ImageParam &buffer : kernel->parameters) set_estimates(buffer);
    set_estimates(output_of(*kernel));
    Halide::load_plugin(by.plugin);
    Halide::AutoschedulerParams parameters(row_of(by.name)->halide_name);
    parameters.extra["parallelism"] = std::to_string(by.threads);
    kernel->pipeline.apply_autoscheduler(target, parameters);
}

Status check_bounds(const BuiltKernel &kernel, const Target &target) {
    Halide::Pipeline pipeline = kernel.pipeline;
    const Halide::Module module = pipeline.compile_to_module(
        kernel.arguments, "checked", target.without_feature(Target::NoAsserts));
    Accesses accesses(kernel);
    for (const Halide::Internal::LoweredFunc &function : module.functions()) {
        function.body.accept(&accesses);
    }
    if (!accesses.outside().empty()) return Status(StatusCode::kInternal, accesses.outside());
    const int dimensions = output_of(kernel).dimensions();
    if (accesses.checked_of_output() == dimensions) return Status();
    return Status(
        StatusCode::kInternal,
        fmt::format("Halide tells what is touched of {} dimensions of the output, expected "
                    "{}",
                    accesses.checked_of_output(), dimensions));
}

}  // namespace sepconv
