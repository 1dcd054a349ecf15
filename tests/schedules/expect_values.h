#ifndef SEPCONV_TESTS_SCHEDULES_EXPECT_VALUES_H_
#define SEPCONV_TESTS_SCHEDULES_EXPECT_VALUES_H_

#include "schedules/tuning.h"
#include "tests/support/isa.h"
#include "tests/support/kernel_data.h"

namespace sepconv::testing {

/// Expects a kernel compiled for this process to agree with the reference, and to write nothing
/// but its output, with its buffers flush against either end of their pages.
void expect_values(const KernelCase &test, const Isa &isa, const Tuning &tuning);

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SCHEDULES_EXPECT_VALUES_H_
