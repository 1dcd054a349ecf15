#include "compiler/onnx_parse.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "compiler/diagnostic.h"
#include "compiler/limits.h"
#include "compiler/onnx_tensor.h"
#include "onnx/onnx.pb.h"

namespace sepconv {
namespace {

Status invalid(const std::string &text) {
    return Status(StatusCode::kInvalidModel, text);
}

Status unsupported(const std::string &text) {
    return Status(StatusCode::kUnsupported, text);
}

Status check_name(const std::string &name, const std::string &what) {
    if (name.size() > kMaxNameBytes) {
        return Status(StatusCode::kResourceExhausted,
                      what + " " + quote(name) + " has a name of " + std::to_string(name.size()) +
                          " bytes, at most " + std::to_string(kMaxNameBytes) + " are allowed");
    }
    if (name.find('\0') != std::string::npos) {
        return invalid(what + " " + quote(name) + " has a NUL byte in its name");
    }
    return Status();
}

bool is_default_domain(const std::string &domain) {
    return domain.empty() || domain == "ai.onnx";
}

Result<int64_t> default_opset(const onnx::ModelProto &model) {
    int64_t opset = 0;
    for (const auto &entry : model.opset_import()) {
        if (is_default_domain(entry.domain())) {
            opset = std::max(opset, entry.version());
        }
    }
    if (opset == 0) {
        return invalid("the model imports no operator set of the domain ai.onnx");
    }
    if (opset < kMinOpset || opset > kMaxOpset) {
        return unsupported("the model uses operator set " + std::to_string(opset) +
                           ", supported are " + std::to_string(kMinOpset) + " to " +
                           std::to_string(kMaxOpset));
    }
    return opset;
}

/// Names the node before it has a unique name.
Status proto_error(StatusCode code, const onnx::NodeProto &proto, const std::string &text) {
    Node node;
    node.op = proto.op_type();
    node.name = proto.name().empty() && proto.output_size() > 0 ? proto.output(0) : proto.name();
    return node_error(code, node, text);
}

using Names = std::unordered_set<std::string>;

/// Adds the names that a subgraph reads but does not define.
void add_free_names(const onnx::GraphProto &graph, Names &free) {
    Names defined, read;
    for (const auto &input : graph.input()) defined.insert(input.name());
    for (const auto &tensor : graph.initializer()) defined.insert(tensor.name());
    for (const auto &node : graph.node()) {
        defined.insert(node.output().begin(), node.output().end());
        read.insert(node.input().begin(), node.input().end());
        for (const auto &attribute : node.attribute()) {
            if (attribute.has_g()) add_free_names(attribute.g(), read);
        }
    }
    for (const auto &output : graph.output()) read.insert(output.name());
    for (const std::string &name : read) {
        if (!name.empty() && defined.count(name) == 0) free.insert(name);
    }
}

/// What must be there before the node: its inputs, and what its subgraphs take from around them.
Names names_read_by(const onnx::NodeProto &node) {
    Names names(node.input().begin(), node.input().end());
    names.erase("");
    for (const auto &attribute : node.attribute()) {
        if (attribute.has_g()) add_free_names(attribute.g(), names);
    }
    return names;
}

/// Parses a model's graph, or a subgraph of it, whose nodes may read what `around` it is named.
class Parser {
public:
    Parser(const onnx::GraphProto &graph, const ConstantBudget &budget, const std::string &folder,
           const Parser *around = nullptr)
        : graph_(graph), folder_(folder), around_(around) {
        parsed_.budget = budget;
    }

    Result<ParsedModel> parse() {
        SEPCONV_RETURN_IF_ERROR(check_name(graph_.name(), "graph"));
        parsed_.name = graph_.name();
        SEPCONV_RETURN_IF_ERROR(check_counts());
        SEPCONV_RETURN_IF_ERROR(collect_initialisers());
        SEPCONV_RETURN_IF_ERROR(collect_inputs());
        SEPCONV_RETURN_IF_ERROR(collect_producers());
        SEPCONV_RETURN_IF_ERROR(collect_outputs());
        SEPCONV_RETURN_IF_ERROR(sort());
        SEPCONV_RETURN_IF_ERROR(convert_needed());
        return std::move(parsed_);
    }

    /// What is left after parse(), which may have failed.
    const ConstantBudget &budget() const { return parsed_.budget; }

private:
    /// Whether a node of the graph may read the name.
    bool is_known(const std::string &name) const {
        return producers_.count(name) != 0 || inputs_.count(name) != 0 ||
               initialisers_.count(name) != 0 || (around_ != nullptr && around_->is_known(name));
    }

