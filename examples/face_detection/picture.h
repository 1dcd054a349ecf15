#ifndef FACE_DETECTION_PICTURE_H_
#define FACE_DETECTION_PICTURE_H_

#include <cstdint>
#include <string>
#include <vector>

/// Red, green, blue, row after row.
struct Picture {
    int width = 0, height = 0;
    std::vector<uint8_t> rgb;
};

// By OpenCV (picture_opencv.cpp), or for machines without it PPM files alone (picture_ppm.cpp).

/// False where the file cannot be read or written.
bool read_picture(const std::string &path, Picture *picture);
bool write_picture(const std::string &path, const Picture &picture);

Picture resized(const Picture &picture, int width, int height);

struct Pixel {
    int x, y;
};
void draw_box(Picture *picture, Pixel corner, Pixel opposite);  ///< Green.
void draw_dot(Picture *picture, Pixel centre);                  ///< Red.

#endif  // FACE_DETECTION_PICTURE_H_
