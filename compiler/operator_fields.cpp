#include "compiler/operator_fields.h"

#include <algorithm>
#include <sstream>

#include "compiler/diagnostic.h"

namespace sepconv {
namespace {

/// "10-", "-9", "7-8" or "10".
void read_range(const std::string &text, OperatorField &field) {
    const size_t dash = text.find('-');
    const std::string first = text.substr(0, dash);
    const std::string last = dash == std::string::npos ? first : text.substr(dash + 1);
    field.since = first.empty() ? 1 : std::stoll(first);
    field.until = last.empty() ? 0 : std::stoll(last);
}

OperatorField read_field(std::string word) {
    OperatorField field;
    if (const size_t range = word.find('@'); range != std::string::npos) {
        read_range(word.substr(range + 1), field);
        word.resize(range);
    }
    const size_t colon = word.find(':');
    field.name = word.substr(0, colon);
    field.kind = word[colon + 1];
    std::istringstream values(word.substr(std::min(colon + 3, word.size())));
    for (std::string value; std::getline(values, value, '|');) field.values.push_back(value);
    return field;
}

char kind_of(const Attribute &attribute) {
    constexpr char kKinds[] = {'i', 'f', 's', 'I', 'F', 'T', 'G'};
    return kKinds[attribute.index()];
}

std::string listed(const std::vector<std::string> &values) {
    std::string text;
    for (const std::string &value : values) text += (text.empty() ? "" : ", ") + value;
    return text;
}

Status check_attribute(const Node &node, const std::string &name, const Attribute &value,
                       const std::vector<OperatorField> &fields, int64_t opset) {
    const auto named = [&](const OperatorField &field) {
        return field.name == name && field.kind != 'x';
    };
    const auto field = std::find_if(fields.begin(), fields.end(), named);
    const std::string what = "attribute " + quote(name);
    if (field == fields.end()) {
        return node_error(StatusCode::kUnsupported, node, what + " is not known");
    }
    if (!field->exists(opset)) {
        return node_error(StatusCode::kInvalidModel, node,
                          what + " does not exist in operator set " + std::to_string(opset));
    }
    if (kind_of(value) != field->kind) {
        return node_error(StatusCode::kInvalidModel, node, what + " has the wrong type");
    }
    const auto *text = std::get_if<std::string>(&value);
    if (text != nullptr &&
        std::find(field->values.begin(), field->values.end(), *text) == field->values.end()) {
        return node_error(
            StatusCode::kUnsupported, node,
            name + " " + quote(*text) + " is not supported; supported: " + listed(field->values));
    }
    return Status();
}

}  // namespace

std::vector<OperatorField> operator_fields(std::string_view words) {
    std::vector<OperatorField> fields;
    std::istringstream stream{std::string(words)};
    for (std::string word; stream >> word;) fields.push_back(read_field(word));
    return fields;
}

Status check_attributes(const Node &node, const std::vector<OperatorField> &fields, int64_t opset) {
    for (const auto &[name, value] : node.attributes) {
        SEPCONV_RETURN_IF_ERROR(check_attribute(node, name, value, fields, opset));
    }
    return Status();
}

}  // namespace sepconv
