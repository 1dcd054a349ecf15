#ifndef SEPCONV_TESTS_REFERENCE_BOUNDED_H_
#define SEPCONV_TESTS_REFERENCE_BOUNDED_H_

#include <functional>

#include "layer/elementwise.h"

namespace sepconv::reference {

/// Half the distance between 1 and the next float: the relative error of one rounding.
constexpr double kRounding = 1.0 / (1 << 24);

/// A value in double precision, and how far a float computation of it may be off.
struct Bounded {
    double value = 0.0;
    double error = 0.0;
};

/// Roundings that a float sum of `terms` products may accumulate, relative to the sum of their
/// magnitudes. The certain bound is `terms` + 1; above some 60 terms Higham and Mary's
/// probabilistic bound 6 sqrt(terms) takes over, which fails once in 10^7 sums.
double roundings_of_sum(double terms);

/// The operand of epilogue step i at the point that is being computed.
using OperandAt = std::function<Bounded(int step)>;

/// Applies the steps by their definitions in layer/elementwise.h and carries the error along.
Bounded apply(const Epilogue &epilogue, Bounded x, const OperandAt &operand);

}  // namespace sepconv::reference

#endif  // SEPCONV_TESTS_REFERENCE_BOUNDED_H_
