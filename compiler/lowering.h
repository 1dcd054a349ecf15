#ifndef SEPCONV_COMPILER_LOWERING_H_
#define SEPCONV_COMPILER_LOWERING_H_

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/fuse.h"
#include "compiler/graph.h"
#include "compiler/lower.h"
#include "compiler/pack.h"
#include "compiler/plan.h"
#include "compiler/view.h"

namespace sepconv {

/// A kernel argument before memory is planned: elements from a storage's start.
struct Place {
    int storage = -1;
    int64_t offset = 0;
    int64_t advance = 0;
};

/// Kernel sizes of a Conv: rank 3 is one row.
struct Kernel2d {
    int64_t h = 1, w = 1;
};
Kernel2d kernel_of(const Shape &weights);
/// The window of a Conv, ConvTranspose or pool with such a kernel.
Window window_of(const Node &node, const Kernel2d &kernel);

/// The state of lower(): where every value lies, and the steps so far. Each lower_* method turns
/// one group into steps or views.
class Lowering {
public:
    Lowering(const Graph &graph, Layout edges)
        : graph_(graph), edges_(edges), budget_(graph.budget) {}

    Result<Plan> run();

private:
    struct Storage {
        Space space = Space::kArena;
        int index = 0;       ///< As Location::index.
        int64_t offset = 0;  ///< Bytes, in the weights.
        Lifetime lifetime;
        bool used = false;
    };
    struct Step {
        int kernel = 0, block = 0;
        int64_t repeat = 1;
        std::vector<Place> places;
    };

    // lower.cpp: storages, views, steps.
    void place_edges();
    void place_concats();
    Status lower_group(const Group &group);
    Plan finish();
    int add_storage(Space space, int index, int64_t elements);
    View new_tensor(const Shape &shape, const std::vector<int64_t> &strides);
    /// Where the value is to be written: its place at the edge or in a Concat, or a new tensor.
    View destination(const std::string &value);
    /// The value's place as `shape`, or a tensor of that shape where its strides do not allow that;
    /// finish_output() then copies what was written.
    View output_as(const std::string &value, const Shape &shape);
    Status finish_output(const std::string &value, const View &written);
    View view_of(const std::string &name);  ///< Of a value, or of a constant as it is.
    View constant_view(const Shape &shape, const std::vector<float> &values);
    Place place_of(const View &view) const { return {view.storage, view.offset, 0}; }
    Place batched_place(const View &view) const;
    bool is_padded(const View &view) const;
    Place constant_floats(const std::vector<float> &values);
    Place constant_ints(const std::vector<int32_t> &values);
    Place constant_bytes(const std::string &bytes);
    Status add_step(const Kernel &kernel, int64_t repeat, std::vector<Place> places);
    void begin_block(const Group &group, const std::string &kind);
    Status unsupported(const Node &node, const std::string &why) const;
    /// Takes the bytes of so many packed or tabulated values from the graph's budget.
    Status claim(int64_t elements);

    // lower_map.cpp: copies and elementwise operators.
    /// Copies what the group reads where that is reversed or broadcast: only maps read it so.
    Status ascend_inputs(const Group &group);
    Status map(const View &out, const View &in, const Epilogue &epilogue,
               const std::vector<View> &operands);
    Status copy(const View &in, const View &out) { return map(out, in, {}, {}); }
    /// Binds the value to `view`, copying where it must lie elsewhere.
    Status bind(const std::string &value, const View &view);
    /// A copy of the view with dense channels-last strides.
    Result<View> channels_last_copy(const View &view);
    /// The elements of `view`, in its order, as `shape`: a view if possible, else a copy.
    Result<View> as_shape(const View &view, const Shape &shape);
    Status lower_elementwise(const Group &group);
    Status lower_movement(const Group &group);
    Status lower_concat(const Node &node);
    Status lower_pad(const Node &node);
    Status lower_gathered_pad(const Node &node, View in, const View &out,
                              const std::vector<int64_t> &pads, const std::string &mode);
    Status lower_depth_to_space(const Node &node);
    Status lower_tile(const Node &node);
    Status lower_gather(const Node &node);

    // lower_convolution.cpp, lower_block.cpp
    /// A part of a convolution that one kernel computes: weights in natural order.
    struct Part {
        int64_t in_channels = 0, out_channels = 0, first_out = 0;
        Window window;
        WeightAt weight;
        std::function<float(int64_t)> bias;
        FusedSteps epilogue;
    };
    Status lower_convolution(const Group &group);
    Status lower_transposed(const Group &group);
    Status lower_matrix(const Group &group);
    Status lower_part(const Part &part, const View &in, const View &out,
                      const std::function<View(const View &)> &at_output);
    /// Appends the operands of an epilogue over output channels [first, first + channels).
    Result<Epilogue> place_epilogue(const FusedSteps &steps, int64_t first, int64_t channels,
                                    int64_t multiplier, const Shape &shape,
                                    const std::function<View(const View &)> &at_output,
                                    std::vector<Place> &places, std::vector<Image> &operands);
    Status lower_block(const Group &group);
    /// Weights, bias and epilogue of one stage, into `block`; a project's input channels are
    /// ordered [multiplier][channels], as a depthwise leaves them.
    Status place_stage(const FusedStage &stage, const Shape &out_shape, std::vector<Place> &places,
                       Block &block);
    Result<Convolution> place_pointwise(const Node &node, const FusedSteps &steps,
                                        int64_t multiplier, const Shape &out_shape,
                                        std::vector<Place> &places, std::vector<Image> &operands);
    Result<Depthwise> place_depthwise(const Node &node, const FusedSteps &steps,
                                      const Shape &out_shape, std::vector<Place> &places,
                                      std::vector<Image> &operands);
    Result<const Constant *> constant_of(const Node &node, size_t input) const;
    std::function<float(int64_t)> bias_of(const Node &node) const;

    // lower_window.cpp
    Status lower_pool(const Group &group);
    Status lower_reduce(const Group &group);
    Status lower_global_pool(const Group &group, const View &in);
    Status lower_resize(const Group &group);
    Status lower_softmax(const Group &group);
    Status pool(const Pool &kernel, const View &in, const View &out, const FusedSteps &epilogue);

    const Graph &graph_;
    const Layout edges_;
    int64_t budget_;
    Plan plan_;
    std::vector<Storage> storages_;
    std::vector<Step> steps_;
    std::unordered_map<std::string, View> views_;
    std::unordered_map<std::string, View> destinations_;
    std::unordered_map<std::string, int> kernels_;    ///< By description.
    std::unordered_map<std::string, int> constants_;  ///< Storage by bytes.
    std::unordered_map<std::string, int> names_;      ///< Uses of block names.
    const Node *current_ = nullptr;  ///< Anchor of the group that is being lowered.
    Shape operand_shape_;            ///< What tensor operands of a split convolution look like.
};

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_LOWERING_H_
