#ifndef SEPCONV_COMPILER_COMMANDS_LOADED_LIBRARY_H_
#define SEPCONV_COMPILER_COMMANDS_LOADED_LIBRARY_H_

#include <memory>
#include <string>

#include "layer/status.h"
#include "sepconv/sepconv.h"

namespace sepconv {

/// A compiled libNAME.so in this process, and one context once it is started.
class LoadedLibrary {
public:
    static Result<std::unique_ptr<LoadedLibrary>> open(const std::string &path,
                                                       const std::string &name);
    LoadedLibrary(const LoadedLibrary &) = delete;
    LoadedLibrary &operator=(const LoadedLibrary &) = delete;
    ~LoadedLibrary();

    size_t arena_bytes(int threads) const;
    /// Creates the context; once.
    Status start(const sepconv_options_t &options);
    Status run(const void *const *inputs, void *const *outputs) const;
    std::string isa() const;
    double block_microseconds(int index) const;  ///< Of the last run, with profile.

private:
    LoadedLibrary() = default;
    Status load(const std::string &path, const std::string &name);
    Status status_of(const std::string &what, sepconv_status_t status) const;

    void *handle_ = nullptr;
    sepconv_context_t *context_ = nullptr;
    const sepconv_model_t *(*model_)() = nullptr;
    // The library's own functions, not those that this program is linked with.
    decltype(&sepconv_model_arena_bytes) arena_bytes_ = nullptr;
    decltype(&sepconv_context_create) create_ = nullptr;
    decltype(&sepconv_context_destroy) destroy_ = nullptr;
    decltype(&sepconv_run) run_ = nullptr;
    decltype(&sepconv_context_isa) isa_ = nullptr;
    decltype(&sepconv_context_block_nanoseconds) nanoseconds_ = nullptr;
    decltype(&sepconv_status_message) message_ = nullptr;
};

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_COMMANDS_LOADED_LIBRARY_H_
