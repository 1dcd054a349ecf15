#ifndef SEPCONV_COMPILER_TOOLCHAIN_H_
#define SEPCONV_COMPILER_TOOLCHAIN_H_

#include <string>
#include <vector>

#include "layer/status.h"

namespace sepconv {

/// The programs that turn sources and objects into a library: a C compiler, and ld, objcopy, nm and
/// ar of binutils. All run in one folder with relative names, so that no path gets into the output.
class Toolchain {
public:
    Toolchain(std::string cc, std::string folder)
        : cc_(std::move(cc)), folder_(std::move(folder)) {}

    /// C or assembler to an object.
    Status compile(const std::string &source, const std::string &object,
                   const std::vector<std::string> &flags) const;

    /// `objects` as one object in which only `keep` is global and the kernels' needs have the names
    /// of sepconv/plan.h. An undefined name that the runtime, libc or libm lacks is an error.
    Status combine(const std::vector<std::string> &objects, const std::string &keep,
                   const std::string &output) const;

    Status archive(const std::vector<std::string> &objects, const std::string &output) const;

    /// A shared library whose only exported names match `exports` (patterns of a version script).
    Status link_shared(const std::vector<std::string> &objects,
                       const std::vector<std::string> &exports, const std::string &output) const;

private:
    Status run(const std::vector<std::string> &command) const;
    Status check_undefined(const std::string &object) const;

    std::string cc_;
    std::string folder_;
};

/// Where the runtime's sources are: behind this program where it is installed, else in the tree
/// that it was built from.
struct RuntimeSources {
    std::string sources;  ///< Folder of *.c.
    std::string include;  ///< Folder of sepconv/*.h.
};
Result<RuntimeSources> find_runtime();

/// The runtime's objects in the cache, compiled by `cc` if they are not there yet; sorted paths.
Result<std::vector<std::string>> runtime_objects(const RuntimeSources &runtime,
                                                 const std::string &cc, const std::string &cache);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TOOLCHAIN_H_
