#ifndef SEPCONV_ALGORITHMS_PARAMETERS_H_
#define SEPCONV_ALGORITHMS_PARAMETERS_H_

#include <Halide.h>

#include <map>
#include <string>
#include <vector>

#include "layer/arguments.h"

namespace sepconv {

/// Whether a block's last stage may run over one long row, or walks the image's own rows.
enum class Rows { kFlattened, kNatural };

/// The buffers that a kernel reads, by argument name, with the bounds and strides that its
/// callers keep. Made once from arguments_of(kernel), in the rows that its stages are defined in.
class Parameters {
public:
    Parameters(const Kernel &kernel, Rows rows);

    Halide::ImageParam &operator[](const std::string &name) { return by_name_.at(name); }
    /// In call order, without the output.
    std::vector<Halide::ImageParam> in_order() const;

private:
    std::vector<std::string> order_;
    std::map<std::string, Halide::ImageParam> by_name_;
};

/// Fixes bounds and strides of (c, x, y) to those of `image`. `vector_padded` widens the channel
/// bounds to whole panels, as only our own padded buffers allow.
void constrain_image(Halide::OutputImageParam &buffer, const Image &image, bool vector_padded);

}  // namespace sepconv

#endif  // SEPCONV_ALGORITHMS_PARAMETERS_H_
