#include "tests/schedules/expect_values.h"

#include <gtest/gtest.h>

#include <exception>

#include "layer/shape.h"
#include "tests/schedules/jit_kernel.h"
#include "tests/support/compare.h"
#include "tests/support/random.h"

namespace sepconv::testing {

void expect_values(const KernelCase &test, const Isa &isa, const Tuning &tuning) {
    SCOPED_TRACE(Random::trace());
    const Status valid = validate(test.kernel);
    ASSERT_TRUE(valid.ok()) << valid.message();
    const std::vector<ArgumentData> data = make_data(test);
    const auto expected = reference::compute(test.kernel, as_doubles(data));
    try {
        JitKernel kernel(test.kernel, isa, tuning);
        for (const Flush flush : {Flush::kBack, Flush::kFront}) {
            const auto output = kernel.run(data, flush);
            EXPECT_TRUE(matches(test.kernel, expected, output->floats()));
            EXPECT_TRUE(output->slack_is_untouched()) << "written outside the output";
        }
    } catch (const Halide::Error &error) {  // Not a std::exception.
        FAIL() << error.what();
    } catch (const std::exception &error) {
        FAIL() << error.what();
    }
}

}  // namespace sepconv::testing
