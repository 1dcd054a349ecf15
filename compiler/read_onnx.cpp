#include "compiler/read_onnx.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <unordered_map>
#include <unordered_set>

#include "compiler/diagnostic.h"
#include "compiler/fold_constants.h"
#include "compiler/infer_shapes.h"
#include "compiler/input_shapes.h"
#include "compiler/limits.h"
#include "compiler/onnx_parse.h"

namespace sepconv {
namespace {

/// Runs over the parsed nodes once, in order, and builds the graph.
class Reader {
public:
    explicit Reader(ParsedModel model) : model_(std::move(model)) {}

    Result<Graph> read(const ReadOptions &options) {
        graph_.name = model_.name;
        graph_.opset = model_.opset;
        graph_.outputs = model_.outputs;
        graph_.budget = model_.budget.derived;
        graph_.constants = std::move(model_.constants);
        outputs_.insert(graph_.outputs.begin(), graph_.outputs.end());
        SEPCONV_RETURN_IF_ERROR(set_inputs(options));
        collect_names();
        for (Node &node : model_.nodes) {
            SEPCONV_RETURN_IF_ERROR(add(std::move(node)));
        }
        apply_renames();
        SEPCONV_RETURN_IF_ERROR(produce_constant_outputs());
        SEPCONV_RETURN_IF_ERROR(produce_input_outputs());
        if (takes_branches_) drop_unread_nodes();
        drop_unread_constants();
        return std::move(graph_);
    }

private:
    Status set_inputs(const ReadOptions &options) {
        const Result<std::vector<Shape>> shapes = input_shapes(model_.inputs, options.input_shapes);
        SEPCONV_RETURN_IF_ERROR(shapes.status());
        for (size_t i = 0; i < model_.inputs.size(); ++i) {
            graph_.inputs.push_back(model_.inputs[i].name);
            graph_.values[model_.inputs[i].name] = Value{ElementType::kFloat, shapes.value()[i]};
        }
        return Status();
    }

    /// All names that made-up ones must avoid.
    void collect_names() {
        for (const auto &[name, value] : graph_.values) {
            names_.insert(name);
        }
        for (const auto &[name, constant] : graph_.constants) {
            names_.insert(name);
        }
        for (const Node &node : model_.nodes) {
            names_.insert(node.outputs.begin(), node.outputs.end());
            node_names_.insert(node.name);
        }
    }

    static std::string unique(std::unordered_set<std::string> &taken, std::string name) {
        while (!taken.insert(name).second) {
            name += "_";
        }
        return name;
    }

    Status add(Node node) {
        for (std::string &input : node.inputs) {
            if (const auto alias = aliases_.find(input); alias != aliases_.end()) {
                input = alias->second;
            }
        }
        if (node.op == "If") {
            return take_branch(node);
        }
        if (is_foldable(graph_, node)) {
            return fold(std::move(node));
        }
        const Result<std::vector<Shape>> shapes = infer_node(graph_, node);
        if (!shapes.ok()) {
            return shapes.status();
        }
        std::vector<Shape> made = shapes.value();
        SEPCONV_RETURN_IF_ERROR(take_empty_outputs(node, made));
        if (node.outputs.empty()) {
            return Status();
        }
        drop_empty_parts(node);
        SEPCONV_RETURN_IF_ERROR(check_inputs(node));
        for (size_t i = 0; i < node.outputs.size(); ++i) {
            add_output(node, i, made[i]);
        }
        if (node.op == "Identity" && skip_identity(node)) {
            return Status();
        }
        if (node.op == "Sum" || node.op == "Min" || node.op == "Max") {
            return add_chain(std::move(node));
        }
        return append(std::move(node));
    }

    /// The branch that the constant condition of an If chooses.
    Result<std::shared_ptr<const Branch>> chosen_branch(const Node &node) const {
        const Constant *condition = graph_.constant(node.input(0));
        if (condition == nullptr) {
            return node_error(StatusCode::kUnsupported, node,
                              "the condition is not constant at the given input shapes");
        }
        if (condition->type() != ElementType::kBool || element_count(condition->shape) != 1) {
            return node_error(StatusCode::kInvalidModel, node,
                              "the condition is of type " +
                                  std::string(name_of(condition->type())) + " and shape " +
                                  shape_text(condition->shape) + ", expected one BOOL");
        }
        const bool holds = condition->converted<int64_t>()[0] != 0;
        const std::string side = holds ? "then_branch" : "else_branch";
        const auto found = node.attributes.find(side);
        const auto *branch = found == node.attributes.end()
                                 ? nullptr
                                 : std::get_if<std::shared_ptr<const Branch>>(&found->second);
        if (branch == nullptr) {
            return node_error(StatusCode::kInvalidModel, node, side + " is missing");
        }
        SEPCONV_RETURN_IF_ERROR((*branch)->status);
        if ((*branch)->outputs.size() != node.outputs.size()) {
            return node_error(StatusCode::kInvalidModel, node,
                              side + " has " + std::to_string((*branch)->outputs.size()) +
                                  " outputs, expected " + std::to_string(node.outputs.size()));
        }
        return *branch;
    }

