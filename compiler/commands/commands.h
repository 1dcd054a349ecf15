#ifndef SEPCONV_COMPILER_COMMANDS_COMMANDS_H_
#define SEPCONV_COMPILER_COMMANDS_COMMANDS_H_

#include <CLI/CLI.hpp>

#include "layer/status.h"

namespace sepconv {

// Each adds one subcommand. Its callback, run while the command line is parsed, leaves the outcome
// in *status, which must outlive the parser.
void add_compile_command(CLI::App *app, Status *status);
void add_inspect_command(CLI::App *app, Status *status);
void add_run_command(CLI::App *app, Status *status);
void add_layer_command(CLI::App *app, Status *status);
void add_tune_command(CLI::App *app, Status *status);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_COMMANDS_COMMANDS_H_