    Status check_counts() const {
        if (graph_.output_size() == 0) {
            return invalid("the model has no graph with an output");
        }
        if (static_cast<size_t>(graph_.node_size()) > kMaxNodes) {
            return Status(StatusCode::kResourceExhausted,
                          "the graph has " + std::to_string(graph_.node_size()) +
                              " nodes, at most " + std::to_string(kMaxNodes) + " are allowed");
        }
        if (graph_.sparse_initializer_size() > 0) {
            return unsupported("the graph has sparse initialisers");
        }
        return Status();
    }

    Status collect_initialisers() {
        for (const auto &tensor : graph_.initializer()) {
            SEPCONV_RETURN_IF_ERROR(check_name(tensor.name(), "initialiser"));
            if (tensor.name().empty()) {
                return invalid("an initialiser has no name");
            }
            if (!initialisers_.emplace(tensor.name(), &tensor).second) {
                return invalid("two initialisers are named " + quote(tensor.name()));
            }
        }
        return Status();
    }

    // Up to IR version 3 initialisers are listed as inputs too; those are constants for us.
    Status collect_inputs() {
        for (const auto &input : graph_.input()) {
            SEPCONV_RETURN_IF_ERROR(check_name(input.name(), "input"));
            if (input.name().empty()) {
                return invalid("an input has no name");
            }
            if (!inputs_.insert(input.name()).second) {
                return invalid("two inputs are named " + quote(input.name()));
            }
        }
        return Status();
    }

    /// What nothing reads may be anything; it is an input of the library if it could be one.
    Status declare_inputs(const std::unordered_set<std::string> &read) {
        for (const auto &input : graph_.input()) {
            if (initialisers_.count(input.name()) != 0) {
                continue;
            }
            const Result<DeclaredInput> declared = declared_input(input);
            if (declared.ok()) {
                parsed_.inputs.push_back(declared.value());
            } else if (read.count(input.name()) != 0) {
                return declared.status();
            }
        }
        return Status();
    }

    static Result<DeclaredInput> declared_input(const onnx::ValueInfoProto &input) {
        const std::string what = "input " + quote(input.name());
        if (!input.type().has_tensor_type()) {
            return unsupported(what + " is not a tensor");
        }
        const auto &tensor = input.type().tensor_type();
        if (tensor.elem_type() != onnx::TensorProto::FLOAT) {
            return unsupported(what + " has element type " + data_type_name(tensor.elem_type()) +
                               ", only FLOAT is supported");
        }
        DeclaredInput declared{input.name(), std::nullopt};
        if (tensor.has_shape()) {
            if (static_cast<size_t>(tensor.shape().dim_size()) > kMaxRank) {
                return unsupported(what + " has rank " + std::to_string(tensor.shape().dim_size()) +
                                   ", at most " + std::to_string(kMaxRank) + " is supported");
            }
            declared.shape.emplace();
            for (const auto &dim : tensor.shape().dim()) {
                const bool known = dim.has_dim_value() && dim.dim_value() > 0;
                declared.shape->push_back(known ? dim.dim_value() : -1);
            }
        }
        return declared;
    }

    Status collect_producers() {
        for (int i = 0; i < graph_.node_size(); ++i) {
            const onnx::NodeProto &node = graph_.node(i);
            SEPCONV_RETURN_IF_ERROR(check_name(node.name(), "node"));
            SEPCONV_RETURN_IF_ERROR(check_name(node.op_type(), "operator"));
            if (node.input_size() > kMaxNodeValues || node.output_size() > kMaxNodeValues) {
                return proto_error(
                    StatusCode::kResourceExhausted, node,
                    "more than " + std::to_string(kMaxNodeValues) + " inputs or outputs");
            }
            if (node.output_size() == 0) {
                return proto_error(StatusCode::kInvalidModel, node, "has no output");
            }
            for (const std::string &output : node.output()) {
                SEPCONV_RETURN_IF_ERROR(check_name(output, "value"));
                if (output.empty()) {
                    continue;
                }
                if (inputs_.count(output) != 0 || initialisers_.count(output) != 0 ||
                    !producers_.emplace(output, i).second) {
                    return proto_error(StatusCode::kInvalidModel, node,
                                       "output " + quote(output) +
                                           " already names another node's output, an input or an "
                                           "initialiser");
                }
            }
        }
        return Status();
    }

