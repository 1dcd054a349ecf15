#ifndef SEPCONV_COMPILER_SOURCE_H_
#define SEPCONV_COMPILER_SOURCE_H_

#include <string>
#include <string_view>
#include <vector>

#include "compiler/kernel_builder.h"
#include "compiler/plan.h"
#include "compiler/plan_memory.h"

namespace sepconv {

/// The texts of a library: NAME is a C identifier (see identifier_of).

/// NAME.c: the plan as constant tables, a call of a kernel a line.
std::string plan_source(const Plan &plan, const MemoryPlan &memory,
                        const std::vector<Variant> &variants, const std::string &name);

/// What the plan calls a kernel: a name of the model's own, so that two libraries do not clash.
std::string kernel_name(const std::string &name, const KernelObject &kernel);

/// NAME_weights.c: `file`, in a folder of the compiler's -I, as the array NAME_weights.
std::string weights_source(const std::string &name, const std::string &file);

/// NAME.h: sizes as macros, NAME_model(), how to use it.
std::string header_source(const Plan &plan, const MemoryPlan &memory,
                          const std::vector<Variant> &variants, const std::string &name);

/// Bytes of an arena for one thread: NAME_ARENA_BYTES.
int64_t serial_arena_bytes(const MemoryPlan &memory);

/// Greatest scratch of any variant: NAME_WORKER_BYTES.
int64_t worker_bytes(const std::vector<Variant> &variants);

/// Any text as a C identifier: other characters become '_'.
std::string identifier_of(std::string_view text);

/// A C string literal of any bytes but NUL.
std::string c_string(std::string_view text);

/// Text that may stand inside a C comment, on one line.
std::string c_comment(std::string_view text);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_SOURCE_H_
