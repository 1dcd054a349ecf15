// sepconv compile: a model to a library.
#include <memory>

#include "compiler/commands/commands.h"
#include "compiler/commands/options.h"

namespace sepconv {
namespace {

struct CompileOptions {
    ModelOptions model;
    BuildOptions build;
    OutputOptions output;
};

Status compile(CompileOptions options) {
    Result<std::string> name = library_name(options.output.name, stem_of(options.model.model));
    if (!name.ok()) return name.status();
    options.output.name = name.value();
    const Result<PlannedModel> model = load_model(options.model, options.build.layout);
    if (!model.ok()) return model.status();
    const Plan &plan = model.value().plan;
    const Result<Emitted> emitted =
        compile_plan(plan, options.build, options.output, file_name_of(options.model.model));
    if (!emitted.ok()) return emitted.status();
    print_emitted(emitted.value());
    return Status();
}

}  // namespace

void add_compile_command(CLI::App *app, Status *status) {
    CLI::App *command = app->add_subcommand("compile", "Compiles an ONNX model to a library");
    auto options = std::make_shared<CompileOptions>();
    add_model_options(command, &options->model);
    add_output_options(command, &options->output);
    add_build_options(command, &options->build);
    add_scheduler_options(command, &options->build.scheduler);
    command->callback([=] { *status = compile(*options); });
}

}  // namespace sepconv
