// A plugin of Halide's that goes wrong as the variable SEPCONV_TEST_FAULT says, in place of
// Adams2019: throws, aborts, crashes, hangs, leaves a buffer, or else leaves the default schedule.

#include <Halide.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace {

using namespace Halide;

void schedule(const Pipeline &pipeline, const Target &, const AutoschedulerParams &,
              AutoSchedulerResults *) {
    const char *variable = std::getenv("SEPCONV_TEST_FAULT");
    const std::string fault = variable == nullptr ? "" : variable;
    if (fault == "throw") _halide_user_error << "out of legal states\n";
    if (fault == "throw_int") throw 1;
    if (fault == "abort") std::abort();
    if (fault == "crash") raise(SIGSEGV);
    while (fault == "hang") pause();
    if (fault == "outside") {
        Func output = pipeline.outputs()[0];
        output.vectorize(output.args()[0], 64, TailStrategy::RoundUp);
    }
}

const bool registered = [] {
    Pipeline::add_autoscheduler("Adams2019", schedule);
    return true;
}();

}  // namespace
