#ifndef SEPCONV_TESTS_SCHEDULES_MACHINE_H_
#define SEPCONV_TESTS_SCHEDULES_MACHINE_H_

#include <string>
#include <vector>

#include "layer/status.h"
#include "tests/schedules/kernel_files.h"
#include "tests/support/kernel_data.h"

namespace sepconv::testing {

/// What object files are compiled for, and what runs them: this CPU or an emulator.
struct Machine {
    std::string name;      ///< "avx2", "neon".
    std::string target;    ///< Halide's, without the features of every shipped kernel.
    std::string missing;   ///< Why nothing can run here; empty if it can.
    std::string compiler;  ///< Links for it, with its options.
    std::string emulator;  ///< In front of a program; on this CPU empty or setarch.
    std::string runner;    ///< kernel_runner.cpp, compiled for it.
};

/// The x86 ISAs on this CPU.
std::vector<Machine> native_machines();
/// The same, with the kernel and its runner under AddressSanitizer: what they touch outside of
/// their buffers, scratch and stack ends the program with a report.
std::vector<Machine> address_sanitizer_machines();
/// NEON on qemu-aarch64.
Machine neon_machine();

/// The target with what every shipped kernel has: no assertions, no queries, no runtime.
std::string shipped_target(const Machine &machine);

/// A folder of this process, removed with its content.
class ScratchFolder {
public:
    ScratchFolder();
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder &) = delete;
    ScratchFolder &operator=(const ScratchFolder &) = delete;
    std::string operator/(const std::string &name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

struct Run {
    RunHeader header;
    std::vector<float> output;
};

/// Runs the object's function `kernel` on `data`, its output of `output_elements` behind them, in
/// the first kFewRunSetups. An access outside the buffers or the scratch is an error.
Result<std::vector<Run>> run_object(const Machine &machine, const std::string &object,
                                    const std::vector<ArgumentData> &data, size_t output_elements,
                                    const ScratchFolder &folder);

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SCHEDULES_MACHINE_H_
