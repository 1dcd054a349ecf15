#include "compiler/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "compiler/diagnostic.h"
#include "compiler/limits.h"
#include "compiler/lowering.h"
#include "layer/arguments.h"

namespace sepconv {
namespace {

constexpr int64_t kAlignment = 64;

/// Operators whose result is a view of their input, or lies at several places.
bool makes_no_tensor(const std::string &op) {
    static const std::set<std::string> operators = {"Reshape", "Transpose", "Slice",
                                                    "Split",   "Expand",    "Identity"};
    return operators.count(op) != 0;
}

/// What a block is called in reports.
std::string kind_of(const Graph &graph, const Group &group) {
    const FusedStage *expand = group.stage(StageId::kExpand);
    const FusedStage *project = group.stage(StageId::kProject);
    const bool depthwise = group.stage(StageId::kDepthwise) != nullptr;
    std::string kind = depthwise ? (project != nullptr ? "separable" : "depthwise") : "pointwise";
    if (expand != nullptr && project != nullptr) {
        const Node &first = graph.nodes[expand->node];
        const bool narrows = graph.shape_of(graph.nodes[project->node].outputs[0])[1] <
                             graph.shape_of(first.outputs[0])[1];
        kind = narrows ? "inverted residual" : "pointwise, separable";
    }
    if (group.stage(StageId::kCheap) != nullptr) kind = "ghost module";
    return (group.stage(StageId::kReduce) != nullptr ? "squeeze-excite, " : "") + kind;
}

template<typename T>
std::string bytes_of(const std::vector<T> &values) {
    return std::string(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
}

}  // namespace

int Lowering::add_storage(Space space, int index, int64_t elements) {
    Storage storage;
    storage.space = space;
    storage.index = index;
    // A vector may be read past the last element of our own tensors.
    storage.lifetime.bytes = (elements + kPanel) * static_cast<int64_t>(sizeof(float));
    storages_.push_back(storage);
    return static_cast<int>(storages_.size()) - 1;
}

View Lowering::new_tensor(const Shape &shape, const std::vector<int64_t> &strides) {
    return {add_storage(Space::kArena, 0, element_count(shape)), 0, shape, strides};
}

void Lowering::place_edges() {
    auto describe_edge = [&](const std::string &name) {
        PlanTensor tensor;
        tensor.name = name;
        const Shape &shape = graph_.shape_of(name);
        tensor.shape = shape;
        tensor.bytes = element_count(shape) * static_cast<int64_t>(sizeof(float));
        if (shape.size() == 4) {
            tensor.layout = edges_ == Layout::kNchw ? "nchw" : "nhwc";
            if (edges_ == Layout::kNhwc) tensor.shape = {shape[0], shape[2], shape[3], shape[1]};
        }
        return tensor;
    };
    auto edge_view = [&](const std::string &name, Space space, int index) {
        const Shape &shape = graph_.shape_of(name);
        const std::vector<int64_t> strides =
            edges_ == Layout::kNhwc ? channels_last(shape) : row_major(shape);
        return View{add_storage(space, index, element_count(shape)), 0, shape, strides};
    };
    for (size_t i = 0; i < graph_.inputs.size(); i++) {
        plan_.inputs.push_back(describe_edge(graph_.inputs[i]));
        views_[graph_.inputs[i]] = edge_view(graph_.inputs[i], Space::kInput, static_cast<int>(i));
    }
    for (size_t i = 0; i < graph_.outputs.size(); i++) {
        plan_.outputs.push_back(describe_edge(graph_.outputs[i]));
        const auto renamed = graph_.output_names.find(graph_.outputs[i]);
        if (renamed != graph_.output_names.end()) plan_.outputs.back().name = renamed->second;
        destinations_[graph_.outputs[i]] =
            edge_view(graph_.outputs[i], Space::kOutput, static_cast<int>(i));
    }
}

// Outer concatenations first, so that inner ones find their place.
void Lowering::place_concats() {
    std::unordered_map<std::string, const Node *> producers;
    for (const Node &node : graph_.nodes) {
        for (const std::string &output : node.outputs) producers[output] = &node;
    }
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
        if (node->op != "Concat") continue;
        const View whole = destination(node->outputs[0]);
        destinations_[node->outputs[0]] = whole;
        const int axis = static_cast<int>(node->attribute("axis", int64_t{0}));
        int64_t start = 0;
        for (const std::string &input : node->inputs) {
            const int64_t extent = graph_.shape_of(input)[axis];
            auto producer = producers.find(input);
            if (producer != producers.end() && !makes_no_tensor(producer->second->op) &&
                destinations_.count(input) == 0) {
                destinations_[input] = sliced(whole, axis, start, 1, extent);
            }
            start += extent;
        }
    }
}

View Lowering::destination(const std::string &value) {
    auto placed = destinations_.find(value);
    if (placed != destinations_.end()) return placed->second;
    const Shape &shape = graph_.shape_of(value);
    return new_tensor(shape, channels_last(shape));
}

View Lowering::output_as(const std::string &value, const Shape &shape) {
    const View out = destination(value);
    views_[value] = out;
    if (std::optional<View> direct = reshaped(out, shape)) return *direct;
    return new_tensor(shape, channels_last(shape));
}

Status Lowering::finish_output(const std::string &value, const View &written) {
    const View out = views_.at(value);
    if (written.storage == out.storage) return Status();
    Result<View> shaped = as_shape(written, out.shape);
    SEPCONV_RETURN_IF_ERROR(shaped.status());
    return copy(shaped.value(), out);
}

View Lowering::view_of(const std::string &name) {
    auto known = views_.find(name);
    if (known != views_.end()) return known->second;
    const Constant &constant = *graph_.constant(name);
    return views_[name] = constant_view(constant.shape, constant.floats());
}

View Lowering::constant_view(const Shape &shape, const std::vector<float> &values) {
    return {constant_floats(values).storage, 0, shape, row_major(shape)};
}

Place Lowering::batched_place(const View &view) const {
    return {view.storage, view.offset, batch_stride(view)};
}

bool Lowering::is_padded(const View &view) const {
    const Space space = storages_[view.storage].space;
    return space == Space::kArena || space == Space::kWeights;
}

Place Lowering::constant_bytes(const std::string &bytes) {
    auto [known, fresh] = constants_.try_emplace(bytes, 0);
    if (fresh) {
        known->second = add_storage(Space::kWeights, 0, 0);
        Storage &storage = storages_[known->second];
        storage.offset = static_cast<int64_t>(plan_.weights.size());
        const auto *first = reinterpret_cast<const uint8_t *>(bytes.data());
        plan_.weights.insert(plan_.weights.end(), first, first + bytes.size());
        plan_.weights.resize((plan_.weights.size() + kAlignment - 1) / kAlignment * kAlignment);
    }
    return {known->second, 0, 0};
}

Place Lowering::constant_floats(const std::vector<float> &values) {
    return constant_bytes(bytes_of(values));
}

Place Lowering::constant_ints(const std::vector<int32_t> &values) {
    return constant_bytes(bytes_of(values));
}

Status Lowering::add_step(const Kernel &kernel, int64_t repeat, std::vector<Place> places) {
    if (Status status = validate(kernel); !status.ok()) {
        return node_error(status.code(), *current_, status.message());
    }
    if (const size_t count = arguments_of(kernel).size(); count > kMaxKernelArguments) {
        return node_error(StatusCode::kInternal, *current_,
                          fmt::format("its kernel has {} arguments, the runtime takes {}", count,
                                      kMaxKernelArguments));
    }
    const size_t most = kMaxSteps + kStepsPerNode * graph_.nodes.size();
    if (steps_.size() >= most) {
        return node_error(StatusCode::kResourceExhausted, *current_,
                          fmt::format("the model needs more than {} kernel calls", most));
    }
    const std::string description = describe(kernel);
    auto [known, fresh] = kernels_.try_emplace(description, static_cast<int>(plan_.kernels.size()));
    if (fresh) plan_.kernels.push_back(kernel);
    Step step;
    step.kernel = known->second;
    step.block = static_cast<int>(plan_.blocks.size()) - 1;
    step.repeat = repeat;
    step.places = std::move(places);
    PlanBlock &block = plan_.blocks.back();
    const bool first = steps_.empty() || steps_.back().block != step.block;
    if (first) block.kernel = step.kernel;
    const Cost cost = cost_of(kernel);
    block.cost.macs += cost.macs * repeat;
    block.cost.standard_macs += cost.standard_macs * repeat;
    block.cost.parameters += cost.parameters;
    block.cost.bytes_read += cost.bytes_read * repeat;
    block.cost.bytes_written += cost.bytes_written * repeat;
    steps_.push_back(std::move(step));
    return Status();
}

void Lowering::begin_block(const Group &group, const std::string &kind) {
    PlanBlock block;
    const Node &anchor = graph_.nodes[group.nodes.front()];
    const int uses = names_[anchor.name]++;
    block.name = uses == 0 ? anchor.name : fmt::format("{}#{}", anchor.name, uses);
    block.kind = kind;
    for (int index : group.nodes) {
        block.operators.push_back(graph_.nodes[index].op);
        block.nodes.push_back(graph_.nodes[index].name);
    }
    const std::string in =
        anchor.inputs.empty() ? "" : shape_text(graph_.shape_of(anchor.input(0)));
    block.shape = fmt::format("{} > {}", in, shape_text(graph_.shape_of(group.output)));
    const FusedStage *depthwise = group.stage(StageId::kDepthwise);
    if (depthwise != nullptr && group.stage(StageId::kProject) != nullptr) {
        block.taps = static_cast<int>(
            element_count(graph_.nodes[depthwise->node].attribute("kernel_shape", Shape{})));
        block.out_channels = static_cast<int>(graph_.shape_of(group.output)[1]);
    }
    plan_.blocks.push_back(std::move(block));
}

Status Lowering::unsupported(const Node &node, const std::string &why) const {
    return node_error(StatusCode::kUnsupported, node, why);
}

Status Lowering::claim(int64_t elements) {
    budget_ -= elements * static_cast<int64_t>(sizeof(float));
    return budget_ >= 0 ? Status() : over_budget(node_text(*current_));
}

Status Lowering::lower_group(const Group &group) {
    const Node &node = graph_.nodes[group.anchor];
    current_ = &node;
    using Method = Status (Lowering::*)(const Group &);
    static const std::map<std::string, std::pair<const char *, Method>> methods = {
        {"Conv", {"convolution", &Lowering::lower_convolution}},
        {"ConvTranspose", {"transposed convolution", &Lowering::lower_transposed}},
        {"Gemm", {"matrix", &Lowering::lower_matrix}},
        {"MatMul", {"matrix", &Lowering::lower_matrix}},
        {"MaxPool", {"pool", &Lowering::lower_pool}},
        {"AveragePool", {"pool", &Lowering::lower_pool}},
        {"GlobalAveragePool", {"pool", &Lowering::lower_reduce}},
        {"GlobalMaxPool", {"pool", &Lowering::lower_reduce}},
        {"ReduceMean", {"pool", &Lowering::lower_reduce}},
        {"ReduceMax", {"pool", &Lowering::lower_reduce}},
        {"Resize", {"resize", &Lowering::lower_resize}},
        {"Softmax", {"softmax", &Lowering::lower_softmax}},
        {"Reshape", {"copy", &Lowering::lower_movement}},
        {"Transpose", {"copy", &Lowering::lower_movement}},
        {"Slice", {"copy", &Lowering::lower_movement}},
        {"Split", {"copy", &Lowering::lower_movement}},
        {"Expand", {"copy", &Lowering::lower_movement}},
        {"Tile", {"copy", &Lowering::lower_movement}},
        {"Gather", {"copy", &Lowering::lower_movement}},
        {"Identity", {"copy", &Lowering::lower_movement}},
        {"Concat", {"copy", &Lowering::lower_movement}},
        {"Pad", {"copy", &Lowering::lower_movement}},
        {"DepthToSpace", {"copy", &Lowering::lower_movement}},
        {"SpaceToDepth", {"copy", &Lowering::lower_movement}},
    };
    const auto method = methods.find(node.op);
    const bool moves =
        method != methods.end() && method->second.second == &Lowering::lower_movement;
    std::string kind = method == methods.end() ? "elementwise" : method->second.first;
    if (node.op == "Conv") kind = is_pointwise(graph_, node) ? "pointwise" : "convolution";
    if (!group.stages.empty()) kind = kind_of(graph_, group);
    begin_block(group, kind);
    if (!moves && !is_elementwise(node)) SEPCONV_RETURN_IF_ERROR(ascend_inputs(group));
    if (!group.stages.empty()) return lower_block(group);
    if (method == methods.end()) return lower_elementwise(group);
    return (this->*method->second.second)(group);
}

Plan Lowering::finish() {
    for (size_t i = 0; i < steps_.size(); i++) {
        for (const Place &place : steps_[i].places) {
            Storage &storage = storages_[place.storage];
            if (!storage.used) storage.lifetime.first_step = static_cast<int>(i);
            storage.used = true;
            storage.lifetime.last_step = static_cast<int>(i);
        }
    }
    for (Storage &storage : storages_) {
        if (storage.space != Space::kArena || !storage.used) continue;
        storage.index = static_cast<int>(plan_.tensors.size());
        plan_.tensors.push_back(storage.lifetime);
    }
    constexpr auto kBytes = static_cast<int64_t>(sizeof(float));
    for (const Step &step : steps_) {
        PlanStep final_step{step.kernel, step.block, step.repeat, {}};
        for (const Place &place : step.places) {
            const Storage &storage = storages_[place.storage];
            final_step.args.push_back({storage.space, storage.index,
                                       storage.offset + place.offset * kBytes,
                                       place.advance * kBytes});
        }
        plan_.steps.push_back(std::move(final_step));
    }
    plan_.weights.resize(plan_.weights.size() + kAlignment);
    return std::move(plan_);
}

Result<Plan> Lowering::run() {
    place_edges();
    place_concats();
    for (const Group &group : fuse(graph_)) {
        const size_t steps = steps_.size();
        SEPCONV_RETURN_IF_ERROR(lower_group(group));
        if (steps_.size() == steps) plan_.blocks.pop_back();  // Nothing but a view.
    }
    for (const std::string &output : graph_.outputs) {
        if (views_.count(output) == 0) {
            return Status(StatusCode::kInternal, "output " + quote(output) + " is not computed");
        }
    }
    return finish();
}

Result<Plan> lower(const Graph &graph, Layout edges) {
    return Lowering(graph, edges).run();
}

}  // namespace sepconv
