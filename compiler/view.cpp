#include "compiler/view.h"

#include <cstdlib>

namespace sepconv {
namespace {

/// Merges the axes of a view into the fewest runs with one stride each, outermost first.
struct Run {
    int64_t extent, stride;
};

std::vector<Run> runs_of(const View &view) {
    std::vector<Run> runs;
    for (size_t d = 0; d < view.shape.size(); d++) {
        if (view.shape[d] == 1) continue;
        if (!runs.empty() && runs.back().stride == view.strides[d] * view.shape[d]) {
            runs.back().extent *= view.shape[d];
            runs.back().stride = view.strides[d];
        } else {
            runs.push_back({view.shape[d], view.strides[d]});
        }
    }
    return runs;
}

}  // namespace

std::vector<int64_t> row_major(const Shape &shape) {
    std::vector<int64_t> strides(shape.size());
    int64_t stride = 1;
    for (size_t d = shape.size(); d-- > 0;) {
        strides[d] = stride;
        stride *= shape[d];
    }
    return strides;
}

std::vector<int64_t> channels_last(const Shape &shape) {
    if (shape.size() != 4) return row_major(shape);
    const int64_t c = shape[1], h = shape[2], w = shape[3];
    return {c * h * w, 1, c * w, c};
}

View transposed(const View &view, const std::vector<int64_t> &perm) {
    View result = view;
    for (size_t d = 0; d < perm.size(); d++) {
        result.shape[d] = view.shape[perm[d]];
        result.strides[d] = view.strides[perm[d]];
    }
    return result;
}

View sliced(const View &view, int axis, int64_t start, int64_t step, int64_t count) {
    View result = view;
    result.offset += start * view.strides[axis];
    result.strides[axis] = count == 1 ? std::abs(view.strides[axis]) : view.strides[axis] * step;
    result.shape[axis] = count;
    return result;
}

std::optional<View> reshaped(const View &view, const Shape &shape) {
    const std::vector<Run> runs = runs_of(view);
    View result{view.storage, view.offset, shape, std::vector<int64_t>(shape.size(), 0)};
    size_t run = 0;
    int64_t left = runs.empty() ? 1 : runs[0].extent;  // Of the current run, yet to be split off.
    for (size_t d = 0; d < shape.size(); d++) {
        if (shape[d] == 1) continue;
        if (left == 1 && run + 1 < runs.size()) left = runs[++run].extent;
        if (run >= runs.size() || left % shape[d] != 0) return std::nullopt;
        left /= shape[d];
        result.strides[d] = runs[run].stride * left;
    }
    return result;
}

View broadcast(const View &view, const Shape &shape) {
    View result{view.storage, view.offset, shape, std::vector<int64_t>(shape.size(), 0)};
    const size_t missing = shape.size() - view.shape.size();
    for (size_t d = 0; d < view.shape.size(); d++) {
        if (view.shape[d] != 1) result.strides[missing + d] = view.strides[d];
    }
    return result;
}

bool ascends(const View &view) {
    for (size_t d = 0; d < view.shape.size(); d++) {
        if (view.shape[d] > 1 && view.strides[d] <= 0) return false;
    }
    return true;
}

Image image_of(const View &view, bool padded) {
    const size_t rank = view.shape.size();
    Image image;
    image.padded = padded;
    image.channels = image.width = image.height = 1;
    image.stride_x = image.stride_y = 0;
    const size_t c = rank >= 3 ? 1 : rank - 1;
    if (rank >= 1) {
        image.channels = static_cast<int>(view.shape[c]);
        image.stride_c = view.shape[c] == 1 ? 1 : view.strides[c];
    }
    if (rank >= 2) {
        const size_t x = rank == 2 ? 0 : rank - 1;
        image.width = static_cast<int>(view.shape[x]);
        image.stride_x = view.strides[x];
    }
    if (rank == 4) {
        image.height = static_cast<int>(view.shape[2]);
        image.stride_y = view.strides[2];
    } else {
        image.stride_y = image.stride_x * image.width;
    }
    if (image.width == 1 && image.stride_x == 0) image.stride_x = image.channels;
    if (image.height == 1) image.stride_y = image.stride_x * image.width;
    return image;
}

int64_t batch_of(const View &view) {
    return view.shape.size() >= 3 ? view.shape[0] : 1;
}

int64_t batch_stride(const View &view) {
    return view.shape.size() >= 3 ? view.strides[0] : 0;
}

}  // namespace sepconv
