#ifndef SEPCONV_COMPILER_EMIT_H_
#define SEPCONV_COMPILER_EMIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/kernel_builder.h"
#include "compiler/plan.h"
#include "layer/status.h"

namespace sepconv {

struct EmitOptions {
    std::string name;    ///< A C identifier: prefix of files and functions.
    std::string folder;  ///< Made if missing.
    std::string cc = "cc";
    std::string cache;    ///< See cache_folder().
    bool shared = false;  ///< Also libNAME.so.
    std::string source;   ///< What the report calls the model: its file name.
};

/// What was written, as absolute paths.
struct Emitted {
    std::string archive;
    std::string shared;  ///< Empty without EmitOptions::shared.
    std::string header;
    int64_t archive_bytes = 0;
};

/// Writes libNAME.a, NAME.h, NAME.c (the plan, to read), NAME.json, NAME.html, sepconv/sepconv.h
/// and sepconv/sepconv.hpp into the folder; all of them or, after an error, none.
Result<Emitted> emit_library(const Plan &plan, const std::vector<Variant> &variants,
                             const EmitOptions &options);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_EMIT_H_
