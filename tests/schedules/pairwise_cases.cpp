#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "layer/shape.h"
#include "tests/schedules/kernel_cases.h"

namespace sepconv::testing {
namespace {

/// A row of the table by column name.
using Row = std::map<std::string, std::string>;

std::vector<std::string> split(const std::string &line, char separator) {
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, separator);) {
        fields.push_back(field);
    }
    return fields;
}

std::vector<Row> read_table(const std::string &path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    const std::vector<std::string> names = split(line, ',');
    std::vector<Row> rows;
    while (std::getline(file, line)) {
        const std::vector<std::string> fields = split(line, ',');
        Row row;
        for (size_t i = 0; i < names.size(); ++i) {
            row[names[i]] = fields.at(i);
        }
        rows.push_back(row);
    }
    return rows;
}

int number(const Row &row, const std::string &name) {
    return std::stoi(row.at(name));
}

Window window_of(const Row &row, int height, int width) {
    static const std::map<std::string, PaddingMode> modes{
        {"same_upper", PaddingMode::kSameUpper}, {"same_lower", PaddingMode::kSameLower},
        {"valid", PaddingMode::kValid},          {"half", PaddingMode::kHalf},
        {"explicit", PaddingMode::kExplicit},
    };
    Window window;
    window.kernel_h = number(row, "kernel_h");
    window.kernel_w = number(row, "kernel_w");
    window.stride_h = window.stride_w = number(row, "stride");
    window.dilation_h = window.dilation_w = number(row, "dilation");
    // EXPLICIT of make_pairwise.py.
    window.pad_top = 1;
    window.pad_left = 2;
    window.pad_bottom = 0;
    window.pad_right = 1;
    return with_padding(window, modes.at(row.at("padding")), height, width);
}

Epilogue epilogue_of(const std::string &name) {
    static const std::map<std::string, Epilogue> epilogues{
        {"none", {}},
        {"relu", {unary_step(Op::kRelu)}},
        {"clip", {unary_step(Op::kClip, -0.5F, 1.0F)}},
        {"hard_swish", {unary_step(Op::kHardSwish)}},
        {"leaky_relu", {unary_step(Op::kLeakyRelu, 0.1F)}},
        {"affine",
         {binary_step(Op::kMultiply, Operand::kChannel), binary_step(Op::kAdd, Operand::kChannel),
          unary_step(Op::kRelu)}},
        {"residual", {binary_step(Op::kAdd, Operand::kTensor), unary_step(Op::kRelu)}},
    };
    return epilogues.at(name);
}

EdgeLayout layout_of(const std::string &name) {
    static const std::map<std::string, EdgeLayout> layouts{
        {"exact", EdgeLayout::kExact},
        {"padded", EdgeLayout::kPadded},
        {"planar_input", EdgeLayout::kPlanarInput},
        {"planar_output", EdgeLayout::kPlanarOutput},
        {"sliced", EdgeLayout::kSliced},
    };
    return layouts.at(name);
}

Block block_of(const Row &row) {
    const std::vector<std::string> size = split(row.at("size"), 'x');
    const int height = std::stoi(size.at(0));
    const int width = std::stoi(size.at(1));
    const int channels = number(row, "channels");
    const std::string &kind = row.at("operator");
    const EdgeLayout layout = layout_of(row.at("layout"));
    const Window window = window_of(row, height, width);
    const Epilogue last = epilogue_of(row.at("epilogue"));
    // A depthwise in front of a project has no tensor operands.
    const Epilogue inner =
        epilogue_of(row.at("epilogue") == "residual" ? "relu" : row.at("epilogue"));
    Block block;
    block.input = input_image(layout, channels, width, height);
    int out_channels = channels;
    if (kind == "depthwise" || kind == "separable") {
        out_channels *= number(row, "multiplier");
        block.depthwise = Depthwise{channels, number(row, "multiplier"), window,
                                    kind == "separable" ? inner : last};
    }
    if (kind != "depthwise") {
        const int in_channels = out_channels;
        out_channels = number(row, "out_channels");
        block.project =
            Convolution{in_channels, out_channels, kind == "convolution" ? window : Window{}, last};
    }
    const auto extent = [](int in, int kernel, int stride, int dilation, int before, int after) {
        return static_cast<int>(output_extent(in, kernel, stride, dilation, before, after));
    };
    block.output = output_image(layout, out_channels,
                                extent(width, window.kernel_w, window.stride_w, window.dilation_w,
                                       window.pad_left, window.pad_right),
                                extent(height, window.kernel_h, window.stride_h, window.dilation_h,
                                       window.pad_top, window.pad_bottom));
    if (row.at("epilogue") == "residual") {
        block.operands.push_back(block.output);
    }
    return block;
}

std::string name_of_row(size_t index, const Row &row) {
    std::string number_text = std::to_string(index);
    number_text.insert(0, 3 - std::min<size_t>(3, number_text.size()), '0');
    return "pair" + number_text + "_" + row.at("operator") + "_" + row.at("size") + "x" +
           row.at("channels") + "_to" + row.at("out_channels") + "_m" + row.at("multiplier") +
           "_k" + row.at("kernel_h") + "x" + row.at("kernel_w") + "_s" + row.at("stride") + "_d" +
           row.at("dilation") + "_" + row.at("padding") + "_" + row.at("epilogue") + "_" +
           row.at("layout");
}

}  // namespace

std::vector<KernelCase> pairwise_cases() {
    std::vector<KernelCase> cases;
    for (const Row &row : read_table(SEPCONV_TEST_DATA_DIR "/pairwise.csv")) {
        cases.push_back({name_of_row(cases.size(), row), block_of(row), {}, {}});
    }
    return cases;
}

}  // namespace sepconv::testing
