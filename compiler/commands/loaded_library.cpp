#include "compiler/commands/loaded_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace sepconv {

Result<std::unique_ptr<LoadedLibrary>> LoadedLibrary::open(const std::string &path,
                                                           const std::string &name) {
    std::unique_ptr<LoadedLibrary> library(new LoadedLibrary);
    SEPCONV_RETURN_IF_ERROR(library->load(path, name));
    return library;
}

LoadedLibrary::~LoadedLibrary() {
    if (context_ != nullptr) destroy_(context_);
    if (handle_ != nullptr) dlclose(handle_);
}

Status LoadedLibrary::load(const std::string &path, const std::string &name) {
    handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) {
        return Status(StatusCode::kInternal, fmt::format("cannot load '{}': {}", path, dlerror()));
    }
    bool found = true;
    const auto get = [&](const std::string &symbol, auto *function) {
        void *address = dlsym(handle_, symbol.c_str());
        *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(address);
        found = found && address != nullptr;
    };
    get(name + "_model", &model_);
    get("sepconv_model_arena_bytes", &arena_bytes_);
    get("sepconv_context_create", &create_);
    get("sepconv_context_destroy", &destroy_);
    get("sepconv_run", &run_);
    get("sepconv_context_isa", &isa_);
    get("sepconv_context_block_nanoseconds", &nanoseconds_);
    get("sepconv_status_message", &message_);
    if (found) return Status();
    return Status(StatusCode::kInternal, fmt::format("'{}' lacks a function of sepconv.h", path));
}

size_t LoadedLibrary::arena_bytes(int threads) const {
    return arena_bytes_(model_(), threads);
}

Status LoadedLibrary::start(const sepconv_options_t &options) {
    return status_of("context", create_(model_(), &options, &context_));
}

Status LoadedLibrary::status_of(const std::string &what, sepconv_status_t status) const {
    if (status == SEPCONV_OK) return Status();
    return Status(StatusCode::kInternal, what + ": " + message_(status));
}

Status LoadedLibrary::run(const void *const *inputs, void *const *outputs) const {
    return status_of("run", run_(context_, inputs, outputs));
}

std::string LoadedLibrary::isa() const {
    return isa_(context_);
}

double LoadedLibrary::block_microseconds(int index) const {
    return static_cast<double>(nanoseconds_(context_, index)) / 1000.0;
}

}  // namespace sepconv