    Status collect_outputs() {
        std::unordered_set<std::string> seen;
        for (const auto &output : graph_.output()) {
            const std::string what = "output " + quote(output.name());
            if (!seen.insert(output.name()).second) {
                return invalid("two outputs are named " + quote(output.name()));
            }
            if (!is_known(output.name())) {
                return invalid(what + " is produced by no node");
            }
            parsed_.outputs.push_back(output.name());
        }
        return Status();
    }

    /// Kahn's algorithm, keeping the file's order where it can.
    Status sort() {
        const int count = graph_.node_size();
        std::vector<int> waiting(static_cast<size_t>(count), 0);
        std::vector<std::vector<int>> readers(static_cast<size_t>(count));
        for (int i = 0; i < count; ++i) {
            for (const std::string &input : names_read_by(graph_.node(i))) {
                if (const auto from = producers_.find(input); from != producers_.end()) {
                    readers[static_cast<size_t>(from->second)].push_back(i);
                    ++waiting[static_cast<size_t>(i)];
                } else if (!is_known(input)) {
                    return proto_error(StatusCode::kInvalidModel, graph_.node(i),
                                       "input " + quote(input) + " is produced by no node");
                }
            }
        }
        std::priority_queue<int, std::vector<int>, std::greater<>> ready;
        for (int i = 0; i < count; ++i) {
            if (waiting[static_cast<size_t>(i)] == 0) {
                ready.push(i);
            }
        }
        while (!ready.empty()) {
            const int next = ready.top();
            ready.pop();
            order_.push_back(next);
            for (const int reader : readers[static_cast<size_t>(next)]) {
                if (--waiting[static_cast<size_t>(reader)] == 0) {
                    ready.push(reader);
                }
            }
        }
        for (int i = 0; i < count; ++i) {
            if (waiting[static_cast<size_t>(i)] > 0) {
                return proto_error(StatusCode::kInvalidModel, graph_.node(i),
                                   "depends on its own output (a cycle)");
            }
        }
        return Status();
    }

    /// Converts what the outputs need; the rest of the model may use anything.
    Status convert_needed() {
        std::vector<bool> needed(order_.size(), false);
        std::vector<std::string> wanted(parsed_.outputs);
        std::unordered_set<std::string> read(wanted.begin(), wanted.end());
        while (!wanted.empty()) {
            const std::string value = std::move(wanted.back());
            wanted.pop_back();
            const auto from = producers_.find(value);
            if (from == producers_.end() || needed[static_cast<size_t>(from->second)]) {
                continue;
            }
            needed[static_cast<size_t>(from->second)] = true;
            for (const std::string &input : names_read_by(graph_.node(from->second))) {
                if (read.insert(input).second) {
                    wanted.push_back(input);
                }
            }
        }
        SEPCONV_RETURN_IF_ERROR(declare_inputs(read));
        for (const auto &[name, tensor] : initialisers_) {
            if (read.count(name) != 0) {
                Result<Constant> constant =
                    read_tensor(*tensor, "initialiser " + quote(name), folder_, parsed_.budget);
                if (!constant.ok()) {
                    return constant.status();
                }
                parsed_.constants.emplace(name, std::move(constant).value());
            }
        }
        for (const int i : order_) {
            if (needed[static_cast<size_t>(i)]) {
                SEPCONV_RETURN_IF_ERROR(convert(graph_.node(i), i, read));
            }
        }
        return Status();
    }

    Status convert(const onnx::NodeProto &proto, int index,
                   const std::unordered_set<std::string> &read) {
        if (!is_default_domain(proto.domain())) {
            return proto_error(
                StatusCode::kUnsupported, proto,
                "operators of the domain " + quote(proto.domain()) + " are not supported");
        }
        Node node;
        node.op = proto.op_type();
        node.name = unique_name(proto, index);
        node.inputs.assign(proto.input().begin(), proto.input().end());
        while (!node.inputs.empty() && node.inputs.back().empty()) {
            node.inputs.pop_back();
        }
        for (const std::string &output : proto.output()) {
            node.outputs.push_back(read.count(output) != 0 ? output : "");
        }
        for (const auto &attribute : proto.attribute()) {
            SEPCONV_RETURN_IF_ERROR(convert_attribute(attribute, node));
        }
        parsed_.nodes.push_back(std::move(node));
        return Status();
    }

