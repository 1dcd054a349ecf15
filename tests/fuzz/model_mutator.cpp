#include "tests/fuzz/model_mutator.h"

#include <climits>
#include <cmath>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "compiler/infer_shapes.h"

namespace sepconv {
namespace {

constexpr int kMaxElements =
    4096;  ///< Of a constant that is given as many values as its shape has.

const std::vector<std::string> &operators() {
    static const std::vector<std::string> list = [] {
        std::vector<std::string> names;
        for (const auto &[name, fields] : shape_rules()) names.push_back(name);
        return names;
    }();
    return list;
}

class Mutator {
public:
    Mutator(onnx::ModelProto &model, unsigned seed)
        : model_(model), graph_(*model.mutable_graph()), random_(seed) {
        for (const auto &input : graph_.input()) values_.push_back(input.name());
        for (const auto &constant : graph_.initializer()) values_.push_back(constant.name());
        for (const auto &node : graph_.node()) {
            values_.insert(values_.end(), node.output().begin(), node.output().end());
        }
    }

    void mutate() {
        using Edit = void (Mutator::*)();
        static constexpr Edit kEdits[] = {
            &Mutator::edit_attribute, &Mutator::edit_attribute, &Mutator::add_attribute,
            &Mutator::edit_shape,     &Mutator::edit_constant,  &Mutator::edit_constant,
            &Mutator::edit_operator,  &Mutator::edit_inputs,    &Mutator::edit_inputs,
            &Mutator::add_node,       &Mutator::add_node,       &Mutator::remove_node,
            &Mutator::edit_outputs,   &Mutator::edit_opset,     &Mutator::edit_name};
        for (unsigned i = 0, count = 1 + pick(4); i < count; ++i) {
            (this->*kEdits[pick(std::size(kEdits))])();
        }
    }

    void join(const onnx::ModelProto &other) {
        const onnx::GraphProto &from = other.graph();
        if (from.node_size() == 0) return;
        const std::string prefix = "j" + std::to_string(pick(1000)) + ".";
        std::set<std::string> own;  // What comes along under a new name.
        for (const auto &constant : from.initializer()) {
            *graph_.add_initializer() = constant;
            graph_.mutable_initializer()->rbegin()->set_name(prefix + constant.name());
            own.insert(constant.name());
        }
        const int first = static_cast<int>(pick(static_cast<size_t>(from.node_size())));
        for (int i = first; i < from.node_size() && i < first + 8; ++i) {
            onnx::NodeProto &node = *graph_.add_node();
            node = from.node(i);
            node.set_name(prefix + node.name());
            for (std::string &input : *node.mutable_input()) {
                if (!input.empty()) input = own.count(input) != 0 ? prefix + input : value();
            }
            for (std::string &output : *node.mutable_output()) {
                own.insert(output);
                output = prefix + output;
            }
            if (node.output_size() > 0) graph_.add_output()->set_name(node.output(0));
        }
        if (graph_.output_size() > 1 && pick(2) == 0) {
            graph_.mutable_output()->DeleteSubrange(0, 1);
        }
    }

private:
    size_t pick(size_t count) {
        return std::uniform_int_distribution<size_t>(0, count - 1)(random_);
    }

    template<typename List>
    auto *any(List *list) {
        return list->empty()
                   ? nullptr
                   : list->Mutable(static_cast<int>(pick(static_cast<size_t>(list->size()))));
    }
    onnx::NodeProto *any_node() { return any(graph_.mutable_node()); }
    std::string value() { return values_.empty() ? "" : values_[pick(values_.size())]; }

    int64_t number(int64_t old) {
        constexpr int64_t kNumbers[] = {
            0,       1,       -1,      2,       3,       4,        8,        16,       17,      255,
            1 << 16, 1 << 20, 1 << 30, INT_MAX, INT_MIN, 1L << 31, 1L << 32, LONG_MAX, LONG_MIN};
        const uint64_t bits = static_cast<uint64_t>(old);
        switch (pick(6)) {
            case 0:
                return kNumbers[pick(std::size(kNumbers))];
            case 1:
                return static_cast<int64_t>(bits + 1);
            case 2:
                return static_cast<int64_t>(bits - 1);
            case 3:
                return static_cast<int64_t>(bits * 2);
            case 4:
                return old / 2;
            default:
                return static_cast<int64_t>(pick(12));
        }
    }

