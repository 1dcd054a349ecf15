#ifndef SEPCONV_COMPILER_VIEW_H_
#define SEPCONV_COMPILER_VIEW_H_

#include <optional>

#include "compiler/graph.h"
#include "layer/layer.h"

namespace sepconv {

/// A tensor as ONNX sees it (logical shape) and where its elements lie: element i is at
/// offset + sum of i[d] * strides[d] of a storage. Transposes, slices and most reshapes are views.
struct View {
    int storage = -1;
    int64_t offset = 0;  ///< Elements.
    Shape shape;
    std::vector<int64_t> strides;
};

/// Row-major strides of a shape.
std::vector<int64_t> row_major(const Shape &shape);
/// Physical strides of our own tensors: channels last for rank 4, row-major otherwise.
std::vector<int64_t> channels_last(const Shape &shape);

View transposed(const View &view, const std::vector<int64_t> &perm);
/// `count` positions from `start` in steps of `step` (negative steps descend) along an axis.
/// A single position keeps the stride, which nothing steps by.
View sliced(const View &view, int axis, int64_t start, int64_t step, int64_t count);
/// The view with another shape of as many elements, if its strides allow one.
std::optional<View> reshaped(const View &view, const Shape &shape);
/// Numpy broadcasting: missing and one-sized axes get stride 0. `shape` must be reachable.
View broadcast(const View &view, const Shape &shape);

/// Whether every axis steps upwards: neither reversed nor broadcast.
bool ascends(const View &view);

/// One image of the view, which ascends: rank 4 [N, C, H, W]; rank 3 [N, C, W]; rank 2 [pixels, C];
/// rank 1 [C].
Image image_of(const View &view, bool padded);
/// Images of a batch and the elements between them; rank 2 and 1 are one image.
int64_t batch_of(const View &view);
int64_t batch_stride(const View &view);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_VIEW_H_
