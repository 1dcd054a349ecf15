#include <algorithm>
#include <functional>

#include "compiler/passes/graph_index.h"
#include "compiler/passes/passes.h"
#include "layer/shape.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;

/// Begins and ends over the spatial axes of a Pad by zeros that leaves other axes alone; else
/// nothing.
Ints spatial_padding(const Node &pad) {
    const Ints pads = pad.attribute("pads", Ints());
    const size_t rank = pads.size() / 2;
    if (pad.op != "Pad" || rank < 3 || pad.attribute("mode", std::string()) != "constant" ||
        pad.attribute("value", 1.0F) != 0.0F ||
        std::any_of(pads.begin(), pads.end(), [](int64_t amount) { return amount < 0; })) {
        return {};
    }
    if (pads[0] != 0 || pads[1] != 0 || pads[rank] != 0 || pads[rank + 1] != 0) {
        return {};
    }
    Ints spatial;
    for (size_t i = 0; i < 2 * rank; ++i) {
        if (i % rank >= 2) {
            spatial.push_back(pads[i]);
        }
    }
    return spatial;
}

/// Whether the node may take over `padding` with pads that then are `sum`.
bool takes_padding(const Node &node, const Ints &sum) {
    if (node.op == "Conv") {
        return true;
    }
    if (node.op != "AveragePool" || node.attribute("ceil_mode", int64_t{0}) != 0) {
        return false;
    }
    const Ints own = node.attribute("pads", Ints());
    // Without own padding, the zeros of the Pad are counted as any other pixel.
    if (node.attribute("count_include_pad", int64_t{0}) == 0 &&
        std::any_of(own.begin(), own.end(), [](int64_t amount) { return amount != 0; })) {
        return false;
    }
    const Ints kernel = node.attribute("kernel_shape", Ints());
    const Ints dilations = node.attribute("dilations", Ints());
    for (size_t i = 0; i < sum.size(); ++i) {
        const size_t axis = i % kernel.size();
        if (sum[i] >= dilated_extent(kernel[axis], dilations[axis])) {
            return false;
        }
    }
    return true;
}

}  // namespace

Graph fold_padding(Graph graph) {
    const GraphIndex index(graph);
    for (Node &node : graph.nodes) {
        while (true) {
            const int from = node.inputs.empty() ? -1 : index.producer(node.inputs[0]);
            if (from < 0) {
                break;
            }
            const Node &pad = graph.nodes[static_cast<size_t>(from)];
            Ints sum = node.attribute("pads", Ints());
            const Ints padding = spatial_padding(pad);
            if (padding.empty() || padding.size() != sum.size()) {
                break;
            }
            std::transform(sum.begin(), sum.end(), padding.begin(), sum.begin(), std::plus<>());
            if (!takes_padding(node, sum)) {
                break;
            }
            node.inputs[0] = pad.inputs[0];
            node.attributes["pads"] = sum;
            if (node.op == "AveragePool") {
                node.attributes["count_include_pad"] = int64_t{1};
            }
        }
    }
    return remove_dead_nodes(std::move(graph));
}

}  // namespace sepconv