    /// Adds what an If computes in its place. Names of the branch are made unique; while its nodes
    /// are added, branches inside it find them in scope_.
    Status take_branch(const Node &node) {
        Result<std::shared_ptr<const Branch>> chosen = chosen_branch(node);
        SEPCONV_RETURN_IF_ERROR(chosen.status());
        const Branch &branch = *chosen.value();
        takes_branches_ = true;
        std::vector<std::pair<std::string, std::string>> hidden;  // What scope_ said; "" nothing.
        const auto define = [&](const std::string &name) {
            std::string &inner = scope_[name];
            hidden.emplace_back(name, inner);
            inner = unique(names_, name);
        };
        const auto rename = [&](std::string &name) {
            if (const auto found = scope_.find(name); found != scope_.end()) name = found->second;
        };
        for (const auto &[name, constant] : branch.constants) {
            define(name);
            graph_.constants[scope_[name]] = constant;
        }
        for (Node inner : branch.nodes) {
            inner.name = unique(node_names_, inner.name);
            std::for_each(inner.inputs.begin(), inner.inputs.end(), rename);
            for (std::string &output : inner.outputs) {
                if (output.empty()) continue;
                define(output);
                rename(output);
            }
            SEPCONV_RETURN_IF_ERROR(add(std::move(inner)));
        }
        for (size_t i = 0; i < node.outputs.size(); ++i) {
            if (node.outputs[i].empty()) continue;
            Node copy{"Identity", unique(node_names_, node.name), {branch.outputs[i]}, {}, {}};
            rename(copy.inputs[0]);
            copy.outputs = {node.outputs[i]};
            SEPCONV_RETURN_IF_ERROR(add(std::move(copy)));
        }
        for (auto it = hidden.rbegin(); it != hidden.rend(); ++it) {
            it->second.empty() ? static_cast<void>(scope_.erase(it->first))
                               : static_cast<void>(scope_[it->first] = it->second);
        }
        return Status();
    }

    /// Nodes that only a branch reads which is not taken.
    void drop_unread_nodes() {
        std::unordered_set<std::string> read(graph_.outputs.begin(), graph_.outputs.end());
        std::vector<Node> nodes;
        for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
            const bool is_read =
                std::any_of(node->outputs.begin(), node->outputs.end(),
                            [&](const std::string &output) { return read.count(output) != 0; });
            if (is_read) {
                read.insert(node->inputs.begin(), node->inputs.end());
                nodes.push_back(std::move(*node));
                continue;
            }
            for (const std::string &output : node->outputs) graph_.values.erase(output);
        }
        graph_.nodes.assign(std::make_move_iterator(nodes.rbegin()),
                            std::make_move_iterator(nodes.rend()));
    }

    Status fold(Node node) {
        // Named constants (weights behind an Identity) are not copied.
        const bool copies = node.op == "Identity" && node.inputs.size() == 1 &&
                            node.outputs.size() == 1 && graph_.is_constant(node.input(0));
        if (copies && outputs_.count(node.outputs[0]) == 0) {
            aliases_[node.outputs[0]] = node.input(0);
            return Status();
        }
        Result<std::vector<Constant>> values = fold_node(graph_, node, graph_.budget);
        if (!values.ok()) {
            return values.status();
        }
        SEPCONV_RETURN_IF_ERROR(limit_outputs(node, values.value().size()));
        for (size_t i = 0; i < node.outputs.size(); ++i) {
            if (!node.outputs[i].empty()) {
                graph_.constants[node.outputs[i]] = std::move(values.value()[i]);
            }
        }
        return Status();
    }

    /// What is left of a node's inputs is data, and data is float.
    Status check_inputs(const Node &node) const {
        for (size_t i = 0; i < node.inputs.size(); ++i) {
            const Constant *constant = graph_.constant(node.inputs[i]);
            if (constant == nullptr) {
                continue;
            }
            if (constant->type() != ElementType::kFloat) {
                return node_error(StatusCode::kUnsupported, node,
                                  "input " + std::to_string(i) + " is a constant of type " +
                                      name_of(constant->type()) + ", expected FLOAT");
            }
            if (element_count(constant->shape) == 0) {
                return node_error(StatusCode::kInvalidModel, node,
                                  "input " + std::to_string(i) + " is empty");
            }
        }
        return Status();
    }

