#ifndef SEPCONV_SCHEDULES_TUNING_H_
#define SEPCONV_SCHEDULES_TUNING_H_

namespace sepconv {

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

}  // namespace sepconv

#endif  // SEPCONV_SCHEDULES_TUNING_H_