    std::string unique_name(const onnx::NodeProto &proto, int index) {
        std::string name = proto.name();
        if (name.empty() || names_.count(name) != 0) {
            name = (name.empty() ? proto.op_type() : name) + "_" + std::to_string(index);
        }
        while (!names_.insert(name).second) {
            name += "_";
        }
        return name;
    }

    Status convert_attribute(const onnx::AttributeProto &proto, Node &node) {
        const std::string what = "attribute " + quote(proto.name());
        SEPCONV_RETURN_IF_ERROR(check_name(proto.name(), "attribute"));
        if (node.has(proto.name())) {
            return node_error(StatusCode::kInvalidModel, node, what + " occurs twice");
        }
        Attribute value;
        switch (proto.type()) {
            case onnx::AttributeProto::FLOAT:
                value = proto.f();
                break;
            case onnx::AttributeProto::INT:
                value = static_cast<int64_t>(proto.i());
                break;
            case onnx::AttributeProto::STRING:
                value = proto.s();
                break;
            case onnx::AttributeProto::FLOATS:
                value = std::vector<float>(proto.floats().begin(), proto.floats().end());
                break;
            case onnx::AttributeProto::INTS:
                value = std::vector<int64_t>(proto.ints().begin(), proto.ints().end());
                break;
            case onnx::AttributeProto::TENSOR: {
                Result<Constant> constant =
                    read_tensor(proto.t(), node_text(node) + ": " + what, folder_, parsed_.budget);
                if (!constant.ok()) {
                    return constant.status();
                }
                value = std::move(constant).value();
                break;
            }
            case onnx::AttributeProto::GRAPH:
                if (node.op == "If") {
                    value = branch_of(proto.g());
                    break;
                }
                [[fallthrough]];
            case onnx::AttributeProto::GRAPHS:
                return node_error(StatusCode::kUnsupported, node,
                                  what + " is a subgraph; of control flow only If is supported");
            default:
                return node_error(
                    StatusCode::kUnsupported, node,
                    what + " has the unsupported kind " + std::to_string(proto.type()));
        }
        node.attributes.emplace(proto.name(), std::move(value));
        return Status();
    }

    /// What is wrong with a branch matters when it is taken. Protobuf limits how deep they nest.
    std::shared_ptr<const Branch> branch_of(const onnx::GraphProto &graph) {
        Parser parser(graph, parsed_.budget, folder_, this);
        Result<ParsedModel> parsed = parser.parse();
        parsed_.budget = parser.budget();
        Branch branch;
        if (!parsed.ok()) {
            branch.status = parsed.status();
        } else if (graph.input_size() != 0) {
            branch.status = invalid("the branch " + quote(graph.name()) + " of an If has inputs");
        } else {
            branch.nodes = std::move(parsed.value().nodes);
            branch.outputs = std::move(parsed.value().outputs);
            branch.constants = std::move(parsed.value().constants);
        }
        return std::make_shared<const Branch>(std::move(branch));
    }

    const onnx::GraphProto &graph_;
    const std::string &folder_;
    const Parser *around_;  ///< Of the graph around this one, or null.
    ParsedModel parsed_;
    std::map<std::string, const onnx::TensorProto *> initialisers_;
    std::unordered_set<std::string> inputs_;  ///< All listed, initialisers included.
    std::unordered_map<std::string, int> producers_;
    std::vector<int> order_;
    std::unordered_set<std::string> names_;
};

}  // namespace

Result<ParsedModel> parse_onnx(std::string_view bytes, const std::string &folder) {
    if (bytes.size() > kMaxFileBytes) {
        return Status(StatusCode::kResourceExhausted,
                      "the model has " + std::to_string(bytes.size()) + " bytes, at most " +
                          std::to_string(kMaxFileBytes) + " are allowed");
    }
    onnx::ModelProto model;
    if (bytes.empty() || !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return invalid("not an ONNX model: the " + std::to_string(bytes.size()) +
                       " bytes are not a protobuf message of the kind ModelProto");
    }
    const Result<int64_t> opset = default_opset(model);
    if (!opset.ok()) {
        return opset.status();
    }
    ConstantBudget budget;
    budget.derived += static_cast<int64_t>(bytes.size()) * kDerivedPerByte;
    Result<ParsedModel> parsed = Parser(model.graph(), budget, folder).parse();
    if (parsed.ok()) parsed.value().opset = opset.value();
    return parsed;
}

}  // namespace sepconv
