// The command line.
#include <signal.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "compiler/commands/commands.h"

namespace {

constexpr int kExitError = 1;
constexpr int kExitUsage = 2;

int run(int argc, char **argv) {
    sepconv::Status status;
    CLI::App app("sepconv compiles convolutional networks to static libraries");
    app.set_version_flag("--version", SEPCONV_VERSION);
    app.require_subcommand(1);
    sepconv::add_compile_command(&app, &status);
    sepconv::add_inspect_command(&app, &status);
    sepconv::add_run_command(&app, &status);
    sepconv::add_layer_command(&app, &status);
    sepconv::add_tune_command(&app, &status);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : kExitUsage;
    } catch (const std::exception &error) {
        status = sepconv::Status(sepconv::StatusCode::kInternal, error.what());
    }
    if (status.ok() && std::fflush(stdout) != 0) {
        status = sepconv::Status(sepconv::StatusCode::kIo,
                                 std::string("cannot write to stdout: ") + strerror(errno));
    }
    if (status.ok()) return 0;
    const bool defect = status.code() == sepconv::StatusCode::kInternal;
    std::fprintf(stderr, "error: %s%s\n", defect ? "internal: " : "", status.message().c_str());
    return kExitError;
}

}  // namespace

int main(int argc, char **argv) {
    signal(SIGXFSZ, SIG_IGN);  // A limit of file sizes is an error like a full disk.
    try {
        return run(argc, argv);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "error: internal: %s\n", error.what());
        return kExitError;
    }
}
