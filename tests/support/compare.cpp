#include "tests/support/compare.h"

#include <cmath>
#include <cstring>

#include "tests/support/guarded_buffer.h"

namespace sepconv::testing {
namespace {

bool is_poison(float value) {
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return bits == GuardedBuffer::kPoison;
}

bool is_right(const reference::OutputElement &expected, float actual) {
    if (!expected.written) {
        return is_poison(actual);
    }
    // Half a unit in the last place, for the expected value itself is rounded to a float.
    const double allowed =
        expected.bounded.error + reference::kRounding * std::abs(expected.bounded.value);
    return std::abs(actual - expected.bounded.value) <= allowed;
}

}  // namespace

::testing::AssertionResult matches(const Kernel &kernel,
                                   const std::vector<reference::OutputElement> &expected,
                                   const float *actual) {
    size_t wrong = 0;
    size_t first = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
        if (!is_right(expected[i], actual[i])) {
            first = wrong == 0 ? i : first;
            ++wrong;
        }
    }
    if (wrong == 0) {
        return ::testing::AssertionSuccess();
    }
    auto failure = ::testing::AssertionFailure();
    failure << wrong << " of " << expected.size() << " elements differ, the first at "
            << reference::locate(kernel, static_cast<int64_t>(first)) << ": ";
    if (!expected[first].written) {
        return failure << "expected it untouched, got " << actual[first];
    }
    return failure << "expected " << expected[first].bounded.value << " +- "
                   << expected[first].bounded.error << ", got " << actual[first]
                   << (is_poison(actual[first]) ? " (never written)" : "");
}

}  // namespace sepconv::testing
