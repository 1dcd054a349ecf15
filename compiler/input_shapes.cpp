#include "compiler/input_shapes.h"

#include <algorithm>

#include "compiler/diagnostic.h"
#include "compiler/limits.h"

namespace sepconv {
namespace {

std::string names_of(const std::vector<DeclaredInput> &inputs) {
    std::string names;
    for (const DeclaredInput &input : inputs) {
        names += (names.empty() ? "" : ", ") + quote(input.name);
    }
    return names.empty() ? "none" : names;
}

Result<Shape> given_shape(const DeclaredInput &declared, const Shape &given) {
    if (declared.shape && declared.shape->size() != given.size()) {
        return Status(StatusCode::kInvalidArgument, "--input-shape gives " + quote(declared.name) +
                                                        " rank " + std::to_string(given.size()) +
                                                        ", the model declares rank " +
                                                        std::to_string(declared.shape->size()));
    }
    for (const int64_t extent : given) {
        if (extent < 1) {
            return Status(StatusCode::kInvalidArgument,
                          "--input-shape gives " + quote(declared.name) + " the shape " +
                              shape_text(given) + ", expected positive extents");
        }
    }
    return given;
}

Result<Shape> declared_shape(const DeclaredInput &declared) {
    if (!declared.shape) {
        return Status(StatusCode::kInvalidArgument,
                      "input " + quote(declared.name) +
                          " has no declared shape: give it with --input-shape " +
                          quote(quote(declared.name + "=...")));
    }
    Shape shape = *declared.shape;
    std::string wanted;
    for (size_t i = 0; i < shape.size(); ++i) {
        if (i == 0 && shape[i] < 1) {
            shape[i] = 1;
        }
        wanted += (i == 0 ? "" : "x") + (shape[i] < 1 ? "?" : std::to_string(shape[i]));
    }
    if (wanted.find('?') != std::string::npos) {
        return Status(StatusCode::kInvalidArgument, "input " + quote(declared.name) +
                                                        " has unknown extents: give them with "
                                                        "--input-shape " +
                                                        quote(declared.name + "=" + wanted));
    }
    return shape;
}

}  // namespace

Result<std::vector<Shape>> input_shapes(const std::vector<DeclaredInput> &inputs,
                                        const std::map<std::string, Shape> &given) {
    for (const auto &[name, shape] : given) {
        const bool known =
            std::any_of(inputs.begin(), inputs.end(),
                        [&name = name](const DeclaredInput &in) { return in.name == name; });
        if (!known) {
            return Status(StatusCode::kInvalidArgument,
                          "--input-shape names " + quote(name) +
                              ", which is no input of the model; its inputs are " +
                              names_of(inputs));
        }
    }
    std::vector<Shape> shapes;
    for (const DeclaredInput &declared : inputs) {
        const auto replaced = given.find(declared.name);
        Result<Shape> shape = replaced != given.end() ? given_shape(declared, replaced->second)
                                                      : declared_shape(declared);
        SEPCONV_RETURN_IF_ERROR(shape.status());
        SEPCONV_RETURN_IF_ERROR(check_shape("input " + quote(declared.name), shape.value()));
        shapes.push_back(std::move(shape).value());
    }
    return shapes;
}

}  // namespace sepconv
