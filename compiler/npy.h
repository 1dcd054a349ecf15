#ifndef SEPCONV_COMPILER_NPY_H_
#define SEPCONV_COMPILER_NPY_H_

#include <string>
#include <string_view>
#include <vector>

#include "compiler/graph.h"
#include "layer/status.h"

namespace sepconv {

/// A float tensor in C order.
struct Array {
    Shape shape;
    std::vector<float> values;
};

/// A .npy file (format 1 to 3): little-endian float32 or float64, C or Fortran order. `what` names
/// it in messages.
Result<Array> parse_npy(std::string_view bytes, const std::string &what);
Result<Array> read_npy(const std::string &path);

std::string npy_bytes(const Array &array);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_NPY_H_
