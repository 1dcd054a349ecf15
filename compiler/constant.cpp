#include "compiler/constant.h"

namespace sepconv {
namespace {

template<size_t... kIndices>
Constant::Storage empty_storage(size_t index, std::index_sequence<kIndices...> /*all*/) {
    Constant::Storage storage;
    // One of the alternatives has the index.
    ((index == kIndices ? void(storage.emplace<kIndices>()) : void()), ...);
    return storage;
}

Constant::Storage storage_of(ElementType type) {
    constexpr size_t kTypes = std::variant_size_v<Constant::Storage>;
    return empty_storage(static_cast<size_t>(type), std::make_index_sequence<kTypes>());
}

}  // namespace

int64_t element_count(const Shape &shape) {
    int64_t count = 1;
    for (const int64_t extent : shape) {
        count *= extent;
    }
    return count;
}

Constant Constant::zeros(ElementType type, Shape shape) {
    const auto count = static_cast<size_t>(element_count(shape));
    Constant result(std::move(shape), storage_of(type));
    result.visit([count](auto &list) { list.resize(count); });
    return result;
}

bool Constant::is_floating() const {
    return visit([](const auto &list) { return kIsFloating<ElementOf<decltype(list)>>; });
}

bool Constant::is_integer() const {
    return !is_floating() && type() != ElementType::kBool;
}

Constant cast_constant(const Constant &value, ElementType to) {
    Constant result(value.shape, storage_of(to));
    result.visit([&](auto &list) { list = value.converted<ElementOf<decltype(list)>>(); });
    return result;
}

}  // namespace sepconv