    float real(float old) {
        const float numbers[] = {0.0F,  1.0F,     -1.0F, 0.5F,      6.0F,    1e-30F,
                                 1e30F, INFINITY, NAN,   -INFINITY, old * 2, old + 1};
        return numbers[pick(std::size(numbers))];
    }

    template<typename Numbers>
    void edit_numbers(Numbers *list) {
        const size_t choice = pick(5);
        if (choice == 0 || list->empty()) {
            list->Add(number(1));
        } else if (choice == 1) {
            list->RemoveLast();
        } else {
            auto &one = *list->Mutable(static_cast<int>(pick(static_cast<size_t>(list->size()))));
            one = number(one);
        }
    }

    void edit_attribute() {
        onnx::NodeProto *node = any_node();
        onnx::AttributeProto *attribute =
            node == nullptr ? nullptr : any(node->mutable_attribute());
        if (attribute == nullptr) return add_attribute();
        if (pick(12) == 0) return node->mutable_attribute()->RemoveLast();
        if (pick(24) == 0) {
            return attribute->set_type(static_cast<onnx::AttributeProto::AttributeType>(pick(12)));
        }
        switch (attribute->type()) {
            case onnx::AttributeProto::INT:
                return attribute->set_i(number(attribute->i()));
            case onnx::AttributeProto::FLOAT:
                return attribute->set_f(real(attribute->f()));
            case onnx::AttributeProto::INTS:
                return edit_numbers(attribute->mutable_ints());
            case onnx::AttributeProto::FLOATS:
                return attribute->add_floats(real(1));
            case onnx::AttributeProto::TENSOR:
                return edit_tensor(*attribute->mutable_t());
            default:
                return set_string(*attribute);
        }
    }

    /// Any that some operator knows, or one that none does.
    void set_string(onnx::AttributeProto &attribute) {
        static const std::vector<std::string> strings = [] {
            std::set<std::string> all{"wrap"};
            for (const auto &[name, fields] : shape_rules()) {
                for (const OperatorField &field : fields) {
                    all.insert(field.values.begin(), field.values.end());
                }
            }
            return std::vector<std::string>(all.begin(), all.end());
        }();
        attribute.set_s(strings[pick(strings.size())]);
    }

    /// One that the operator knows, with a value of its kind.
    void add_attribute() {
        onnx::NodeProto *node = any_node();
        if (node == nullptr) return;
        const auto rule = shape_rules().find(node->op_type());
        if (rule == shape_rules().end() || rule->second.empty()) return;
        const OperatorField &field = rule->second[pick(rule->second.size())];
        onnx::AttributeProto &attribute = *node->add_attribute();
        attribute.set_name(field.name);
        switch (field.kind) {
            case 'i':
                attribute.set_type(onnx::AttributeProto::INT);
                return attribute.set_i(number(1));
            case 'f':
                attribute.set_type(onnx::AttributeProto::FLOAT);
                return attribute.set_f(real(1));
            case 'I':
                attribute.set_type(onnx::AttributeProto::INTS);
                for (size_t i = 0, count = pick(5); i < count; ++i) attribute.add_ints(number(1));
                return;
            case 'F':
                attribute.set_type(onnx::AttributeProto::FLOATS);
                for (size_t i = 0, count = pick(5); i < count; ++i) attribute.add_floats(real(1));
                return;
            case 'T':
                attribute.set_type(onnx::AttributeProto::TENSOR);
                if (graph_.initializer_size() > 0) {
                    *attribute.mutable_t() = *any(graph_.mutable_initializer());
                }
                return;
            default:
                attribute.set_type(onnx::AttributeProto::STRING);
                return set_string(attribute);
        }
    }

