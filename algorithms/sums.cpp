#include "algorithms/sums.h"

#include <algorithm>

namespace sepconv {

using Halide::Expr;
using Halide::strict_float;
using Halide::Tuple;

Chunks::Chunks(int terms, int most) : terms_(terms), length_(std::min(terms, std::max(1, most))) {
    for (int equal = length_; 2 * equal > length_; equal--) {
        if (terms % equal == 0) {
            length_ = equal;
            return;
        }
    }
}

Expr Chunks::at(const Expr &chunk, const Halide::RVar &term, Halide::RDom &domain) const {
    Expr all = chunk * length_ + term;
    if (equal()) return all;
    domain.where(all < terms_);
    return Halide::unsafe_promise_clamped(all, 0, terms_ - 1);
}

Tuple no_terms() {
    return {0.0F, 0.0F};
}

// Strict, because the errors are zero in real arithmetic: a compiler that may reassociate drops
// them.
Tuple plus(const Tuple &sum, const Expr &term) {
    const Expr total = strict_float(sum[0] + term);
    const Expr added = strict_float(total - sum[0]);
    const Expr error = strict_float((sum[0] - (total - added)) + (term - added));
    return {total, strict_float(sum[1] + error)};
}

// The error of an infinite sum is NaN. It is left out by bits, because compilers may take it that a
// select of floats yields no infinity.
Expr value_of(const Tuple &sum) {
    constexpr int kExponent = 0x7f800000;
    const Expr bits = Halide::reinterpret<int>(sum[0]);
    const Expr corrected = Halide::reinterpret<int>(strict_float(sum[0] + sum[1]));
    const Expr finite = (bits & kExponent) != kExponent;
    return Halide::reinterpret<float>(Halide::select(finite, corrected, bits));
}

}  // namespace sepconv
