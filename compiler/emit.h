#ifndef SEPCONV_COMPILER_EMIT_H_
#define SEPCONV_COMPILER_EMIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/kernel_builder.h"
#include "compiler/plan.h"
#include "compiler/tools.h"
#include "layer/status.h"

namespace sepconv {

/// What the target's C compiler still has to do.
enum class Form {
    kLibrary,  ///< Nothing: libNAME.a.
    kSources,  ///< Plan, weights and runtime are C; the kernels are an object, or an archive.
};

struct EmitOptions {
    std::string name;    ///< A C identifier: prefix of files and functions.
    std::string folder;  ///< Made if missing.
    Tools tools;
    Form form = Form::kLibrary;
    std::string cache;    ///< See cache_folder().
    bool shared = false;  ///< Also libNAME.so; ELF, with the library.
    std::string source;   ///< What the report calls the model: its file name.
};

/// What was written, as absolute paths.
struct Emitted {
    std::string archive;  ///< Of sources, what holds the kernels.
    std::string shared;   ///< Empty without EmitOptions::shared.
    std::string header;
    int64_t archive_bytes = 0;
    std::string finish;  ///< Of sources: the commands that make the library of them.
};

/// Writes libNAME.a, NAME.h, NAME.c (the plan, to read), NAME.json, NAME.html, sepconv/sepconv.h
/// and sepconv/sepconv.hpp into the folder; all of them or, after an error, none. As sources,
/// instead of the archive: NAME_kernels.o (ELF) or libNAME_kernels.a, NAME_weights.c and .bin,
/// runtime/ and the rest of sepconv/.
Result<Emitted> emit_library(const Plan &plan, const std::vector<Variant> &variants,
                             const EmitOptions &options);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_EMIT_H_
