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

/// A column may be missing where its value has a default already.
Status take(const Row &row, const std::string &column, std::string *value) {
    const auto found = row.find(column);
    if (found != row.end()) *value = found->second;
    if (value->empty()) return invalid(fmt::format("expected a column '{}'", column));
    return Status();
}

Status take(const Row &row, const std::string &column, int smallest, int *value) {
    std::string text = *value < smallest ? "" : std::to_string(*value);
    SEPCONV_RETURN_IF_ERROR(take(row, column, &text));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
    if (error != std::errc() || end != text.data() + text.size() || *value < smallest) {
        return invalid(
            fmt::format("{}: expected a number from {} on, got '{}'", column, smallest, text));
    }
    return Status();
}

Status parse(const Row &row, BlockShape *shape) {
    for (const auto &[column, text] : {std::pair("name", &shape->name),
                                       {"source", &shape->source},
                                       {"operator", &shape->op},
                                       {"expand_activation", &shape->expand_activation},
                                       {"depthwise_activation", &shape->depthwise_activation},
                                       {"activation", &shape->activation}}) {
        SEPCONV_RETURN_IF_ERROR(take(row, column, text));
    }
    for (const auto &[column, number] : {std::pair("height", &shape->height),
                                         {"width", &shape->width},
                                         {"in_channels", &shape->in_channels},
                                         {"out_channels", &shape->out_channels},
                                         {"kernel", &shape->kernel},
                                         {"stride", &shape->stride},
                                         {"count", &shape->count}}) {
        SEPCONV_RETURN_IF_ERROR(take(row, column, 1, number));
    }
    int residual = 0;
    for (const auto &[column, number] : {std::pair("expanded", &shape->expanded),
                                         {"squeeze", &shape->squeeze},
                                         {"residual", &residual}}) {
        SEPCONV_RETURN_IF_ERROR(take(row, column, 0, number));
    }
    if (residual > 1) return invalid(fmt::format("residual: expected 0 or 1, got {}", residual));
    shape->residual = residual == 1;
    return block_of(*shape).status();
}

/// The stages that an operator has.
struct Stages {
    bool expand, depthwise, project, cheap;
};

Result<Stages> stages_of_operator(const std::string &op) {
    static const std::map<std::string, Stages> known = {
        {"convolution", {false, false, true, false}},
        {"pointwise", {false, false, true, false}},
        {"depthwise", {false, true, false, false}},
        {"separable", {false, true, true, false}},
        {"ghost", {false, false, true, true}},
        {"inverted_residual", {true, true, true, false}},
    };
    const auto found = known.find(op);
    if (found != known.end()) return found->second;
    std::string names;
    for (const auto &[name, stages] : known) names += (names.empty() ? "" : ", ") + name;
    return invalid(fmt::format("operator: expected one of {}, got '{}'", names, op));
}

Status append_activation(const std::string &column, const std::string &name, Epilogue *epilogue) {
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
        return invalid(
            fmt::format("{}: expected none, relu, relu6 or hard_swish, got '{}'", column, name));
    }
    epilogue->push_back(step);
    return Status();
}

Squeeze squeeze_of(int channels, int squeezed) {
    Elementwise relu, gate;
    gate.op = Op::kHardSigmoid;
    gate.alpha = 1.0F / 6.0F;
    gate.beta = 0.5F;
    return {{channels, squeezed, Window(), {relu}}, {squeezed, channels, Window(), {gate}}};
}

void append_residual(Block *block) {
    Elementwise add;
    add.op = Op::kAdd;
    add.operand = Operand::kTensor;
    Epilogue &last = block->cheap ? block->epilogue : block->project->epilogue;
    last.push_back(add);
    block->operands.push_back(block->input);
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
    const Result<Stages> found = stages_of_operator(shape.op);
    if (!found.ok()) return found.status();
    const Stages &stages = found.value();
    if (stages.expand != (shape.expanded != 0)) {
        return invalid(fmt::format("expanded: only an inverted residual has it, got {} for {}",
                                   shape.expanded, shape.op));
    }
    if (!stages.project && (shape.squeeze != 0 || shape.residual)) {
        return invalid(fmt::format("squeeze, residual: {} has none", shape.op));
    }
    Window window;
    window.kernel_h = window.kernel_w = shape.kernel;
    window.stride_h = window.stride_w = shape.stride;
    window = with_padding(window, PaddingMode::kSameUpper, shape.height, shape.width);
    const auto rounded_up = [&](int extent) { return (extent + shape.stride - 1) / shape.stride; };
    Block block;
    block.input = dense_image(shape.in_channels, shape.width, shape.height, false);
    block.output =
        dense_image(shape.out_channels, rounded_up(shape.width), rounded_up(shape.height), false);
    const int channels = stages.expand ? shape.expanded : shape.in_channels;
    if (stages.expand) {
        block.expand = Convolution{shape.in_channels, channels, Window(), {}};
        SEPCONV_RETURN_IF_ERROR(append_activation("expand_activation", shape.expand_activation,
                                                  &block.expand->epilogue));
    }
    if (stages.depthwise) {
        const bool last = !stages.project;
        block.depthwise = Depthwise{channels, 1, window, {}};
        SEPCONV_RETURN_IF_ERROR(append_activation(
            "depthwise_activation", last ? shape.activation : shape.depthwise_activation,
            &block.depthwise->epilogue));
    }
    if (shape.squeeze != 0) block.squeeze = squeeze_of(channels, shape.squeeze);
    if (stages.project) {
        const bool alone = !stages.depthwise && !stages.cheap;
        const int half = stages.cheap ? 2 : 1;
        block.project =
            Convolution{channels, shape.out_channels / half, alone ? window : Window(), {}};
        SEPCONV_RETURN_IF_ERROR(
            append_activation("activation", shape.activation, &block.project->epilogue));
    }
    if (stages.cheap) {
        block.cheap = Depthwise{shape.out_channels / 2, 1, window, block.project->epilogue};
    }
    if (shape.residual) append_residual(&block);
    SEPCONV_RETURN_IF_ERROR(validate(block));
    return block;
}

std::string describe(const BlockShape &shape) {
    const auto unless_zero = [](const char *format, int number) {
        return number == 0 ? std::string() : fmt::format(fmt::runtime(format), number);
    };
    return fmt::format("{} {}x{}x{}{} > {} k{} s{}{}{}", shape.op, shape.height, shape.width,
                       shape.in_channels, unless_zero(" > {}", shape.expanded), shape.out_channels,
                       shape.kernel, shape.stride, unless_zero(" se{}", shape.squeeze),
                       shape.residual ? " +" : "");
}

}  // namespace sepconv::bench
