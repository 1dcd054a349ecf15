#include "bench/shapes.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <map>

#include "layer/shape.h"

namespace sepconv::bench {
namespace {

using Row = std::map<std::string, std::string>;

Status invalid(const std::string &text) {
    return Status(StatusCode::kInvalidArgument, text);
}

std::vector<std::string> split(const std::string &line) {
    std::vector<std::string> fields{""};
    for (const char c : line) {
        if (c == ',') {
            fields.emplace_back();
        } else if (c != '\r') {
            fields.back() += c;
        }
    }
    return fields;
}

Status take(const Row &row, const std::string &column, std::string *value) {
    const auto found = row.find(column);
    if (found == row.end()) return invalid(fmt::format("expected a column '{}'", column));
    *value = found->second;
    return Status();
}

Status take(const Row &row, const std::string &column, int *value) {
    std::string text;
    SEPCONV_RETURN_IF_ERROR(take(row, column, &text));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
    if (error != std::errc() || end != text.data() + text.size() || *value < 1) {
        return invalid(fmt::format("{}: expected a positive number, got '{}'", column, text));
    }
    return Status();
}

Status parse(const Row &row, BlockShape *shape) {
    for (const auto &[column, text] : {std::pair("name", &shape->name),
                                       {"source", &shape->source},
                                       {"operator", &shape->op},
                                       {"depthwise_activation", &shape->depthwise_activation},
                                       {"activation", &shape->activation}}) {
        SEPCONV_RETURN_IF_ERROR(take(row, column, text));
    }
    for (const auto &[column, number] : {std::pair("height", &shape->height),
                                         {"width", &shape->width},
                                         {"in_channels", &shape->in_channels},
                                         {"out_channels", &shape->out_channels},
                                         {"kernel", &shape->kernel},
                                         {"stride", &shape->stride}}) {
        SEPCONV_RETURN_IF_ERROR(take(row, column, number));
    }
    return block_of(*shape).status();
}

Status append_activation(const std::string &name, Epilogue *epilogue) {
    Elementwise step;
    if (name == "none") return Status();
    if (name == "relu") {
        step.op = Op::kRelu;
    } else if (name == "relu6") {
        step.op = Op::kClip;
        step.beta = 6.0F;
    } else if (name == "hard_swish") {
        step.op = Op::kHardSwish;
    } else {
        return invalid(fmt::format("expected none, relu, relu6 or hard_swish, got '{}'", name));
    }
    epilogue->push_back(step);
    return Status();
}

}  // namespace

Result<std::vector<BlockShape>> read_shapes(const std::string &path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return invalid(fmt::format("'{}': cannot be read", path));
    const std::vector<std::string> columns = split(line);
    std::vector<BlockShape> shapes;
    for (int number = 2; std::getline(file, line); ++number) {
        const std::vector<std::string> fields = split(line);
        Status status;
        BlockShape shape;
        if (fields.size() == columns.size()) {
            Row row;
            for (size_t i = 0; i < fields.size(); ++i) row[columns[i]] = fields[i];
            status = parse(row, &shape);
        } else {
            status =
                invalid(fmt::format("expected {} fields, got {}", columns.size(), fields.size()));
        }
        if (!status.ok()) {
            return Status(status.code(), fmt::format("{}:{}: {}", path, number, status.message()));
        }
        shapes.push_back(shape);
    }
    if (shapes.empty()) return invalid(fmt::format("'{}': holds no shape", path));
    return shapes;
}

Result<Block> block_of(const BlockShape &shape) {
    const bool separable = shape.op == "separable";
    if (!separable && shape.op != "depthwise" && shape.op != "pointwise") {
        return invalid(fmt::format("operator: expected depthwise, pointwise or separable, got '{}'",
                                   shape.op));
    }
    Window window;
    window.kernel_h = window.kernel_w = shape.kernel;
    window.stride_h = window.stride_w = shape.stride;
    window = with_padding(window, PaddingMode::kSameUpper, shape.height, shape.width);
    Block block;
    block.input = dense_image(shape.in_channels, shape.width, shape.height, false);
    const auto rounded_up = [&](int extent) { return (extent + shape.stride - 1) / shape.stride; };
    block.output =
        dense_image(shape.out_channels, rounded_up(shape.width), rounded_up(shape.height), false);
    Epilogue *last = nullptr;
    if (shape.op != "pointwise") {
        block.depthwise = Depthwise{shape.in_channels, 1, window, {}};
        last = &block.depthwise->epilogue;
    }
    if (shape.op != "depthwise") {
        const Window project = separable ? Window() : window;
        block.project = Convolution{shape.in_channels, shape.out_channels, project, {}};
        last = &block.project->epilogue;
    }
    if (separable) {
        SEPCONV_RETURN_IF_ERROR(
            append_activation(shape.depthwise_activation, &block.depthwise->epilogue));
    }
    SEPCONV_RETURN_IF_ERROR(append_activation(shape.activation, last));
    SEPCONV_RETURN_IF_ERROR(validate(block));
    return block;
}

std::string describe(const BlockShape &shape) {
    return fmt::format("{} {}x{}x{} > {} k{} s{}", shape.op, shape.height, shape.width,
                       shape.in_channels, shape.out_channels, shape.kernel, shape.stride);
}

}  // namespace sepconv::bench
