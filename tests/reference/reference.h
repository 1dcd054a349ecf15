#ifndef SEPCONV_TESTS_REFERENCE_REFERENCE_H_
#define SEPCONV_TESTS_REFERENCE_REFERENCE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "layer/layer.h"
#include "tests/reference/bounded.h"

namespace sepconv::reference {

/// An element of the output buffer; `written` is false in the gaps between its rows and channels.
struct OutputElement {
    Bounded bounded;
    bool written = false;
};

/// The values of a kernel's arguments in the order of arguments_of(kernel), without the output:
/// floats, or a Resize's indices, as doubles.
using Arguments = std::vector<std::vector<double>>;

/// Computes a valid kernel in double precision by the definitions in layer/layer.h. The result
/// has one element for every one that arguments_of(kernel) gives the output.
std::vector<OutputElement> compute(const Kernel &kernel, const Arguments &arguments);

/// Where an element of the output buffer lies: "(c=3, x=0, y=7)", or the element's number alone
/// where the kernel has no image.
std::string locate(const Kernel &kernel, int64_t element);

}  // namespace sepconv::reference

#endif  // SEPCONV_TESTS_REFERENCE_REFERENCE_H_
