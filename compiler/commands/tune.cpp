// sepconv tune: measures schedules of a model's kernels on this machine.
#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "compiler/commands/commands.h"
#include "compiler/commands/options.h"
#include "compiler/diagnostic.h"
#include "compiler/tune/tuner.h"
#include "sepconv/sepconv.h"

namespace sepconv {
namespace {

struct TuneCommand {
    ModelOptions model;
    TuneOptions tune;
    std::string budget = "10m";
};

Status invalid(const std::string &text) {
    return Status(StatusCode::kInvalidArgument, text);
}

/// Seconds of "90s", "10m" or "2h".
Result<double> parse_budget(const std::string &text) {
    constexpr size_t kMostDigits = 6;
    const size_t digits = text.find_first_not_of("0123456789");
    const bool shaped = digits != std::string::npos && digits >= 1 && digits <= kMostDigits &&
                        digits + 1 == text.size();
    const double unit = !shaped               ? 0
                        : text[digits] == 's' ? 1
                        : text[digits] == 'm' ? 60
                        : text[digits] == 'h' ? 3600
                                              : 0;
    if (unit == 0) {
        return invalid(fmt::format("--budget: expected 90s, 10m or 2h, got {}", quote(text)));
    }
    return unit * std::stoi(text.substr(0, digits));
}

Status run_tune(TuneCommand options) {
    const Result<double> seconds = parse_budget(options.budget);
    if (!seconds.ok()) return seconds.status();
    options.tune.seconds = seconds.value();
    SEPCONV_RETURN_IF_ERROR(choose_variant("tune", &options.tune.build.target));
    const Result<PlannedModel> model = load_model(options.model, options.tune.build.layout);
    if (!model.ok()) return model.status();
    const Result<TuningTable> table = tune(model.value().plan, options.tune);
    if (!table.ok()) return table.status();
    fmt::print("{}: {} tuned kernels\n", options.tune.output, table.value().kernels.size());
    return Status();
}

}  // namespace

void add_tune_command(CLI::App *app, Status *status) {
    CLI::App *command =
        app->add_subcommand("tune", "Measures schedules for an ONNX model on this machine");
    auto options = std::make_shared<TuneCommand>();
    options->tune.output = "tuning.json";
    add_model_options(command, &options->model);
    command->add_option("--output,-o", options->tune.output, "Table for --tuning of compile")
        ->capture_default_str();
    command->add_option("--budget", options->budget, "Time, as in 90s, 10m or 2h")
        ->capture_default_str();
    command->add_option("--candidates", options->tune.candidates, "Schedules tried of a kernel")
        ->check(CLI::Range(1, 10000))
        ->capture_default_str();
    command->add_option("--csv", options->tune.csv, "All trials, with the terms of the estimate");
    command->add_option("--threads", options->tune.threads, "Threads")
        ->check(CLI::Range(1, SEPCONV_MAX_THREADS))
        ->capture_default_str();
    add_build_options(command, &options->tune.build);
    command->callback([=] { *status = run_tune(*options); });
}

}  // namespace sepconv
