#include "bench/library.h"

#include <fmt/format.h>

#include <filesystem>
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
                            const std::string &isa, const std::vector<std::string> &options,
                            const std::string &folder) {
    std::vector<std::string> arguments = layer_arguments(shape);
    arguments.insert(arguments.end(), options.begin(), options.end());
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

}  // namespace sepconv::bench
