#ifndef SEPCONV_BENCH_LIBRARY_H_
#define SEPCONV_BENCH_LIBRARY_H_

#include <memory>
#include <string>

#include "bench/shapes.h"
#include "bench/values.h"
#include "layer/status.h"
#include "sepconv/sepconv.h"

namespace sepconv::bench {

/// Compiles the block with the tool's command `layer` into `folder`, for one ISA, channels last at
/// both ends. Returns the path of the shared library.
Result<std::string> compile(const std::string &tool, const BlockShape &shape, const Values &values,
                            const std::string &isa, const std::string &folder);

/// A compiled block in this process, driven by its own C functions.
class Library {
public:
    /// An error if the library does not run `isa`.
    static Result<std::unique_ptr<Library>> open(const std::string &path, const std::string &name,
                                                 const std::string &isa);
    Library(const Library &) = delete;
    Library &operator=(const Library &) = delete;
    ~Library();

    /// Whether the run went well.
    bool run(const float *input, float *output) const {
        const void *const inputs[] = {input};
        void *const outputs[] = {output};
        return run_(context_, inputs, outputs) == SEPCONV_OK;
    }

private:
    Library() = default;
    Status load(const std::string &path, const std::string &name, const std::string &isa);

    void *handle_ = nullptr;
    sepconv_context_t *context_ = nullptr;
    decltype(&sepconv_run) run_ = nullptr;
    decltype(&sepconv_context_destroy) destroy_ = nullptr;
};

}  // namespace sepconv::bench

#endif  // SEPCONV_BENCH_LIBRARY_H_
