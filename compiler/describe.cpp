// describe(): every field of a kernel, so that equal text means equal code.
#include <fmt/format.h>

#include "compiler/plan.h"

namespace sepconv {
namespace {

std::string text_of(const Image &image) {
    return fmt::format("{}x{}x{}@{},{},{}{}", image.height, image.width, image.channels,
                       image.stride_y, image.stride_x, image.stride_c, image.padded ? "p" : "");
}

std::string text_of(const Window &w) {
    return fmt::format("k{}x{} s{}x{} d{}x{} p{},{},{},{}", w.kernel_h, w.kernel_w, w.stride_h,
                       w.stride_w, w.dilation_h, w.dilation_w, w.pad_top, w.pad_left, w.pad_bottom,
                       w.pad_right);
}

std::string text_of(const Epilogue &epilogue) {
    std::string text = "[";
    for (const Elementwise &step : epilogue) {
        constexpr const char *kOperands[] = {"", " scalar", " channel", " tensor"};
        // {:a} is exact.
        text += fmt::format("{}{}{}{} {:a} {:a}", text.size() > 1 ? ", " : "", name_of(step.op),
                            kOperands[static_cast<int>(step.operand)],
                            step.reversed ? " reversed" : "", step.alpha, step.beta);
    }
    return text + "]";
}

std::string text_of(const Convolution &c) {
    return fmt::format("{}>{} {} {}", c.in_channels, c.out_channels, text_of(c.window),
                       text_of(c.epilogue));
}

template<typename Strides>
std::string text_of(const Strides &strides) {
    return fmt::format("{}", fmt::join(strides, ","));
}

std::string text_of(const StageRef &stage) {
    if (stage.convolution != nullptr) return text_of(*stage.convolution);
    if (stage.depthwise == nullptr) return text_of(*stage.epilogue);
    const Depthwise &d = *stage.depthwise;
    return fmt::format("{}*{} {} {}", d.channels, d.multiplier, text_of(d.window),
                       text_of(d.epilogue));
}

std::string text_of_kind(const Block &block) {
    std::string text = "block " + text_of(block.input);
    for (const StageRef &stage : stages_of(block)) {
        text += fmt::format(" {} {}", stage.name, text_of(stage));
    }
    text += " > " + text_of(block.output);
    for (const Image &operand : block.operands) text += " with " + text_of(operand);
    return text;
}

std::string text_of_kind(const Pool &pool) {
    constexpr const char *kKinds[] = {"max", "average", "average_including_pad"};
    return fmt::format("pool {} {} {} {} > {}", kKinds[static_cast<int>(pool.kind)],
                       text_of(pool.input), text_of(pool.window), text_of(pool.epilogue),
                       text_of(pool.output));
}

std::string text_of_kind(const Resize &resize) {
    return fmt::format("resize {} taps {} {} > {}", resize.taps, text_of(resize.input),
                       text_of(resize.epilogue), text_of(resize.output));
}

std::string text_of_kind(const Map &map) {
    std::string text = fmt::format("map {} {} {} > {}", text_of(map.extent), text_of(map.input),
                                   text_of(map.epilogue), text_of(map.output));
    for (const MapIndex &operand : map.operands) text += " with " + text_of(operand);
    return text;
}

std::string text_of_kind(const Softmax &s) {
    return fmt::format("softmax {}x{}x{} {} > {}", s.outer, s.extent, s.inner, text_of(s.input),
                       text_of(s.output));
}

}  // namespace

std::string describe(const Kernel &kernel) {
    return std::visit([](const auto &kind) { return text_of_kind(kind); }, kernel);
}

}  // namespace sepconv
