#ifndef SEPCONV_EXAMPLES_FACE_DETECTION_DECODE_H_
#define SEPCONV_EXAMPLES_FACE_DETECTION_DECODE_H_

#include <array>
#include <vector>

struct Point {
    float x = 0, y = 0;
};

struct Face {
    float score = 0;
    float left = 0, top = 0, right = 0, bottom = 0;  ///< Pixels of the network's input.
    std::array<Point, 5> landmarks;                  ///< Eyes, nose, corners of the mouth.
};

/// CenterFace's outputs: planes of (input_size / 4) squared values.
struct Maps {
    const float *heatmap;    ///< Probability that a face's centre lies in the cell.
    const float *scale;      ///< log(height / 4), log(width / 4).
    const float *offset;     ///< Centre within the cell: y, x.
    const float *landmarks;  ///< y, x of five points, relative to the box.
};

/// Faces with a score above `threshold`, best first; of boxes that overlap by more than
/// `max_overlap` (intersection over union) only the best stays.
std::vector<Face> decode_faces(const Maps &maps, int input_size, float threshold,
                               float max_overlap);

#endif  // SEPCONV_EXAMPLES_FACE_DETECTION_DECODE_H_