    void edit_shape() {
        onnx::ValueInfoProto *input = any(graph_.mutable_input());
        if (input == nullptr) return;
        auto *shape = input->mutable_type()->mutable_tensor_type()->mutable_shape();
        const size_t choice = pick(6);
        if (choice == 0 || shape->dim().empty()) {
            shape->add_dim()->set_dim_value(number(1));
        } else if (choice == 1) {
            shape->mutable_dim()->RemoveLast();
        } else {
            auto *dim = any(shape->mutable_dim());
            dim->set_dim_value(number(dim->dim_value()));
        }
    }

    void edit_constant() {
        if (onnx::TensorProto *tensor = any(graph_.mutable_initializer())) edit_tensor(*tensor);
    }

    /// Its shape (and then mostly its values fit it), one value, its type, or where it lies.
    void edit_tensor(onnx::TensorProto &tensor) {
        const size_t choice = pick(8);
        if (choice < 4) {
            edit_numbers(tensor.mutable_dims());
            if (choice > 0) fit(tensor);
        } else if (choice < 6 && tensor.int64_data_size() > 0) {
            edit_numbers(tensor.mutable_int64_data());
        } else if (choice < 6 && !tensor.raw_data().empty()) {
            std::string &raw = *tensor.mutable_raw_data();
            const bool wide = tensor.data_type() == onnx::TensorProto::INT64;
            const int64_t whole = number(static_cast<unsigned char>(raw[0]));
            const float part = real(1);
            const size_t width = wide ? 8 : 4, at = pick(raw.size()) / width * width;
            if (at + width <= raw.size()) {
                raw.replace(at, width,
                            wide ? reinterpret_cast<const char *>(&whole)
                                 : reinterpret_cast<const char *>(&part),
                            width);
            }
        } else if (choice == 6) {
            tensor.set_data_type(static_cast<int>(pick(13)));
            fit(tensor);
        } else {
            edit_location(tensor);
        }
    }

    void edit_location(onnx::TensorProto &tensor) {
        constexpr const char *kPlaces[] = {"data.bin", "../data.bin", "/etc/passwd", ".",
                                           "",         "none"};
        constexpr const char *kNumbers[] = {"0", "4", "64", "-1", "18446744073709551615", "x"};
        constexpr const char *kKeys[] = {"location", "offset", "length"};
        tensor.set_data_location(onnx::TensorProto::EXTERNAL);
        for (size_t i = 0; i < std::size(kKeys); ++i) {
            auto &entry = *tensor.add_external_data();
            entry.set_key(kKeys[i]);
            entry.set_value(i == 0 ? kPlaces[pick(2) == 0 ? 0 : pick(std::size(kPlaces))]
                                   : kNumbers[pick(std::size(kNumbers))]);
        }
    }

    /// Values for the shape, if there are not too many.
    static void fit(onnx::TensorProto &tensor) {
        int64_t count = 1;
        for (const int64_t dim : tensor.dims()) {
            if (dim < 0 || dim > kMaxElements) return;
            count *= dim;
            if (count > kMaxElements) return;
        }
        const bool wide = tensor.data_type() == onnx::TensorProto::INT64 ||
                          tensor.data_type() == onnx::TensorProto::DOUBLE;
        const bool narrow = tensor.data_type() == onnx::TensorProto::BOOL;
        const size_t bytes = static_cast<size_t>(count) * (wide ? 8 : narrow ? 1 : 4);
        if (tensor.raw_data().empty()) tensor.clear_float_data(), tensor.clear_int64_data();
        tensor.mutable_raw_data()->resize(bytes, '\1');
    }

    void edit_operator() {
        if (onnx::NodeProto *node = any_node())
            node->set_op_type(operators()[pick(operators().size())]);
    }

    void edit_inputs() {
        onnx::NodeProto *node = any_node();
        if (node == nullptr) return;
        const size_t choice = pick(6);
        if (choice == 0 || node->input().empty()) {
            node->add_input(value());
        } else if (choice == 1) {
            node->mutable_input()->RemoveLast();
        } else if (choice == 2 && node->input_size() > 1) {
            node->mutable_input()->SwapElements(0, 1);
        } else {
            *any(node->mutable_input()) = pick(8) == 0 ? "" : value();
        }
    }

