#include "schedules/cost_model.h"

#include <algorithm>

#include "layer/shape.h"
#include "schedules/cpu.h"
#include "schedules/target_facts.h"
#include "schedules/tile.h"

namespace sepconv {
namespace {

/// Bytes a cycle from the second-level cache, and from behind it.
constexpr double kNearBytes = 32, kFarBytes = 8;

double vectors_of(int channels, const TargetFacts &facts) {
    return (channels + facts.lanes - 1) / facts.lanes;  // NOLINT(bugprone-integer-division)
}

/// The register tiles of all strips, and the packed weights that each strip reads again.
double project_cycles(const Block &block, const Tuning &tuning, const TargetFacts &facts) {
    const Convolution &project = *block.project;
    const int64_t rows = tuning.strip_rows > 0 ? tuning.strip_rows : block.output.height;
    const int64_t strip_pixels = rows * block.output.width;
    const double strips = static_cast<double>(block.output.height) / static_cast<double>(rows);
    const Tile tile = choose_tile(strip_pixels, project.out_channels, facts, tuning);
    const double steps = static_cast<double>(project.in_channels) * project.window.taps();
    const double weights = 4 * steps * round_up_to_panel(project.out_channels);
    const double input = 4.0 * static_cast<double>(strip_pixels) * project.in_channels;
    const auto l2 = static_cast<double>(facts.l2_bytes);
    const double reads = weights / kNearBytes + (input > l2 / 2 ? input / kFarBytes : 0);
    return strips * (steps * tile_cycles(tile, strip_pixels, project.out_channels, facts) + reads);
}

/// Taps of all vectors with two multiply-adds and two loads a cycle: a weight is loaded once a
/// step, an input once for each of the step's pixels that does not share it.
double depthwise_cycles(const Depthwise &layer, const Image &output, const Tuning &tuning,
                        const TargetFacts &facts) {
    const int run = std::min(std::max(1, tuning.depthwise_pixels), output.width);
    const double steps = (output.width + run - 1) / run;  // NOLINT(bugprone-integer-division)
    const double taps = layer.window.taps();
    const double inputs =
        layer.window.kernel_h * (layer.window.kernel_w + (run - 1.0) * layer.window.stride_w);
    const double loads = (taps + inputs) / 2, products = std::max(taps * run / 2, 4.0);
    const double spilled = std::max(0, run + layer.window.kernel_w - facts.registers);
    const double step = std::max(loads, products) + 2 * spilled;
    return output.height * steps * vectors_of(layer.channels * layer.multiplier, facts) * step;
}

/// What the order of the stages costs: the whole intermediate through the caches, or the rows
/// between tasks twice.
double order_cycles(const Block &block, const Tuning &tuning, const TargetFacts &facts) {
    if (!block.project || !block.depthwise) return 0;
    const double values =
        4.0 * block.output.width * block.output.height * block.project->in_channels;
    if (tuning.order == Order::kSliding) {
        const double again = values / kRowsForOneAgain;
        return block.expand ? again / 4 / facts.lanes / 2 * block.expand->in_channels : 0;
    }
    return 2 * values / (values > static_cast<double>(facts.l2_bytes) ? kFarBytes : kNearBytes);
}

}  // namespace

double estimated_cycles(const Block &block, const Tuning &tuning,
                        const std::string &halide_target) {
    const TargetFacts facts = facts_of(Halide::Target(halide_target));
    double cycles = order_cycles(block, tuning, facts);
    if (block.project && !block.cheap) cycles += project_cycles(block, tuning, facts);
    if (block.depthwise) cycles += depthwise_cycles(*block.depthwise, block.output, tuning, facts);
    if (block.cheap) cycles += depthwise_cycles(*block.cheap, block.output, tuning, facts);
    return cycles;
}

}  // namespace sepconv
