#include "compiler/diagnostic.h"

#include <algorithm>
#include <cstdio>

#include "compiler/limits.h"

namespace sepconv {

namespace {

std::string escaped(std::string_view name) {
    constexpr size_t kShown = 120;
    std::string text;
    for (const char c : name.substr(0, kShown)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            char code[8];
            std::snprintf(code, sizeof(code), "\\x%02x", byte);
            text += code;
        } else {
            if (c == '\'' || c == '\\') {
                text += '\\';
            }
            text += c;
        }
    }
    return name.size() > kShown ? text + "..." : text;
}

}  // namespace

std::string quote(std::string_view name) {
    return "'" + escaped(name) + "'";
}

std::string shape_text(const Shape &shape) {
    if (shape.empty()) {
        return "scalar";
    }
    std::string text;
    for (size_t i = 0; i < std::min(shape.size(), kMaxRank); ++i) {
        text += (i == 0 ? "" : "x") + std::to_string(shape[i]);
    }
    if (shape.size() > kMaxRank) text += "x... of rank " + std::to_string(shape.size());
    return text;
}

std::string node_text(const Node &node) {
    return "node " + quote(node.name) + " (" + escaped(node.op) + ")";
}

Status node_error(StatusCode code, const Node &node, const std::string &text) {
    return Status(code, node_text(node) + ": " + text);
}

Status check_shape(const std::string &what, const Shape &shape) {
    if (shape.size() > kMaxRank) {
        return Status(StatusCode::kUnsupported, what + " has rank " + std::to_string(shape.size()) +
                                                    ", at most " + std::to_string(kMaxRank) +
                                                    " is supported");
    }
    // Each factor is at most 2^31 and the product is checked at once, so 64 bits suffice. An extent
    // of 0 counts as 1, so that no product of some extents overflows either.
    int64_t elements = 1;
    for (const int64_t extent : shape) {
        if (extent < 0) {
            return Status(StatusCode::kInvalidModel,
                          what + " has a negative extent: " + shape_text(shape));
        }
        if (extent > kMaxExtent) {
            return Status(StatusCode::kResourceExhausted,
                          what + " has an extent above 2^31 - 1: " + shape_text(shape));
        }
        elements = elements > kMaxElements ? elements : elements * (extent == 0 ? 1 : extent);
    }
    if (elements > kMaxElements) {
        return Status(StatusCode::kResourceExhausted,
                      what + " has more than 2^31 - 1 elements: " + shape_text(shape));
    }
    return Status();
}

Status over_budget(const std::string &what) {
    return Status(StatusCode::kResourceExhausted,
                  what + ": what is made of the model's constants would exceed " +
                      std::to_string(kMaxDerivedBytes) + " bytes and " +
                      std::to_string(kDerivedPerByte) + " for each byte of the model");
}

}  // namespace sepconv
