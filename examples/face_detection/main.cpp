// Finds faces in a picture: face_detection PICTURE OUTPUT [RUNS]
//
// Prints every face's score and box, the median latency of RUNS runs (default 20) and the arena's
// bytes; writes the picture with boxes and landmarks.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "centerface.h"
#include "decode.h"
#include "picture.h"

namespace {

constexpr int kSize = 512;  // The network's input, as compiled (INPUT_SHAPE in CMakeLists.txt).
constexpr float kThreshold = 0.5f;
constexpr float kMaxOverlap = 0.3f;

struct DestroyContext {
    void operator()(sepconv_context_t *context) const { sepconv_context_destroy(context); }
};
using Context = std::unique_ptr<sepconv_context_t, DestroyContext>;

/// The picture as the network wants it: 512x512, planes of red, green and blue, 0 to 255.
std::vector<float> to_planes(const Picture &picture) {
    const Picture small = resized(picture, kSize, kSize);
    std::vector<float> planes(3 * kSize * kSize);
    for (size_t i = 0; i < planes.size(); i++) {
        planes[i] = small.rgb[i % (kSize * kSize) * 3 + i / (kSize * kSize)];
    }
    return planes;
}

/// Buffers for all outputs, in the model's order.
std::vector<std::vector<float>> make_outputs(const sepconv_model_t *model) {
    std::vector<std::vector<float>> outputs;
    for (int i = 0; i < sepconv_model_output_count(model); i++) {
        outputs.emplace_back(sepconv_model_output(model, i)->bytes / sizeof(float));
    }
    return outputs;
}

/// Runs `runs` times after one warm-up; the median in milliseconds, or below 0 on an error.
double run(sepconv_context_t *context, const std::vector<float> &input,
           std::vector<std::vector<float>> &outputs, int runs) {
    const void *inputs[] = {input.data()};
    std::vector<void *> pointers;
    for (auto &output : outputs) {
        pointers.push_back(output.data());
    }
    std::vector<double> milliseconds;
    for (int i = 0; i <= runs; i++) {
        const auto start = std::chrono::steady_clock::now();
        const sepconv_status_t status = sepconv_run(context, inputs, pointers.data());
        const std::chrono::duration<double, std::milli> taken =
            std::chrono::steady_clock::now() - start;
        if (status != SEPCONV_OK) {
            std::fprintf(stderr, "error: %s\n", sepconv_status_message(status));
            return -1;
        }
        if (i > 0) {
            milliseconds.push_back(taken.count());
        }
    }
    std::sort(milliseconds.begin(), milliseconds.end());
    return milliseconds[milliseconds.size() / 2];
}

/// Draws on the picture and prints, both in the picture's own pixels.
void show(const std::vector<Face> &faces, Picture *picture) {
    const float scale_x = static_cast<float>(picture->width) / kSize;
    const float scale_y = static_cast<float>(picture->height) / kSize;
    auto pixel = [&](float x, float y) {
        return Pixel{static_cast<int>(std::lround(x * scale_x)),
                     static_cast<int>(std::lround(y * scale_y))};
    };
    for (size_t i = 0; i < faces.size(); i++) {
        const Face &face = faces[i];
        const Pixel corner = pixel(face.left, face.top);
        const Pixel opposite = pixel(face.right, face.bottom);
        draw_box(picture, corner, opposite);
        for (const Point &landmark : face.landmarks) {
            draw_dot(picture, pixel(landmark.x, landmark.y));
        }
        std::printf("face %zu: score %.3f, box [%d, %d, %d, %d]\n", i + 1, face.score, corner.x,
                    corner.y, opposite.x, opposite.y);
    }
}

}  // namespace

int main(int argc, char **argv) {
    const int runs = argc > 3 ? std::atoi(argv[3]) : 20;
    if (argc < 3 || runs < 1) {
        std::fprintf(stderr, "usage: %s PICTURE OUTPUT [RUNS]\n", argv[0]);
        return 2;
    }
    Picture picture;
    if (!read_picture(argv[1], &picture)) {
        std::fprintf(stderr, "error: %s cannot be read as a picture\n", argv[1]);
        return 1;
    }

    const sepconv_model_t *model = centerface_model();
    sepconv_context_t *raw = nullptr;
    const sepconv_status_t status = sepconv_context_create(model, nullptr, &raw);
    const Context context(raw);
    if (status != SEPCONV_OK) {
        std::fprintf(stderr, "error: %s\n", sepconv_status_message(status));
        return 1;
    }

    const std::vector<float> input = to_planes(picture);
    std::vector<std::vector<float>> outputs = make_outputs(model);
    const double latency = run(context.get(), input, outputs, runs);
    if (latency < 0) {
        return 1;
    }
    const Maps maps{outputs[0].data(), outputs[1].data(), outputs[2].data(), outputs[3].data()};
    const std::vector<Face> faces = decode_faces(maps, kSize, kThreshold, kMaxOverlap);
    show(faces, &picture);
    std::printf("latency: %.2f ms (median of %d runs, %s, 1 thread)\n", latency, runs,
                sepconv_context_isa(context.get()));
    std::printf("arena: %zu bytes\n", sepconv_model_arena_bytes(model, 1));
    if (!write_picture(argv[2], picture)) {
        std::fprintf(stderr, "error: %s cannot be written\n", argv[2]);
        return 1;
    }
    if (faces.empty()) {
        std::fprintf(stderr, "no face found\n");
        return 1;
    }
    return 0;
}
