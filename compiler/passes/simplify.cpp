#include "compiler/passes/passes.h"

namespace sepconv {

Graph simplify(Graph graph) {
    graph = lower_batch_normalization(std::move(graph));
    graph = split_gemm(std::move(graph));
    graph = lower_arithmetic(std::move(graph));
    graph = sink_expands(std::move(graph));
    // Before folding: written-out activations begin with an Add that would disappear in a bias.
    graph = recognise_activations(std::move(graph));
    graph = fold_affine(std::move(graph));
    graph = fold_padding(std::move(graph));
    return remove_dead_nodes(std::move(graph));
}

}  // namespace sepconv
