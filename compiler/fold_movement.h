#ifndef SEPCONV_COMPILER_FOLD_MOVEMENT_H_
#define SEPCONV_COMPILER_FOLD_MOVEMENT_H_

#include <cstdint>
#include <vector>

#include "compiler/constant.h"

namespace sepconv {

/// The elements of `from` at offset + sum of index * strides, over all indices into `shape`.
Constant move_strided(const Constant &from, const Shape &shape, int64_t offset,
                      std::vector<int64_t> strides);

/// `from` broadcast to `shape`, to which it does.
Constant expand(const Constant &from, const Shape &shape);

/// `from` with its axes in the order `perm`.
Constant transpose(const Constant &from, const std::vector<int64_t> &perm);

/// `from` within `fill` (one element); `pads` are all begins, then all ends, and negative ones
/// crop.
Constant pad(const Constant &from, const Constant &fill, const Shape &shape,
             const std::vector<int64_t> &pads);

/// Appends elements [first, first + count) of `from` to `to`, which has the same type.
void append(const Constant &from, int64_t first, int64_t count, Constant &to);

/// A constant of the type of `like` without elements yet, which its shape has room for.
Constant reserved(const Constant &like, Shape shape);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_FOLD_MOVEMENT_H_
