#include "bench/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>
#include <type_traits>
#include <utility>
#include <vector>

#include "bench/machine.h"

namespace sepconv::bench {
namespace {

/// The command that makes the shape.
std::vector<std::string> layer_arguments(const BlockShape &shape) {
    std::vector<std::string> arguments = {
        "layer",
        shape.op,
        fmt::format("--input={}x{}x{}", shape.height, shape.width, shape.in_channels),
        fmt::format("--out-channels={}", shape.out_channels),
        fmt::format("--kernel={}", shape.kernel),
        "--padding=same_upper",
    };
    if (shape.op != "ghost") arguments.push_back(fmt::format("--stride={}", shape.stride));
    if (shape.residual) arguments.emplace_back("--residual");
    for (const auto &[option, number] :
         {std::pair("--expand", shape.expanded), {"--squeeze", shape.squeeze}}) {
        if (number != 0) arguments.push_back(fmt::format("{}={}", option, number));
    }
    for (const auto &[option, name] : {std::pair("--expand-activation", &shape.expand_activation),
                                       {"--depthwise-activation", &shape.depthwise_activation},
                                       {"--activation", &shape.activation}}) {
        if (*name != "none") arguments.push_back(fmt::format("{}={}", option, *name));
    }
    return arguments;
}

}  // namespace

Result<std::string> compile(const std::string &tool, const BlockShape &shape, const Values &values,
                            const std::string &isa, const std::string &folder) {
    std::vector<std::string> arguments = layer_arguments(shape);
    for (const std::string &argument :
         {std::string("--layout=nhwc"), "--isa=" + isa, std::string("--shared"),
          "--output=" + folder, "--name=" + shape.name, std::string("--quiet")}) {
        arguments.push_back(argument);
    }
    std::error_code error;
    std::filesystem::create_directories(folder, error);  // Writing the first file tells of errors.
    for (const Parameter &parameter : values.parameters) {
        const std::string path =
            fmt::format("{}/{}_{}{}.npy", folder, shape.name, parameter.stage, parameter.option);
        SEPCONV_RETURN_IF_ERROR(write_npy(path, parameter));
        const std::string stage = parameter.stage.empty() ? "" : parameter.stage + "=";
        arguments.push_back(parameter.option + "=" + stage + path);
    }
    SEPCONV_RETURN_IF_ERROR(run_program(tool, arguments));
    return fmt::format("{}/lib{}.so", folder, shape.name);
}

Result<std::unique_ptr<Library>> Library::open(const std::string &path, const std::string &name,
                                               const std::string &isa) {
    std::unique_ptr<Library> library(new Library);
    SEPCONV_RETURN_IF_ERROR(library->load(path, name, isa));
    return library;
}

Library::~Library() {
    if (context_ != nullptr) destroy_(context_);
    if (handle_ != nullptr) dlclose(handle_);
}

Status Library::load(const std::string &path, const std::string &name, const std::string &isa) {
    const auto failure = [&](const std::string &reason) {
        return Status(StatusCode::kInternal, fmt::format("'{}': {}", path, reason));
    };
    handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) return failure(dlerror());
    bool found = true;
    const auto get = [&](const std::string &symbol, auto *function) {
        void *address = dlsym(handle_, symbol.c_str());
        *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(address);
        found = found && address != nullptr;
    };
    const sepconv_model_t *(*model)() = nullptr;
    decltype(&sepconv_context_create) create = nullptr;
    decltype(&sepconv_context_isa) isa_of = nullptr;
    decltype(&sepconv_status_message) message = nullptr;
    get(name + "_model", &model);
    get("sepconv_context_create", &create);
    get("sepconv_context_isa", &isa_of);
    get("sepconv_status_message", &message);
    get("sepconv_context_destroy", &destroy_);
    get("sepconv_run", &run_);
    if (!found) return failure("lacks a function of sepconv.h");
    const sepconv_status_t status = create(model(), nullptr, &context_);
    if (status != SEPCONV_OK) return failure(message(status));
    if (isa_of(context_) != isa) {
        return failure(fmt::format("expected the variant {}, got {}", isa, isa_of(context_)));
    }
    return Status();
}

}  // namespace sepconv::bench
