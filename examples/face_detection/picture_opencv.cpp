#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "picture.h"

namespace {

/// The same pixels, seen by OpenCV.
cv::Mat view(const Picture &picture) {
    return cv::Mat(picture.height, picture.width, CV_8UC3,
                   const_cast<uint8_t *>(picture.rgb.data()));
}

Picture empty(int width, int height) {
    return {width, height, std::vector<uint8_t>(static_cast<size_t>(width) * height * 3)};
}

}  // namespace

bool read_picture(const std::string &path, Picture *picture) {
    const cv::Mat bgr = cv::imread(path, cv::IMREAD_COLOR);
    if (bgr.empty()) {
        return false;
    }
    *picture = empty(bgr.cols, bgr.rows);
    cv::Mat rgb = view(*picture);
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    return true;
}

bool write_picture(const std::string &path, const Picture &picture) {
    cv::Mat bgr;
    cv::cvtColor(view(picture), bgr, cv::COLOR_RGB2BGR);
    return cv::imwrite(path, bgr);
}

Picture resized(const Picture &picture, int width, int height) {
    Picture result = empty(width, height);
    cv::Mat output = view(result);
    cv::resize(view(picture), output, cv::Size(width, height), 0, 0, cv::INTER_LINEAR);
    return result;
}

void draw_box(Picture *picture, Pixel corner, Pixel opposite) {
    cv::Mat pixels = view(*picture);
    cv::rectangle(pixels, {corner.x, corner.y}, {opposite.x, opposite.y}, cv::Scalar(0, 255, 0), 2);
}

void draw_dot(Picture *picture, Pixel centre) {
    cv::Mat pixels = view(*picture);
    cv::circle(pixels, {centre.x, centre.y}, 3, cv::Scalar(255, 0, 0), cv::FILLED);
}
