// sepconv inspect: what a model would become, without compiling it.
#include <cstdio>
#include <memory>

#include "compiler/commands/commands.h"
#include "compiler/commands/options.h"
#include "compiler/report.h"

namespace sepconv {
namespace {

struct InspectOptions {
    ModelOptions model;
    std::string layout = "nchw";
    bool json = false;
};

Status inspect(const InspectOptions &options) {
    const Result<PlannedModel> model = load_model(options.model, options.layout);
    if (!model.ok()) return model.status();
    Report report;
    report.name = stem_of(options.model.model);
    report.source = file_name_of(options.model.model);
    report.plan = &model.value().plan;
    report.memory = model.value().memory;
    const std::string text = options.json ? report_json(report) : report_text(report);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return Status();
}

}  // namespace

void add_inspect_command(CLI::App *app, Status *status) {
    CLI::App *command = app->add_subcommand(
        "inspect",
        "Shows the blocks of an ONNX model, their cost, and what standard convolutions "
        "would cost");
    auto options = std::make_shared<InspectOptions>();
    add_model_options(command, &options->model);
    add_layout_option(command, &options->layout);
    command->add_flag("--json", options->json, "Machine-readable");
    command->callback([=] { *status = inspect(*options); });
}

}  // namespace sepconv
