#include "compiler/fold_movement.h"

#include <algorithm>

#include "compiler/view.h"

namespace sepconv {
namespace {

using Ints = std::vector<int64_t>;

/// The same elements in as few axes as there can be, and at least one: long runs are fast.
void join_axes(Shape &shape, Ints &strides) {
    Shape joined{1};
    Ints steps{0};
    for (size_t axis = shape.size(); axis-- > 0;) {
        if (shape[axis] == 1) continue;
        if (joined[0] == 1) {
            joined[0] = shape[axis];
            steps[0] = strides[axis];
        } else if (strides[axis] == joined[0] * steps[0]) {
            joined[0] *= shape[axis];
        } else {
            joined.insert(joined.begin(), shape[axis]);
            steps.insert(steps.begin(), strides[axis]);
        }
    }
    shape = std::move(joined);
    strides = std::move(steps);
}

/// What move_strided makes of elements of one type; `strides` is not empty.
template<typename T>
void move_elements(const std::vector<T> &from, const Shape &shape, int64_t offset,
                   const Ints &strides, std::vector<T> &to) {
    const size_t last = shape.size() - 1;
    Ints index(shape.size(), 0);
    for (size_t filled = 0; filled < to.size(); filled += static_cast<size_t>(shape[last])) {
        const auto run = to.begin() + static_cast<std::ptrdiff_t>(filled);
        if (strides[last] == 1) {
            std::copy_n(from.begin() + offset, shape[last], run);
        } else if (strides[last] == 0) {
            std::fill_n(run, shape[last], from[static_cast<size_t>(offset)]);
        } else {
            for (int64_t i = 0; i < shape[last]; ++i) {
                run[i] = from[static_cast<size_t>(offset + i * strides[last])];
            }
        }
        for (size_t axis = last; axis-- > 0;) {
            offset += strides[axis];
            if (++index[axis] < shape[axis]) {
                break;
            }
            offset -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
}

}  // namespace

Constant move_strided(const Constant &from, const Shape &shape, int64_t offset, Ints strides) {
    Constant result = Constant::zeros(from.type(), shape);
    Shape joined = shape;
    join_axes(joined, strides);
    from.visit([&](const auto &elements) {
        using T = ElementOf<decltype(elements)>;
        move_elements(elements, joined, offset, strides, result.values<T>());
    });
    return result;
}

Constant expand(const Constant &from, const Shape &shape) {
    Ints strides(shape.size(), 0);
    const Ints own = row_major(from.shape);
    const size_t lead = shape.size() - from.shape.size();
    for (size_t axis = 0; axis < from.shape.size(); ++axis) {
        strides[lead + axis] = from.shape[axis] == 1 ? 0 : own[axis];
    }
    return move_strided(from, shape, 0, strides);
}

Constant transpose(const Constant &from, const Ints &perm) {
    const Ints own = row_major(from.shape);
    Shape shape;
    Ints strides;
    for (const int64_t axis : perm) {
        shape.push_back(from.shape[static_cast<size_t>(axis)]);
        strides.push_back(own[static_cast<size_t>(axis)]);
    }
    return move_strided(from, shape, 0, strides);
}

Constant pad(const Constant &from, const Constant &fill, const Shape &shape, const Ints &pads) {
    Constant result = expand(fill, shape);
    const Ints steps = row_major(shape);
    const Ints strides = row_major(from.shape);
    // The part of the input that remains, and where it lies in both.
    Shape part = from.shape;
    int64_t to = 0;
    int64_t first = 0;
    for (size_t axis = 0; axis < part.size(); ++axis) {
        const int64_t before = pads[axis];
        part[axis] += std::min<int64_t>(before, 0) + std::min<int64_t>(pads[part.size() + axis], 0);
        if (part[axis] <= 0) return result;
        to += std::max<int64_t>(before, 0) * steps[axis];
        first -= std::min<int64_t>(before, 0) * strides[axis];
    }
    const Constant moved = move_strided(from, part, first, strides);
    Ints index(part.size(), 0);
    moved.visit([&](const auto &elements) {
        auto &list = result.values<ElementOf<decltype(elements)>>();
        for (const auto &element : elements) {
            list[static_cast<size_t>(to)] = element;
            for (size_t axis = part.size(); axis-- > 0;) {
                to += steps[axis];
                if (++index[axis] < part[axis]) break;
                to -= steps[axis] * part[axis];
                index[axis] = 0;
            }
        }
    });
    return result;
}

void append(const Constant &from, int64_t first, int64_t count, Constant &to) {
    from.visit([&](const auto &elements) {
        auto &list = to.values<ElementOf<decltype(elements)>>();
        list.insert(list.end(), elements.begin() + first, elements.begin() + first + count);
    });
}

Constant reserved(const Constant &like, Shape shape) {
    Constant result = Constant::zeros(like.type(), {0});
    result.shape = std::move(shape);
    result.visit(
        [&](auto &list) { list.reserve(static_cast<size_t>(element_count(result.shape))); });
    return result;
}

}  // namespace sepconv
