#ifndef SEPCONV_TESTS_SCHEDULES_KERNEL_FILES_H_
#define SEPCONV_TESTS_SCHEDULES_KERNEL_FILES_H_

#include <cstdint>

// What a test and the kernel_runner of another machine tell each other. All words are of 32 bits,
// little-endian.
//
// ARGUMENTS: the number of inputs; for each the number of its words, then they; the number of the
// output's words.
// RESULT: for each of the first kFewRunSetups, a RunHeader and the output's words.

namespace sepconv::testing {

struct RunHeader {
    int32_t returned = -1;           ///< By the kernel.
    int32_t slack_is_untouched = 0;  ///< As a bool: nothing was written around the output.
    int32_t scratch_is_intact = 0;   ///< As a bool: nor around the scratch.
    int32_t most_threads = 0;        ///< Of a parallel loop; 0 where there is none.
    uint64_t live_bytes = 0;         ///< Of scratch not freed.
    uint64_t most_bytes = 0;         ///< Of scratch at one time.
    int32_t conflicts = 0;           ///< Between tasks, of a kernel that announces its accesses.
    int32_t announced = 0;           ///< Accesses that such a kernel's tasks announced.
};
static_assert(sizeof(RunHeader) == 40, "the same on every machine");

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SCHEDULES_KERNEL_FILES_H_
