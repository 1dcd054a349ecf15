#include "decode.h"

#include <algorithm>
#include <cmath>

namespace {

constexpr int kCell = 4;  // Input pixels that one output value stands for.

Face decode_cell(const Maps &maps, int cells, int x, int y) {
    const int plane = cells * cells;
    const int at = y * cells + x;
    const float limit = static_cast<float>(cells * kCell);

    const float height = std::exp(maps.scale[at]) * kCell;
    const float width = std::exp(maps.scale[plane + at]) * kCell;
    const float center_y = (y + maps.offset[at] + 0.5f) * kCell;
    const float center_x = (x + maps.offset[plane + at] + 0.5f) * kCell;

    Face face;
    face.score = maps.heatmap[at];
    face.left = std::clamp(center_x - width / 2, 0.0f, limit);
    face.top = std::clamp(center_y - height / 2, 0.0f, limit);
    face.right = std::min(face.left + width, limit);
    face.bottom = std::min(face.top + height, limit);
    for (size_t i = 0; i < face.landmarks.size(); i++) {
        face.landmarks[i].y = face.top + maps.landmarks[2 * i * plane + at] * height;
        face.landmarks[i].x = face.left + maps.landmarks[(2 * i + 1) * plane + at] * width;
    }
    return face;
}

float area(const Face &face) {
    return (face.right - face.left) * (face.bottom - face.top);
}

float overlap(const Face &a, const Face &b) {
    const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
    const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
    const float shared = std::max(width, 0.0f) * std::max(height, 0.0f);
    return shared / (area(a) + area(b) - shared);
}

}  // namespace

std::vector<Face> decode_faces(const Maps &maps, int input_size, float threshold,
                               float max_overlap) {
    const int cells = input_size / kCell;
    std::vector<Face> candidates;
    for (int y = 0; y < cells; y++) {
        for (int x = 0; x < cells; x++) {
            if (maps.heatmap[y * cells + x] > threshold) {
                candidates.push_back(decode_cell(maps, cells, x, y));
            }
        }
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Face &a, const Face &b) { return a.score > b.score; });

    std::vector<Face> faces;
    for (const Face &candidate : candidates) {
        const bool covered = std::any_of(faces.begin(), faces.end(), [&](const Face &better) {
            return overlap(better, candidate) >= max_overlap;
        });
        if (!covered) {
            faces.push_back(candidate);
        }
    }
    return faces;
}
