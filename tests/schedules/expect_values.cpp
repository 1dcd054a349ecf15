#include "tests/schedules/expect_values.h"

#include <gtest/gtest.h>

#include <exception>

#include "layer/shape.h"
#include "tests/schedules/jit_kernel.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace sepconv::testing {
namespace {

std::string describe(const RunSetup &setup) {
    return std::string(setup.flush == Flush::kBack ? "flush at the back" : "flush at the front") +
           ", shift " + std::to_string(setup.shift) + ", threads: " + std::to_string(setup.threads);
}

}  // namespace

void expect_values(const KernelCase &test, const Isa &isa, const Tuning &tuning) {
    SCOPED_TRACE(Random::trace());
    const Status valid = validate(test.kernel);
    ASSERT_TRUE(valid.ok()) << valid.message();
    const std::vector<ArgumentData> data = make_data(test);
    const auto expected = reference::compute(test.kernel, as_doubles(data));
    try {
        JitKernel kernel(test.kernel, isa, tuning);
        std::vector<uint32_t> first;
        for (const RunSetup &setup : kRunSetups) {
            if (kernel.is_for_device() && (setup.shift > 0 || setup.threads > 1)) continue;
            SCOPED_TRACE(describe(setup));
            const auto output = kernel.run(data, setup);
            EXPECT_TRUE(output->slack_is_untouched()) << "written outside the output";
            const std::vector<uint32_t> bits(output->bits(), output->bits() + expected.size());
            if (first.empty()) {
                first = bits;
                EXPECT_TRUE(matches(test.kernel, expected, output->floats()));
            }
            EXPECT_TRUE(bits == first) << "other bits than in the first run";
        }
    } catch (const Halide::Error &error) {  // Not a std::exception.
        FAIL() << error.what();
    } catch (const std::exception &error) {
        FAIL() << error.what();
    }
}

}  // namespace sepconv::testing
