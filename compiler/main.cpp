// The command line.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <system_error>

#include "compiler/commands/commands.h"

namespace {

constexpr int kExitError = 1;
constexpr int kExitUsage = 2;

/// Else the next file opened would be what a closed one of them was: a library could become stdout.
/// They stay useless: opened to be read, they cannot be written.
void fill_standard_files() {
    for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (fcntl(file, F_GETFD) < 0) open("/dev/null", O_RDONLY);
    }
}

sepconv::Status finish_stdout() {
    std::cout.flush();
    // Either what did not fit into the buffer has failed, or the rest does.
    const bool failed = std::ferror(stdout) != 0 || std::cout.bad();
    if (std::fflush(stdout) == 0 && !failed) return sepconv::Status();
    return sepconv::Status(sepconv::StatusCode::kIo,
                           std::string("cannot write to stdout: ") + strerror(errno));
}

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
        if (app.exit(error) != 0) return kExitUsage;
    } catch (const std::system_error &error) {
        status = sepconv::Status(sepconv::StatusCode::kIo, error.what());
    } catch (const std::exception &error) {
        status = sepconv::Status(sepconv::StatusCode::kInternal, error.what());
    }
    if (status.ok()) status = finish_stdout();
    if (status.ok()) return 0;
    const bool defect = status.code() == sepconv::StatusCode::kInternal;
    std::fprintf(stderr, "error: %s%s\n", defect ? "internal: " : "", status.message().c_str());
    return kExitError;
}

}  // namespace

int main(int argc, char **argv) {
    fill_standard_files();
    signal(SIGXFSZ, SIG_IGN);  // A limit of file sizes is an error like a full disk.
    try {
        return run(argc, argv);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "error: internal: %s\n", error.what());
        return kExitError;
    }
}
