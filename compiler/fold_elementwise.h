#ifndef SEPCONV_COMPILER_FOLD_ELEMENTWISE_H_
#define SEPCONV_COMPILER_FOLD_ELEMENTWISE_H_

#include <optional>
#include <string>

#include "compiler/graph.h"

namespace sepconv {

/// `value` as type `to`, defined for every value: out of range is clamped, NaN becomes 0.
Constant cast_constant(const Constant &value, ElementType to);

/// f(x) with the operator's meaning; nothing if the operator is unknown or not for x's type.
std::optional<Constant> fold_unary(const std::string &op, const Constant &x);

/// f(x, y) for operands of the same type that broadcast to `shape`; integers wrap around. Nothing
/// if the operator is unknown, not for that type, or divides an integer by zero.
std::optional<Constant> fold_binary(const std::string &op, const Constant &x, const Constant &y,
                                    const Shape &shape);

/// One value for each run of `terms` values (at least one): "Add", "Mul", "Min" or "Max" from the
/// first to the last, and then of floats the mean.
Constant reduce_rows(const std::string &op, bool mean, const Constant &rows, int64_t terms,
                     Shape shape);

/// Index into a tensor of `shape` for each row-major index into `into`, to which it broadcasts.
std::vector<int64_t> broadcast_index(const Shape &shape, const Shape &into);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_FOLD_ELEMENTWISE_H_
