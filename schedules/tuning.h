#ifndef SEPCONV_SCHEDULES_TUNING_H_
#define SEPCONV_SCHEDULES_TUNING_H_

#include <string>

#include "layer/layer.h"
#include "layer/status.h"

namespace sepconv {

/// Raised whenever a Tuning comes to mean another loop nest than before: tables measured with an
/// older one are then ignored.
constexpr int kScheduleVersion = 2;

/// How the stages in front of a project follow each other.
enum class Order {
    kAuto,
    kSliding,   ///< Strip by strip of rows; tasks compute the rows between them twice.
    kChannels,  ///< A tile of channels at a time, over all rows, then the project.
};

/// What is free to vary in a schedule and never changes a packed byte; 0 leaves it to choose_tile.
struct Tuning {
    int tile_pixels = 0;       ///< Pixels of the pointwise register tile.
    int tile_vectors = 0;      ///< Vectors of output channels of the same tile.
    int strip_rows = 0;        ///< Rows (pointwise: 1/strips of the pixels) of one sliding step.
    int depthwise_pixels = 0;  ///< Output pixels that one depthwise step computes.
    Order order = Order::kAuto;
};

bool operator==(const Tuning &left, const Tuning &right);

/// Every field that is set: "tile_pixels 14 tile_vectors 2"; "" for none. Equal tunings, equal
/// text.
std::string describe(const Tuning &tuning);

/// Whether the schedule of this kernel on the CPU of a Halide target does what each set field asks
/// for: the field belongs to a stage that the kernel has, the register tile is one that choose_tile
/// takes, strips divide the rows.
Status check_tuning(const Kernel &kernel, const Tuning &tuning, const std::string &halide_target);

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_TUNING_H_
