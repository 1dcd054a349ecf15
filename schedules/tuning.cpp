#include "schedules/tuning.h"

#include <Halide.h>
#include <fmt/format.h>

#include <algorithm>

#include "schedules/target_facts.h"
#include "schedules/tile.h"

namespace sepconv {
namespace {

Status invalid(const std::string &field, const std::string &expected, int64_t got) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("{}: expected {}, got {}", field, expected, got));
}

Status check_tile(const Block &block, const Tuning &tuning, const TargetFacts &facts) {
    const int64_t pixels = int64_t{block.output.width} * block.output.height;
    const Tile tile = choose_tile(pixels, block.output.channels, facts, tuning);
    const std::string expected =
        fmt::format("a tile for {} pixels of {} channels in {} registers of {} values", pixels,
                    block.output.channels, facts.registers, facts.lanes);
    if (tuning.tile_pixels > 0 && tile.pixels != tuning.tile_pixels) {
        return invalid("tile_pixels", expected, tuning.tile_pixels);
    }
    if (tuning.tile_vectors > 0 && tile.vectors != tuning.tile_vectors) {
        return invalid("tile_vectors", expected, tuning.tile_vectors);
    }
    return Status();
}

Status check_block(const Block &block, const Tuning &tuning, const TargetFacts &facts) {
    // A Ghost module chooses tiles and strips by its ring.
    const bool projects = block.project && !block.cheap;
    const int height = block.output.height, width = block.output.width;
    if (tuning.tile_pixels != 0 || tuning.tile_vectors != 0) {
        if (!projects) return invalid("tile_pixels", "0 without a project", tuning.tile_pixels);
        SEPCONV_RETURN_IF_ERROR(check_tile(block, tuning, facts));
    }
    if (tuning.strip_rows != 0 && (!projects || height % tuning.strip_rows != 0)) {
        return invalid("strip_rows",
                       projects ? fmt::format("a divisor of {} rows", height) : "0 here",
                       tuning.strip_rows);
    }
    const bool slides = block.depthwise || block.cheap;
    if (tuning.depthwise_pixels != 0 && (!slides || tuning.depthwise_pixels > width)) {
        return invalid("depthwise_pixels",
                       slides ? fmt::format("1 to {}", width) : "0 without a depthwise",
                       tuning.depthwise_pixels);
    }
    if (tuning.order != Order::kAuto && !(block.cheap || (block.project && block.depthwise))) {
        return Status(StatusCode::kInvalidArgument,
                      "order: expected none for a block of one stage, got one");
    }
    return Status();
}

}  // namespace

bool operator==(const Tuning &left, const Tuning &right) {
    return left.tile_pixels == right.tile_pixels && left.tile_vectors == right.tile_vectors &&
           left.strip_rows == right.strip_rows && left.depthwise_pixels == right.depthwise_pixels &&
           left.order == right.order;
}

std::string describe(const Tuning &tuning) {
    std::string text;
    const auto add = [&text](const char *name, const std::string &value) {
        text += fmt::format("{}{} {}", text.empty() ? "" : " ", name, value);
    };
    if (tuning.tile_pixels != 0) add("tile_pixels", std::to_string(tuning.tile_pixels));
    if (tuning.tile_vectors != 0) add("tile_vectors", std::to_string(tuning.tile_vectors));
    if (tuning.strip_rows != 0) add("strip_rows", std::to_string(tuning.strip_rows));
    if (tuning.depthwise_pixels != 0) {
        add("depthwise_pixels", std::to_string(tuning.depthwise_pixels));
    }
    if (tuning.order == Order::kSliding) add("order", "sliding");
    if (tuning.order == Order::kChannels) add("order", "channels");
    return text;
}

Status check_tuning(const Kernel &kernel, const Tuning &tuning, const std::string &halide_target) {
    constexpr int kMost = 1 << 16;
    for (const auto &[field, value] : {std::pair("tile_pixels", tuning.tile_pixels),
                                       {"tile_vectors", tuning.tile_vectors},
                                       {"strip_rows", tuning.strip_rows},
                                       {"depthwise_pixels", tuning.depthwise_pixels}}) {
        if (value < 0 || value > kMost) return invalid(field, fmt::format("0 to {}", kMost), value);
    }
    if (tuning == Tuning{}) return Status();
    const auto *block = std::get_if<Block>(&kernel);
    if (block == nullptr) {
        return Status(
            StatusCode::kInvalidArgument,
            "expected no tuning for a kernel without convolutions, got " + describe(tuning));
    }
    return check_block(*block, tuning, facts_of(Halide::Target(halide_target)));
}

}  // namespace sepconv
