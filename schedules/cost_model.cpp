#include "schedules/cost_model.h"

#include <algorithm>

#include "layer/shape.h"

namespace sepconv {
namespace {

/// Bytes a cycle from the second-level cache.
constexpr double kNearBytes = 32;

struct WeightedTerm {
    const char *name;
    double weight;
};

/// The weights are fitted by bench/tuning/fit_cost_model.py to trials of Intel family 6 model 207.
/// On Zen 5 every fit gave strip_input and depthwise 0 to 0.3 of project, and border 1.4 of it.
/// Left out, as they got no weight: ends of tiles, registers that a step of a depthwise lacks, its
/// steps themselves, rows at the ends of strips and between tasks, bytes between the stages.
WeightedTerm weighted(CostTerm term) {
    switch (term) {
        case CostTerm::kProject:
            return {"project", 1};
        case CostTerm::kStripInput:
            return {"strip_input", 1.2};
        case CostTerm::kWeights:
            return {"weights", 0.3};
        case CostTerm::kFarWeights:
            return {"far_weights", 0.3};
        case CostTerm::kDepthwise:
            return {"depthwise", 0.7};
        case CostTerm::kBorder:
            return {"border", 1.2};
        case CostTerm::kCount:
            break;
    }
    return {"", 0};
}

/// The sum of one block, stage by stage.
class CostSum {
public:
    CostSum(const Block &block, const BlockChoice &choice, const TargetFacts &facts)
        : block_(block), choice_(choice), facts_(facts) {}

    CostTerms run() {
        if (block_.project && !block_.cheap) {
            project();
            weights();
        }
        if (block_.depthwise) {
            const bool output = !block_.project && block_.depthwise->multiplier == 1;
            depthwise(*block_.depthwise, output ? choice_.output_pixels : choice_.depthwise_pixels);
        }
        if (block_.cheap) depthwise(*block_.cheap, choice_.output_pixels);
        return terms_;
    }

private:
    void add(CostTerm term, double cycles) { terms_[static_cast<size_t>(term)] += cycles; }

    double vectors_of(int channels) const {
        return (channels + facts_.lanes - 1) / facts_.lanes;  // NOLINT(bugprone-integer-division)
    }

    void project();
    void weights();
    void depthwise(const Depthwise &layer, int run);
    bool tests_border(int run) const;

    const Block &block_;
    const BlockChoice &choice_;
    const TargetFacts &facts_;
    CostTerms terms_{};
};

void CostSum::project() {
    const Convolution &layer = *block_.project;
    const Tile &tile = choice_.tile;
    const auto strips = static_cast<double>(choice_.output.strips);
    const int64_t strip_pixels = choice_.output.rows * block_.output.width;
    // Rows that are not one are tiled one by one.
    const int64_t row = choice_.flat ? strip_pixels : block_.output.width;
    const int64_t rows = strip_pixels / row;
    const double steps = static_cast<double>(layer.in_channels) * layer.window.taps();
    const int out_channels = block_.output.channels;
    const int tiles_c = (out_channels + tile.channels() - 1) / tile.channels();
    add(CostTerm::kProject,
        strips * static_cast<double>(rows) * steps * tile_cycles(tile, row, out_channels, facts_));
    const double input = 4.0 * static_cast<double>(strip_pixels) * layer.in_channels *
                         layer.window.stride_h * layer.window.stride_w;
    if (input > static_cast<double>(facts_.l1_bytes)) {
        add(CostTerm::kStripInput, strips * tiles_c * input / kNearBytes);
    }
}

/// Of the project, and of an expand that runs strip by strip with it.
void CostSum::weights() {
    int64_t bytes = weight_bytes(*block_.project);
    if (block_.expand && choice_.order == Order::kSliding) bytes += weight_bytes(*block_.expand);
    const double cycles =
        static_cast<double>(choice_.output.strips) * static_cast<double>(bytes) / kNearBytes;
    if (bytes > facts_.l1_bytes) add(CostTerm::kWeights, cycles);
    if (bytes > facts_.l2_bytes) add(CostTerm::kFarWeights, cycles);
}

/// Steps that are no divisor of a flattened row, or behind a whole row of tasks of channels a part
/// of one: Halide does not see which of them are at the border.
bool CostSum::tests_border(int run) const {
    const int width = block_.output.width;
    if (!choice_.flat || run == 1 || run == width) return false;
    return choice_.order == Order::kChannels || width % run != 0;
}

/// Two multiply-adds and two loads a cycle: a weight is loaded once a step, an input once for each
/// of the step's pixels that does not share it.
void CostSum::depthwise(const Depthwise &layer, int run) {
    const Window &window = layer.window;
    const double taps = window.taps();
    const double inputs = window.kernel_h * (window.kernel_w + (run - 1.0) * window.stride_w);
    const double loads = (taps + inputs) / 2, products = std::max(taps * run / 2, 4.0);
    const double across =
        (block_.output.width + run - 1) / run;  // NOLINT(bugprone-integer-division)
    const double steps =
        block_.output.height * across * vectors_of(layer.channels * layer.multiplier);
    add(CostTerm::kDepthwise, steps * std::max(loads, products));
    if (tests_border(run)) add(CostTerm::kBorder, steps * run * taps / 2);
}

}  // namespace

const char *name_of(CostTerm term) {
    return weighted(term).name;
}

CostTerms cost_terms(const Block &block, const BlockChoice &choice, const TargetFacts &facts) {
    return CostSum(block, choice, facts).run();
}

double estimated_cycles(const Block &block, const BlockChoice &choice, const TargetFacts &facts) {
    const CostTerms terms = cost_terms(block, choice, facts);
    double cycles = 0;
    for (size_t i = 0; i < kCostTerms; ++i) {
        cycles += weighted(static_cast<CostTerm>(i)).weight * terms[i];
    }
    return cycles;
}

}  // namespace sepconv
