#ifndef SEPCONV_TESTS_SUPPORT_COMPARE_H_
#define SEPCONV_TESTS_SUPPORT_COMPARE_H_

#include <gtest/gtest.h>

#include <vector>

#include "layer/layer.h"
#include "tests/reference/reference.h"

namespace sepconv::testing {

/// Whether every written element of `actual` lies within the error of its expected value (NaN never
/// does) and every other one is still GuardedBuffer::kPoison. Names the first difference.
::testing::AssertionResult matches(const Kernel &kernel,
                                   const std::vector<reference::OutputElement> &expected,
                                   const float *actual);

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_COMPARE_H_