    /// Reads some values; its result is an output, or is read where another value was.
    void add_node() {
        const std::string name = "m" + std::to_string(pick(100000));
        onnx::NodeProto *reader = any_node();
        onnx::NodeProto node;
        if (reader != nullptr && pick(2) == 0) {
            node = *reader;
            node.clear_output();
        } else {
            node.set_op_type(operators()[pick(operators().size())]);
            for (size_t i = 0, count = 1 + pick(3); i < count; ++i) node.add_input(value());
        }
        node.set_name(name);
        node.add_output(name);
        if (reader != nullptr && !reader->input().empty() && pick(2) == 0) {
            std::string &replaced = *any(reader->mutable_input());
            if (!node.input().empty() && pick(2) == 0) *node.mutable_input(0) = replaced;
            replaced = name;
        } else {
            graph_.add_output()->set_name(name);
        }
        *graph_.add_node() = std::move(node);
        values_.push_back(name);
    }

    /// Its readers read its first input.
    void remove_node() {
        if (graph_.node().empty()) return;
        const int at = static_cast<int>(pick(static_cast<size_t>(graph_.node_size())));
        const onnx::NodeProto gone = graph_.node(at);
        graph_.mutable_node()->DeleteSubrange(at, 1);
        const std::string from = gone.input_size() > 0 ? gone.input(0) : "";
        for (onnx::NodeProto &node : *graph_.mutable_node()) {
            for (std::string &input : *node.mutable_input()) {
                if (gone.output_size() > 0 && input == gone.output(0)) input = from;
            }
        }
        for (auto &output : *graph_.mutable_output()) {
            if (gone.output_size() > 0 && output.name() == gone.output(0)) output.set_name(from);
        }
    }

    void edit_outputs() {
        onnx::NodeProto *node = any_node();
        const size_t choice = pick(4);
        if (choice == 0 && graph_.output_size() > 1) {
            graph_.mutable_output()->DeleteSubrange(
                static_cast<int>(pick(static_cast<size_t>(graph_.output_size()))), 1);
        } else if (choice == 1 && node != nullptr) {
            node->add_output("m" + std::to_string(pick(100000)));
        } else {
            graph_.add_output()->set_name(value());
        }
    }

    void edit_opset() {
        if (model_.opset_import().empty()) model_.add_opset_import();
        any(model_.mutable_opset_import())->set_version(static_cast<int64_t>(5 + pick(25)));
    }

    /// Of a value, wherever it occurs.
    void edit_name() {
        constexpr const char *kNames[] = {"",    "\"",    "'\n", "a_", "a",
                                          "x\\", "/../x", "%s",  "{}", "\xff"};
        const std::string from = value();
        const std::string to = kNames[pick(std::size(kNames))] + (pick(2) == 0 ? from : "");
        const auto rename = [&](std::string &name) {
            if (name == from) name = to;
        };
        for (auto &input : *graph_.mutable_input()) rename(*input.mutable_name());
        for (auto &output : *graph_.mutable_output()) rename(*output.mutable_name());
        for (auto &constant : *graph_.mutable_initializer()) rename(*constant.mutable_name());
        for (auto &node : *graph_.mutable_node()) {
            for (std::string &input : *node.mutable_input()) rename(input);
            for (std::string &output : *node.mutable_output()) rename(output);
        }
    }

    onnx::ModelProto &model_;
    onnx::GraphProto &graph_;
    std::minstd_rand random_;
    std::vector<std::string> values_;
};

}  // namespace

void mutate_model(onnx::ModelProto &model, unsigned seed) {
    Mutator(model, seed).mutate();
}

void join_models(onnx::ModelProto &model, const onnx::ModelProto &other, unsigned seed) {
    Mutator(model, seed).join(other);
}

}  // namespace sepconv