    /// Checks the outputs' shapes. One without elements becomes a constant: nothing computes it.
    Status take_empty_outputs(Node &node, std::vector<Shape> &shapes) {
        size_t kept = 0;
        std::vector<int64_t> parts = node.attribute("split", std::vector<int64_t>());
        for (size_t i = 0; i < node.outputs.size(); ++i) {
            SEPCONV_RETURN_IF_ERROR(
                check_shape("output " + std::to_string(i) + " of " + node_text(node), shapes[i]));
            if (element_count(shapes[i]) != 0) {
                std::swap(node.outputs[kept], node.outputs[i]);
                if (!parts.empty()) std::swap(parts[kept], parts[i]);
                std::swap(shapes[kept++], shapes[i]);
            } else if (!node.outputs[i].empty()) {
                graph_.constants[node.outputs[i]] = Constant::zeros(ElementType::kFloat, shapes[i]);
            }
        }
        node.outputs.resize(kept);
        if (!parts.empty()) {
            parts.resize(kept);
            node.attributes["split"] = parts;
        }
        return Status();
    }

    /// A Concat joins what has elements.
    void drop_empty_parts(Node &node) const {
        const auto is_empty = [&](const std::string &input) {
            const Constant *constant = graph_.constant(input);
            return constant != nullptr && constant->type() == ElementType::kFloat &&
                   element_count(constant->shape) == 0;
        };
        if (node.op != "Concat") {
            return;
        }
        node.inputs.erase(std::remove_if(node.inputs.begin(), node.inputs.end(), is_empty),
                          node.inputs.end());
        if (node.inputs.size() == 1) {
            node.op = "Identity";
            node.attributes.clear();
        }
    }

    void add_output(Node &node, size_t i, const Shape &shape) {
        if (node.outputs[i].empty()) {
            node.outputs[i] = unique(names_, node.name + "_output_" + std::to_string(i));
        }
        graph_.values[node.outputs[i]] = Value{ElementType::kFloat, shape};
    }

    /// Lets readers of the output read the input. Where the output is the model's, its producer
    /// takes over the name; an Identity stays where that is not possible.
    bool skip_identity(const Node &node) {
        const std::string &from = node.inputs[0];
        const std::string &to = node.outputs[0];
        if (outputs_.count(to) != 0) {
            const bool produced = produced_.count(from) != 0;
            if (!produced || outputs_.count(from) != 0 || renames_.count(from) != 0) {
                return false;
            }
            renames_[from] = to;
        }
        graph_.values.erase(to);
        aliases_[to] = from;
        return true;
    }

    /// Sums, minima and maxima of many become a row of nodes with two inputs, constants last.
    Status add_chain(Node node) {
        std::stable_partition(node.inputs.begin(), node.inputs.end(),
                              [&](const std::string &in) { return !graph_.is_constant(in); });
        const std::string op = node.op == "Sum" ? "Add" : node.op;
        std::string left = node.inputs[0];
        for (size_t i = 1; i < node.inputs.size(); ++i) {
            const bool last = i + 1 == node.inputs.size();
            Node step;
            step.op = op;
            step.name = last ? node.name : unique(node_names_, node.name + "_" + std::to_string(i));
            step.inputs = {left, node.inputs[i]};
            step.outputs = {last ? node.outputs[0]
                                 : unique(names_, node.outputs[0] + "_" + std::to_string(i))};
            if (!last) {
                Shape shape;
                broadcast_shapes(graph_.shape_of(left), graph_.shape_of(node.inputs[i]), shape);
                graph_.values[step.outputs[0]] = Value{ElementType::kFloat, shape};
            }
            left = step.outputs[0];
            SEPCONV_RETURN_IF_ERROR(append(std::move(step)));
        }
        return Status();
    }

    Status append(Node node) {
        if (graph_.nodes.size() >= kMaxNodes) {
            return node_error(StatusCode::kResourceExhausted, node,
                              "more than " + std::to_string(kMaxNodes) + " nodes");
        }
        produced_.insert(node.outputs.begin(), node.outputs.end());
        graph_.nodes.push_back(std::move(node));
        return Status();
    }

    void apply_renames() {
        if (renames_.empty()) {
            return;
        }
        const auto rename = [&](std::string &name) {
            if (const auto found = renames_.find(name); found != renames_.end()) {
                name = found->second;
            }
        };
        for (Node &node : graph_.nodes) {
            std::for_each(node.inputs.begin(), node.inputs.end(), rename);
            std::for_each(node.outputs.begin(), node.outputs.end(), rename);
        }
        for (const auto &[from, to] : renames_) {
            auto value = graph_.values.extract(from);
            value.key() = to;
            graph_.values.insert(std::move(value));
        }
    }

