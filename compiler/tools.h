#ifndef SEPCONV_COMPILER_TOOLS_H_
#define SEPCONV_COMPILER_TOOLS_H_

#include <string>
#include <vector>

#include "compiler/targets.h"
#include "layer/status.h"

namespace sepconv {

/// The programs that turn sources and objects into a library for one platform.
struct Tools {
    Platform platform;
    std::string cc;                     ///< Empty: nothing is compiled here.
    std::vector<std::string> cc_flags;  ///< In front of the flags of every compile and link.
    std::string version;                ///< What the compiler says of itself.
    std::string ld, objcopy, nm, ar;
};

/// Finds them: `cc`, or else the platform's; the others are asked of the compiler, so that a cross
/// compiler brings its own, or are LLVM's. Sources (`compiles` false) need no compiler.
/// `folder` must be writable.
Result<Tools> find_tools(const Platform &platform, const std::string &cc,
                         const std::vector<std::string> &cc_flags, bool compiles,
                         const std::string &folder);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TOOLS_H_
