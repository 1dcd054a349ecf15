#ifndef SEPCONV_ALGORITHMS_SUMS_H_
#define SEPCONV_ALGORITHMS_SUMS_H_

#include <Halide.h>

#include <functional>

namespace sepconv {

/// An axis of `terms` terms cut into chunks of `length`; the last chunk may hold fewer.
class Chunks {
public:
    /// Chunks of at most `most` terms, but at least one; equal ones, if more than half of that.
    Chunks(int terms, int most);

    int length() const { return length_; }
    bool equal() const { return terms_ % length_ == 0; }
    int count() const { return (terms_ + length_ - 1) / length_; }
    /// The index of term `term` of chunk `chunk`. Restricts `domain`, which `term` belongs to, to
    /// the terms inside the axis.
    Halide::Expr at(const Halide::Expr &chunk, const Halide::RVar &term,
                    Halide::RDom &domain) const;

private:
    int terms_, length_;
};

/// The value at (column, row) of a window or an image.
using TapAt = std::function<Halide::Expr(const Halide::Expr &column, const Halide::Expr &row)>;

/// A sum as a pair: the float sum, and the sum of its rounding errors. Starts at (0, 0).
Halide::Tuple no_terms();

/// `sum` and one more term, for any magnitudes and signs (Knuth's two-sum).
Halide::Tuple plus(const Halide::Tuple &sum, const Halide::Expr &term);

/// The pair as one float. Infinity stays infinity.
Halide::Expr value_of(const Halide::Tuple &sum);

}  // namespace sepconv

#endif  // SEPCONV_ALGORITHMS_SUMS_H_
