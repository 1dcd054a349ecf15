#ifndef SEPCONV_TESTS_COMPILER_MODEL_BUILDER_H_
#define SEPCONV_TESTS_COMPILER_MODEL_BUILDER_H_

#include <string>
#include <vector>

#include "compiler/graph.h"
#include "onnx/onnx.pb.h"

namespace sepconv {

/// Builds small ONNX models for tests, without checks: hostile ones too.
class ModelBuilder {
public:
    explicit ModelBuilder(int64_t opset = 13) {
        model_.set_ir_version(8);
        model_.add_opset_import()->set_version(opset);
    }

    onnx::ModelProto &model() { return model_; }
    onnx::GraphProto &graph() { return *model_.mutable_graph(); }

    /// A float input; an extent of -1 is symbolic.
    ModelBuilder &input(const std::string &name, const Shape &shape) {
        auto *value = graph().add_input();
        value->set_name(name);
        auto *tensor = value->mutable_type()->mutable_tensor_type();
        tensor->set_elem_type(onnx::TensorProto::FLOAT);
        tensor->mutable_shape();
        for (const int64_t extent : shape) {
            auto *dim = tensor->mutable_shape()->add_dim();
            if (extent == -1) {
                dim->set_dim_param("unknown");
            } else {
                dim->set_dim_value(extent);
            }
        }
        return *this;
    }

    ModelBuilder &output(const std::string &name) {
        graph().add_output()->set_name(name);
        return *this;
    }

    /// A float initialiser; one value fills it, none makes it count up from 1.
    ModelBuilder &floats(const std::string &name, const Shape &shape,
                         const std::vector<float> &values = {}) {
        onnx::TensorProto &tensor = tensor_of(name, shape, onnx::TensorProto::FLOAT);
        for (int64_t i = 0; i < element_count(shape); ++i) {
            tensor.add_float_data(values.empty()       ? static_cast<float>(i + 1)
                                  : values.size() == 1 ? values[0]
                                                       : values[static_cast<size_t>(i)]);
        }
        return *this;
    }

    /// A list of int64.
    ModelBuilder &ints(const std::string &name, const std::vector<int64_t> &values) {
        onnx::TensorProto &tensor =
            tensor_of(name, {static_cast<int64_t>(values.size())}, onnx::TensorProto::INT64);
        for (const int64_t value : values) {
            tensor.add_int64_data(value);
        }
        return *this;
    }

    onnx::TensorProto &tensor_of(const std::string &name, const Shape &shape,
                                 onnx::TensorProto::DataType type) {
        onnx::TensorProto &tensor = *graph().add_initializer();
        tensor.set_name(name);
        tensor.set_data_type(type);
        for (const int64_t extent : shape) {
            tensor.add_dims(extent);
        }
        return tensor;
    }

    /// The node that was added last; attributes go to it.
    ModelBuilder &node(const std::string &op, const std::vector<std::string> &inputs,
                       const std::vector<std::string> &outputs, const std::string &name = "") {
        onnx::NodeProto &node = *graph().add_node();
        node.set_op_type(op);
        node.set_name(name);
        for (const std::string &input : inputs) {
            node.add_input(input);
        }
        for (const std::string &output : outputs) {
            node.add_output(output);
        }
        return *this;
    }

    ModelBuilder &with(const std::string &key, int64_t value) {
        attribute(key, onnx::AttributeProto::INT).set_i(value);
        return *this;
    }
    ModelBuilder &with(const std::string &key, float value) {
        attribute(key, onnx::AttributeProto::FLOAT).set_f(value);
        return *this;
    }
    ModelBuilder &with(const std::string &key, const char *value) {
        attribute(key, onnx::AttributeProto::STRING).set_s(value);
        return *this;
    }
    ModelBuilder &with(const std::string &key, const std::vector<int64_t> &values) {
        onnx::AttributeProto &made = attribute(key, onnx::AttributeProto::INTS);
        for (const int64_t value : values) {
            made.add_ints(value);
        }
        return *this;
    }
    ModelBuilder &with(const std::string &key, const std::vector<float> &values) {
        onnx::AttributeProto &made = attribute(key, onnx::AttributeProto::FLOATS);
        for (const float value : values) {
            made.add_floats(value);
        }
        return *this;
    }

    std::string bytes() const { return model_.SerializeAsString(); }

private:
    onnx::AttributeProto &attribute(const std::string &key,
                                    onnx::AttributeProto::AttributeType type) {
        onnx::NodeProto &last = *graph().mutable_node(graph().node_size() - 1);
        onnx::AttributeProto &made = *last.add_attribute();
        made.set_name(key);
        made.set_type(type);
        return made;
    }

    onnx::ModelProto model_;
};

}  // namespace sepconv

#endif  // SEPCONV_TESTS_COMPILER_MODEL_BUILDER_H_
