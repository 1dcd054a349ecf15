#ifndef SEPCONV_TESTS_REFERENCE_BOUNDED_H_
#define SEPCONV_TESTS_REFERENCE_BOUNDED_H_

#include <functional>

#include "layer/elementwise.h"

namespace sepconv::reference {

/// Half the distance between 1 and the next float: the relative error of one rounding.
constexpr double kRounding = 1.0 / (1 << 24);

/// A value in double precision, and how far a float computation of it may be off: at most `error`
/// (but see roundings_of_sum()); and if roundings are independent of each other with mean 0, as in
/// a random walk, farther than t * `deviation` with a probability of at most 2 exp(-t * t / 2)
/// (what is called sub-Gaussian). Deviations of sums of independent errors add up as squares, of
/// others as they are; errors always as they are.
struct Bounded {
    double value = 0.0;
    double error = 0.0;
    double deviation = error;
};

/// Both of the above in one: `error`, or if that is less six deviations, which one value in 10^7
/// exceeds.
double tolerance(const Bounded &x);

/// x * y, whether or not their errors depend on each other.
Bounded product(const Bounded &x, const Bounded &y);

/// Roundings that a float sum of `terms` products may accumulate, relative to the sum of their
/// magnitudes. The certain bound is `terms` + 1; above some 60 terms Higham and Mary's
/// probabilistic bound 6 sqrt(terms) takes over, which fails once in 10^7 sums.
double roundings_of_sum(double terms);

/// The same, certain, of sums longer than layer/sums.h lets one accumulator be: of a mean or a
/// Softmax's total, and of a convolution with so many products.
double roundings_of_long_mean();
double roundings_of_long_products(double products);

/// The operand of epilogue step i at the point that is being computed.
using OperandAt = std::function<Bounded(int step)>;

/// Applies the steps by their definitions in layer/elementwise.h and carries the error along.
Bounded apply(const Epilogue &epilogue, Bounded x, const OperandAt &operand);

}  // namespace sepconv::reference

#endif  // SEPCONV_TESTS_REFERENCE_BOUNDED_H_
