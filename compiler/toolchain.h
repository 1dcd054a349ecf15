#ifndef SEPCONV_COMPILER_TOOLCHAIN_H_
#define SEPCONV_COMPILER_TOOLCHAIN_H_

#include <string>
#include <vector>

#include "compiler/tools.h"
#include "layer/status.h"

namespace sepconv {

/// One name of an object as another.
struct Rename {
    std::string from, to;
};

/// The tools at work: all run in one folder with relative names, so that no path gets into the
/// output.
class Toolchain {
public:
    Toolchain(Tools tools, std::string folder)
        : tools_(std::move(tools)), folder_(std::move(folder)) {}

    /// C to an object.
    Status compile(const std::string &source, const std::string &object,
                   const std::vector<std::string> &flags) const;

    /// ELF: `objects` as one object in which only `keep` is global and which has the new names.
    Status combine(const std::vector<std::string> &objects, const std::vector<Rename> &renames,
                   const std::vector<std::string> &keep, const std::string &output) const;

    /// Other formats have no way to combine objects: the same names in an archive of kernels.
    Status collect(const std::vector<std::string> &objects, const std::vector<Rename> &renames,
                   const std::string &output) const;

    /// That kernels, combined or collected, need nothing but what the runtime, libc and libm have.
    /// (What a plan needs depends on the flags of its C compiler: instrumentation, for example.)
    Status check_kernels(const std::string &object) const;

    /// Adds objects to an archive, or makes it.
    Status archive(const std::vector<std::string> &objects, const std::string &output) const;

    /// A shared library whose only exported names match `exports` (patterns of a version script).
    Status link_shared(const std::vector<std::string> &objects,
                       const std::vector<std::string> &exports, const std::string &output) const;

private:
    Status run(const std::vector<std::string> &command) const;
    /// Writes renames.txt, with what the kernels need.
    Status write_renames(const std::vector<Rename> &renames) const;

    Tools tools_;
    std::string folder_;
};

/// Where the runtime's sources are: behind this program where it is installed, else in the tree
/// that it was built from.
struct RuntimeSources {
    std::string sources;  ///< Folder of *.c.
    std::string include;  ///< Folder of sepconv/*.h.

    /// *.c and *.h of `sources`, with what is for devices alone or without; sorted names.
    std::vector<std::string> files(bool for_devices) const;
    std::vector<std::string> headers() const;  ///< Of sepconv/, sorted names.
};
Result<RuntimeSources> find_runtime();

/// Whether a file of the runtime opens a device's driver: only libraries with a variant for a
/// device link it, and only systems with dlopen compile it.
bool is_for_devices(const std::string &path);

/// The runtime's objects in the cache, compiled if they are not there yet; sorted paths.
Result<std::vector<std::string>> runtime_objects(const RuntimeSources &runtime, const Tools &tools,
                                                 const std::string &cache);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TOOLCHAIN_H_
