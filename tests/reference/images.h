#ifndef SEPCONV_TESTS_REFERENCE_IMAGES_H_
#define SEPCONV_TESTS_REFERENCE_IMAGES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "layer/arguments.h"
#include "tests/reference/reference.h"

namespace sepconv::reference {

/// Values of an image without strides.
struct Plane {
    int channels = 0, width = 0, height = 0;
    std::vector<Bounded> values;

    Plane(int channels, int width, int height)
        : channels(channels),
          width(width),
          height(height),
          values(static_cast<size_t>(channels) * width * height) {}
    Bounded &at(int64_t c, int64_t x, int64_t y) { return values[(y * width + x) * channels + c]; }
    const Bounded &at(int64_t c, int64_t x, int64_t y) const {
        return values[(y * width + x) * channels + c];
    }
    bool contains(int64_t x, int64_t y) const {
        return x >= 0 && x < width && y >= 0 && y < height;
    }
};

inline int64_t offset_of(const Image &image, int64_t c, int64_t x, int64_t y) {
    return c * image.stride_c + x * image.stride_x + y * image.stride_y;
}

/// A kernel's arguments by name.
class Named {
public:
    Named(const Kernel &kernel, const Arguments &arguments);
    const std::vector<double> &operator[](const std::string &name) const;
    int64_t output_elements() const { return output_elements_; }

private:
    std::map<std::string, const std::vector<double> *> by_name_;
    int64_t output_elements_ = 0;
};

Plane load(const Image &image, const std::vector<double> &buffer);
void store(const Plane &plane, const Image &image, std::vector<OutputElement> *output);

/// Layouts of the kTensor operands of an epilogue, and the names' prefix.
struct Operands {
    std::string prefix;
    std::vector<Image> tensors;
    int multiplier = 1;  ///< Of a depthwise stage: planes are ordered [multiplier][channels].
};
void apply_epilogue(const Epilogue &epilogue, const Operands &operands, const Named &named,
                    Plane *plane);

std::vector<OutputElement> compute_block(const Block &block, const Named &named);
std::vector<OutputElement> compute_pool(const Pool &pool, const Named &named);
std::vector<OutputElement> compute_resize(const Resize &resize, const Named &named);

}  // namespace sepconv::reference

#endif  // SEPCONV_TESTS_REFERENCE_IMAGES_H_
