#include "tests/schedules/machine.h"

#include <Halide.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/guarded_buffer.h"
#include "tests/support/isa.h"
#include "tests/support/run_setup.h"

namespace sepconv::testing {
namespace {

void write_word(std::ofstream &file, uint32_t word) {
    file.write(reinterpret_cast<const char *>(&word), sizeof word);
}

/// The values, and poison in what may be read behind them.
void write_argument(std::ofstream &file, const ArgumentData &data) {
    write_word(file, static_cast<uint32_t>(data.readable_elements));
    const size_t bytes = sizeof(uint32_t);
    file.write(reinterpret_cast<const char *>(data.floats.data()),
               static_cast<std::streamsize>(data.floats.size() * bytes));
    file.write(reinterpret_cast<const char *>(data.ints.data()),
               static_cast<std::streamsize>(data.ints.size() * bytes));
    for (size_t i = data.floats.size() + data.ints.size(); i < data.readable_elements; ++i) {
        write_word(file, GuardedBuffer::kPoison);
    }
}

bool write_arguments(const std::string &path, const std::vector<ArgumentData> &data,
                     size_t output_elements) {
    std::ofstream file(path, std::ios::binary);
    write_word(file, static_cast<uint32_t>(data.size()));
    for (const ArgumentData &argument : data) write_argument(file, argument);
    write_word(file, static_cast<uint32_t>(output_elements));
    file.close();
    return !file.fail();
}

Result<std::vector<Run>> read_result(const std::string &path, size_t output_elements) {
    std::ifstream file(path, std::ios::binary);
    std::vector<Run> runs(kFewRunSetups);
    for (Run &run : runs) {
        run.output.resize(output_elements);
        file.read(reinterpret_cast<char *>(&run.header), sizeof run.header);
        file.read(reinterpret_cast<char *>(run.output.data()),
                  static_cast<std::streamsize>(output_elements * sizeof(float)));
    }
    if (file.fail()) return Status(StatusCode::kInternal, "the runner's result is too short");
    return runs;
}

/// How many runs there are of a runner that did not come to its end.
size_t finished_runs(const std::string &path, size_t output_elements) {
    std::error_code missing;
    const auto bytes = std::filesystem::file_size(path, missing);
    return missing ? 0 : bytes / (sizeof(RunHeader) + output_elements * sizeof(float));
}

Status shell(const std::string &command) {
    const int code = std::system(command.c_str());
    if (code == 0) return Status();
    return {StatusCode::kInternal, command + ": " + std::to_string(code)};
}

}  // namespace

std::vector<Machine> native_machines() {
    const Halide::Target host = Halide::get_host_target();
    const std::string base = Halide::Target(host.os, host.arch, host.bits).to_string();
    std::vector<Machine> machines;
    for (const Isa &isa : all_isas()) {
        machines.push_back({isa.name, base + "-" + isa.features,
                            isa.available() ? "" : "this CPU has no " + isa.name,
                            SEPCONV_TEST_CXX " -static", "", SEPCONV_TEST_RUNNER});
    }
    return machines;
}

std::vector<Machine> address_sanitizer_machines() {
    std::vector<Machine> machines = native_machines();
    for (Machine &machine : machines) {
        machine.target += "-asan";
        machine.compiler = SEPCONV_TEST_CXX " -fsanitize=address";
        machine.emulator = SEPCONV_TEST_SANITIZER_LAUNCHER;
        machine.runner = SEPCONV_TEST_ADDRESS_RUNNER;
    }
    return machines;
}

Machine neon_machine() {
    Machine machine{"neon",
                    "arm-64-linux",
                    "",
                    SEPCONV_TEST_AARCH64_CXX " -static",  // The emulator has no libraries of it.
                    SEPCONV_TEST_QEMU_AARCH64,
                    SEPCONV_TEST_AARCH64_RUNNER};
    const std::string compiler = SEPCONV_TEST_AARCH64_CXX;
    if (compiler.empty()) machine.missing = "no aarch64-linux-gnu-g++ when configured";
    if (machine.emulator.empty()) machine.missing = "no qemu-aarch64 when configured";
    return machine;
}

std::string shipped_target(const Machine &machine) {
    return machine.target + "-no_runtime-user_context-no_asserts-no_bounds_query";
}

ScratchFolder::ScratchFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "sepconv-test-XXXXXX";
    path_ = mkdtemp(pattern.data()) == nullptr ? "" : pattern;
}

ScratchFolder::~ScratchFolder() {
    std::filesystem::remove_all(path_);
}

Result<std::vector<Run>> run_object(const Machine &machine, const std::string &object,
                                    const std::vector<ArgumentData> &data, size_t output_elements,
                                    const ScratchFolder &folder) {
    const std::string program = folder / "program", arguments = folder / "arguments";
    const std::string result = folder / "result";
    if (!write_arguments(arguments, data, output_elements)) {
        return Status(StatusCode::kInternal, arguments + ": cannot be written");
    }
    const Status linked = shell(machine.compiler + " -pthread -o " + program + " " +
                                machine.runner + " " + object + " -lm");
    if (!linked.ok()) return linked;
    const Status ran = shell(machine.emulator + " " + program + " " + arguments + " " + result);
    if (!ran.ok()) {
        return Status(ran.code(), ran.message() + ", in setup " +
                                      std::to_string(finished_runs(result, output_elements)) +
                                      " of run_setup.h");
    }
    return read_result(result, output_elements);
}

}  // namespace sepconv::testing
