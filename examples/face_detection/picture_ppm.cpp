// Binary PPM (P6, 8 bits), which any program writes: `magick photo.jpg photo.ppm`.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "picture.h"

namespace {

constexpr int kMaxExtent = 1 << 14;

struct CloseFile {
    void operator()(std::FILE *file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

size_t offset_of(const Picture &picture, int x, int y) {
    return (static_cast<size_t>(y) * picture.width + x) * 3;
}

void put(Picture *picture, int x, int y, uint8_t red, uint8_t green) {
    if (x < 0 || y < 0 || x >= picture->width || y >= picture->height) {
        return;
    }
    uint8_t *pixel = &picture->rgb[offset_of(*picture, x, y)];
    pixel[0] = red;
    pixel[1] = green;
    pixel[2] = 0;
}

/// Where output pixel `index` of `count` lies among `extent` pixels: the one before, and how far
/// towards the next.
struct Position {
    int before, after;
    float weight;
};
Position position_of(int index, int count, int extent) {
    const float at = (static_cast<float>(index) + 0.5f) * static_cast<float>(extent) /
                         static_cast<float>(count) -
                     0.5f;
    const float floor = std::floor(at);
    const int before = static_cast<int>(floor);
    return {std::clamp(before, 0, extent - 1), std::clamp(before + 1, 0, extent - 1), at - floor};
}

}  // namespace

bool read_picture(const std::string &path, Picture *picture) {
    const File file(std::fopen(path.c_str(), "rb"));
    int greatest = 0;
    if (!file ||
        std::fscanf(file.get(), "P6 %d %d %d", &picture->width, &picture->height, &greatest) != 3) {
        return false;
    }
    const auto fits = [](int extent) { return extent > 0 && extent <= kMaxExtent; };
    // One byte of white space stands in front of the pixels.
    if (!fits(picture->width) || !fits(picture->height) || greatest != 255 ||
        std::fgetc(file.get()) == EOF) {
        return false;
    }
    picture->rgb.resize(offset_of(*picture, 0, picture->height));
    return std::fread(picture->rgb.data(), 1, picture->rgb.size(), file.get()) ==
           picture->rgb.size();
}

bool write_picture(const std::string &path, const Picture &picture) {
    File file(std::fopen(path.c_str(), "wb"));
    if (!file) {
        return false;
    }
    const bool written =
        std::fprintf(file.get(), "P6\n%d %d\n255\n", picture.width, picture.height) > 0 &&
        std::fwrite(picture.rgb.data(), 1, picture.rgb.size(), file.get()) == picture.rgb.size();
    return std::fclose(file.release()) == 0 && written;
}

Picture resized(const Picture &picture, int width, int height) {
    Picture result{width, height, {}};
    result.rgb.resize(offset_of(result, 0, height));
    for (int y = 0; y < height; y++) {
        const Position row = position_of(y, height, picture.height);
        for (int x = 0; x < width; x++) {
            const Position column = position_of(x, width, picture.width);
            for (int c = 0; c < 3; c++) {
                const auto value = [&](int at_x, int at_y) {
                    return static_cast<float>(picture.rgb[offset_of(picture, at_x, at_y) + c]);
                };
                const auto across = [&](int at_y) {
                    const float before = value(column.before, at_y);
                    return before + column.weight * (value(column.after, at_y) - before);
                };
                const float above = across(row.before);
                const float mixed = above + row.weight * (across(row.after) - above);
                result.rgb[offset_of(result, x, y) + c] = static_cast<uint8_t>(std::lround(mixed));
            }
        }
    }
    return result;
}

void draw_box(Picture *picture, Pixel corner, Pixel opposite) {
    for (int width = 0; width < 2; width++) {
        for (int x = corner.x; x <= opposite.x; x++) {
            put(picture, x, corner.y - width, 0, 255);
            put(picture, x, opposite.y + width, 0, 255);
        }
        for (int y = corner.y; y <= opposite.y; y++) {
            put(picture, corner.x - width, y, 0, 255);
            put(picture, opposite.x + width, y, 0, 255);
        }
    }
}

void draw_dot(Picture *picture, Pixel centre) {
    constexpr int kRadius = 3;
    for (int y = -kRadius; y <= kRadius; y++) {
        for (int x = -kRadius; x <= kRadius; x++) {
            if (x * x + y * y <= kRadius * kRadius) {
                put(picture, centre.x + x, centre.y + y, 255, 0);
            }
        }
    }
}
