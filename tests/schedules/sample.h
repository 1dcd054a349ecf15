#ifndef SEPCONV_TESTS_SCHEDULES_SAMPLE_H_
#define SEPCONV_TESTS_SCHEDULES_SAMPLE_H_

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/schedules/kernel_cases.h"
#include "tests/schedules/machine.h"

namespace sepconv::testing {

/// A parameter of a test: a kernel and what runs it.
struct Sample {
    const KernelCase *test;
    const Machine *machine;
};

inline void PrintTo(const Sample &sample, std::ostream *out) {
    *out << sample.test->name;
}

inline std::string name_of_sample(const ::testing::TestParamInfo<Sample> &info) {
    return info.param.test->name + "_" + info.param.machine->name;
}

/// Everything with everything; both vectors must outlive the samples.
inline std::vector<Sample> samples_of(const std::vector<KernelCase> &cases,
                                      const std::vector<Machine> &machines) {
    std::vector<Sample> samples;
    for (const KernelCase &test : cases) {
        for (const Machine &machine : machines) samples.push_back({&test, &machine});
    }
    return samples;
}

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_SCHEDULES_SAMPLE_H_
