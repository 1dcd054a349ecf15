#ifndef SEPCONV_TESTS_SUPPORT_RANDOM_H_
#define SEPCONV_TESTS_SUPPORT_RANDOM_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sepconv::testing {

/// The seed of every random test value: SEPCONV_TEST_SEED, or 1.
uint32_t test_seed();

/// Values that depend on the seed and on `name` alone, so that a test repeats by itself.
class Random {
public:
    explicit Random(const std::string &name);

    float uniform(float low, float high);
    std::vector<float> uniform(size_t count, float low, float high);
    /// "SEPCONV_TEST_SEED=7", for failure messages.
    static std::string trace();

private:
    std::mt19937 engine_;
};

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SUPPORT_RANDOM_H_
