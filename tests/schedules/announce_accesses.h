#ifndef SEPCONV_TESTS_SCHEDULES_ANNOUNCE_ACCESSES_H_
#define SEPCONV_TESTS_SCHEDULES_ANNOUNCE_ACCESSES_H_

#include <Halide.h>

namespace sepconv::testing {

/// Makes a kernel call, before each load and store of memory that several tasks of a parallel loop
/// may see,
///     int32_t sepconv_test_reads(void *user_context, const void *buffer, const char *name,
///                                int32_t offset, int32_t bytes);
/// or sepconv_test_writes: `name` is the Func's, `offset` in bytes, `bytes` 0 for a lane that is
/// masked out. They are the lowered program's, whatever instructions become of them.
void announce_accesses(Halide::Pipeline *pipeline);

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SCHEDULES_ANNOUNCE_ACCESSES_H_