    /// Outputs that are constant are copied by an Identity, so that each has a producer.
    Status produce_constant_outputs() {
        renames_.clear();
        std::vector<Node> copies;
        for (const std::string &output : graph_.outputs) {
            auto found = graph_.constants.extract(output);
            if (found.empty()) {
                continue;
            }
            const Constant &constant = found.mapped();
            if (constant.type() != ElementType::kFloat || element_count(constant.shape) == 0) {
                return Status(StatusCode::kUnsupported,
                              "output " + quote(output) + " is a constant of type " +
                                  name_of(constant.type()) + " and shape " +
                                  shape_text(constant.shape) + ", expected FLOAT, not empty");
            }
            Node node;
            node.op = "Identity";
            node.name = unique(node_names_, "Identity_" + output);
            node.inputs = {unique(names_, output + "_constant")};
            node.outputs = {output};
            graph_.values[output] = Value{ElementType::kFloat, constant.shape};
            renames_[output] = node.inputs[0];
            found.key() = node.inputs[0];
            graph_.constants.insert(std::move(found));
            copies.push_back(std::move(node));
        }
        for (Node &node : graph_.nodes) {
            for (std::string &input : node.inputs) {
                if (const auto found = renames_.find(input); found != renames_.end()) {
                    input = found->second;
                }
            }
        }
        for (Node &node : copies) {
            SEPCONV_RETURN_IF_ERROR(append(std::move(node)));
        }
        return Status();
    }

    /// Outputs that are inputs are copied too; they keep their name for the caller.
    Status produce_input_outputs() {
        const std::unordered_set<std::string> inputs(graph_.inputs.begin(), graph_.inputs.end());
        for (std::string &output : graph_.outputs) {
            if (inputs.count(output) == 0) {
                continue;
            }
            const std::string copy = unique(names_, output + "_copy");
            graph_.values[copy] = graph_.values.at(output);
            Node node;
            node.op = "Identity";
            node.name = unique(node_names_, "Identity_" + output);
            node.inputs = {output};
            node.outputs = {copy};
            graph_.output_names[copy] = output;
            output = copy;
            SEPCONV_RETURN_IF_ERROR(append(std::move(node)));
        }
        return Status();
    }

    void drop_unread_constants() {
        std::unordered_set<std::string> read;
        for (const Node &node : graph_.nodes) {
            read.insert(node.inputs.begin(), node.inputs.end());
        }
        for (auto it = graph_.constants.begin(); it != graph_.constants.end();) {
            it = read.count(it->first) != 0 ? std::next(it) : graph_.constants.erase(it);
        }
    }

    ParsedModel model_;
    Graph graph_;
    std::unordered_set<std::string> outputs_;   ///< Of the model.
    std::unordered_set<std::string> produced_;  ///< By nodes of the graph.
    std::unordered_set<std::string> names_;     ///< Of values and constants.
    std::unordered_set<std::string> node_names_;
    std::unordered_map<std::string, std::string> aliases_;  ///< Identity's output to its input.
    /// Inside a branch of an If: its names, and those around it, to what they became.
    std::unordered_map<std::string, std::string> scope_;
    bool takes_branches_ = false;
    std::unordered_map<std::string, std::string> renames_;  ///< At the end: value to output.
};

}  // namespace

Result<Graph> read_onnx(std::string_view bytes, const ReadOptions &options) {
    Result<ParsedModel> model = parse_onnx(bytes, options.folder);
    if (!model.ok()) {
        return model.status();
    }
    return Reader(std::move(model).value()).read(options);
}

Result<Graph> read_onnx_file(const std::string &path, ReadOptions options) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) {
        return Status(StatusCode::kIo, "cannot read " + quote(path) + ": " + error.message());
    }
    if (size > kMaxFileBytes) {
        return Status(StatusCode::kResourceExhausted,
                      quote(path) + " has " + std::to_string(size) + " bytes, at most " +
                          std::to_string(kMaxFileBytes) + " are allowed");
    }
    std::string bytes(size, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(bytes.data(), static_cast<std::streamsize>(size));
    if (!file) {
        return Status(StatusCode::kIo, "cannot read " + quote(path));
    }
    if (options.folder.empty()) {
        const auto folder = std::filesystem::path(path).parent_path().string();
        options.folder = folder.empty() ? "." : folder;
    }
    return read_onnx(bytes, options);
}

}  // namespace sepconv
