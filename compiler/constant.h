#ifndef SEPCONV_COMPILER_CONSTANT_H_
#define SEPCONV_COMPILER_CONSTANT_H_

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/element.h"

namespace sepconv {

using Shape = std::vector<int64_t>;

/// Product of the extents; 1 for a scalar. Shapes in a graph never overflow (the reader checks).
int64_t element_count(const Shape &shape);

/// The element type of a list that Constant::visit hands out.
template<typename List>
using ElementOf = typename std::decay_t<List>::value_type;

/// A constant: initialiser or folded value. Holds element_count(shape) elements of its own type in
/// row-major order.
struct Constant {
    /// In ElementType's order.
    using Storage = std::variant<std::vector<float>, std::vector<double>, std::vector<Half>,
                                 std::vector<int8_t>, std::vector<uint8_t>, std::vector<int32_t>,
                                 std::vector<int64_t>, std::vector<Bool>>;

    Shape shape;
    Storage storage;

    Constant() = default;
    Constant(Shape of_shape, Storage values)
        : shape(std::move(of_shape)), storage(std::move(values)) {}
    static Constant zeros(ElementType type, Shape shape);

    ElementType type() const { return static_cast<ElementType>(storage.index()); }
    bool is_floating() const;
    /// Integers without BOOL.
    bool is_integer() const;

    /// The elements, which are of type T.
    template<typename T>
    std::vector<T> &values() {
        return std::get<std::vector<T>>(storage);
    }
    template<typename T>
    const std::vector<T> &values() const {
        return std::get<std::vector<T>>(storage);
    }
    std::vector<float> &floats() { return values<float>(); }
    const std::vector<float> &floats() const { return values<float>(); }

    /// fn(vector of the elements), whatever their type is. Returns what it returns.
    template<typename Fn>
    decltype(auto) visit(Fn &&fn) const {
        return std::visit(std::forward<Fn>(fn), storage);
    }
    template<typename Fn>
    decltype(auto) visit(Fn &&fn) {
        return std::visit(std::forward<Fn>(fn), storage);
    }

    /// Every element cast to T (element.h).
    template<typename T>
    std::vector<T> converted() const {
        return visit([](const auto &list) {
            std::vector<T> result;
            result.reserve(list.size());
            for (const auto &element : list) result.push_back(convert<T>(element));
            return result;
        });
    }
};

/// Cast: `value` with every element converted to `to`.
Constant cast_constant(const Constant &value, ElementType to);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_CONSTANT_H_
