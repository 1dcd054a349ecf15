#ifndef SEPCONV_LAYER_SUMS_H_
#define SEPCONV_LAYER_SUMS_H_

#include <cstdint>

namespace sepconv {

/// How long a sum may be that one float accumulator adds. With u = 2^-24, n roundings of partial
/// sums of non-negative terms err by at most n * u of the total, and equal terms come near to half
/// of that, because their roundings all go the same way. So a longer sum is made of chunks: one
/// accumulator adds a chunk, and another adds the chunks' sums. Up to these lengths nothing is
/// split. docs/numbers.md states the bounds that follow.

/// Means: terms in one accumulator.
constexpr int kMeanTerms = 64;
/// Exponentials in the total of a Softmax.
constexpr int kSoftmaxTerms = 1024;
/// Terms of a chunk of either. The chunks' sums are added with their rounding errors (two-sum), so
/// the total errs by (kChunkTerms - 1) * u and one rounding more, whatever its length.
constexpr int kChunkTerms = 8;

/// Products in one accumulator of a convolution or a matrix product.
constexpr int kProducts = 2048;
/// Products in a chunk: at most, and at least where the layer has them. The chunks' sums are added
/// in float, so K products err by at most kChunkProducts + K / kFewestProducts roundings. Chunks of
/// a matrix product are longer than half of kChunkProducts; K = 65536 makes 256 of 256, which err
/// by 512 roundings, or by half of that where the products are equal.
constexpr int kChunkProducts = 256;
constexpr int kFewestProducts = 64;

}  // namespace sepconv

#endif  // SEPCONV_LAYER_SUMS_H_
