#include "compiler/graph.h"

#include <algorithm>

namespace sepconv {
namespace {

template<typename T>
T attribute_or(const Node &node, const std::string &key, const T &otherwise) {
    const auto found = node.attributes.find(key);
    if (found == node.attributes.end()) {
        return otherwise;
    }
    const T *value = std::get_if<T>(&found->second);
    return value ? *value : otherwise;
}

}  // namespace

int64_t Node::attribute(const std::string &key, int64_t otherwise) const {
    return attribute_or(*this, key, otherwise);
}

float Node::attribute(const std::string &key, float otherwise) const {
    return attribute_or(*this, key, otherwise);
}

std::string Node::attribute(const std::string &key, const std::string &otherwise) const {
    return attribute_or(*this, key, otherwise);
}

std::vector<int64_t> Node::attribute(const std::string &key,
                                     const std::vector<int64_t> &otherwise) const {
    return attribute_or(*this, key, otherwise);
}

std::vector<float> Node::attribute(const std::string &key,
                                   const std::vector<float> &otherwise) const {
    return attribute_or(*this, key, otherwise);
}

const std::string &Node::input(size_t i) const {
    static const std::string none;
    return i < inputs.size() ? inputs[i] : none;
}

const Shape &Graph::shape_of(const std::string &value) const {
    static const Shape none;
    if (const auto found = values.find(value); found != values.end()) {
        return found->second.shape;
    }
    const Constant *known = constant(value);
    return known ? known->shape : none;
}

const Constant *Graph::constant(const std::string &value) const {
    const auto found = constants.find(value);
    return found == constants.end() ? nullptr : &found->second;
}

int Graph::use_count(const std::string &value) const {
    auto uses = std::count(outputs.begin(), outputs.end(), value);
    for (const Node &node : nodes) {
        uses += std::count(node.inputs.begin(), node.inputs.end(), value);
    }
    return static_cast<int>(uses);
}

const Node *Graph::producer(const std::string &value) const {
    for (const Node &node : nodes) {
        if (std::find(node.outputs.begin(), node.outputs.end(), value) != node.outputs.end()) {
            return &node;
        }
    }
    return nullptr;
}

}  // namespace sepconv
