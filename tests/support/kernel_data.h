#ifndef SEPCONV_TESTS_SUPPORT_KERNEL_DATA_H_
#define SEPCONV_TESTS_SUPPORT_KERNEL_DATA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "layer/layer.h"
#include "tests/reference/reference.h"

namespace sepconv::testing {

/// Index and weight of one axis of a Resize: [taps][extent].
struct ResizeTable {
    std::vector<int32_t> index;
    std::vector<float> weight;
};

/// A kernel under test.
struct KernelCase {
    std::string name;
    Kernel kernel;
    ResizeTable rows, columns;  ///< Of a Resize.
    /// All values of the input are one, and all weights: roundings of equal terms do not even out.
    bool equal_terms = false;
};

/// What one argument holds. Elements of an image that no (c, x, y) names are poison.
struct ArgumentData {
    std::vector<float> floats;
    std::vector<int32_t> ints;     ///< Of a kResizeIndex instead.
    size_t readable_elements = 0;  ///< At least the argument's elements; the rest is ours.
};

/// Random values of all arguments but the output, unless the case asks for equal terms: weights are
/// drawn in ONNX's order and packed, and scaled so that outputs stay near 1.
std::vector<ArgumentData> make_data(const KernelCase &test);

reference::Arguments as_doubles(const std::vector<ArgumentData> &data);

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_KERNEL_DATA_H_
