#include <gtest/gtest.h>

#include <ostream>

#include "tests/schedules/expect_values.h"
#include "tests/schedules/kernel_cases.h"

namespace sepconv::testing {

struct OnIsa {
    const KernelCase *test;
    const Isa *isa;
};

void PrintTo(const OnIsa &parameter, std::ostream *out) {
    *out << parameter.test->name;
}

namespace {

std::vector<OnIsa> on_all_isas(const std::vector<KernelCase> &cases) {
    std::vector<OnIsa> parameters;
    for (const KernelCase &test : cases) {
        for (const Isa &isa : all_isas()) {
            parameters.push_back({&test, &isa});
        }
    }
    return parameters;
}

std::string name_of_parameter(const ::testing::TestParamInfo<OnIsa> &info) {
    return info.param.test->name + "_" + info.param.isa->name;
}

class KernelValues : public ::testing::TestWithParam<OnIsa> {};

TEST_P(KernelValues, AgreeWithTheReference) {
    const auto &[test, isa] = GetParam();
    if (!isa->available()) {
        GTEST_SKIP() << "this CPU has no " << isa->name;
    }
    expect_values(*test, *isa, {});
}

/// Fused blocks in the order that a tuning asks for, and not by themselves.
class Orders : public ::testing::TestWithParam<OnIsa> {};

TEST_P(Orders, AgreeWithTheReference) {
    const auto &[test, isa] = GetParam();
    if (!isa->available()) {
        GTEST_SKIP() << "this CPU has no " << isa->name;
    }
    for (const Order order : {Order::kSliding, Order::kChannels}) {
        SCOPED_TRACE(order == Order::kSliding ? "sliding" : "channels");
        Tuning tuning;
        tuning.order = order;
        expect_values(*test, *isa, tuning);
    }
}

const std::vector<KernelCase> kFused = fused_cases();
const std::vector<KernelCase> kPairwise = pairwise_cases();
const std::vector<KernelCase> kBlocks = block_cases();
const std::vector<KernelCase> kImages = image_cases();
const std::vector<KernelCase> kMaps = map_cases();
const std::vector<KernelCase> kLongSums = long_sum_cases();

INSTANTIATE_TEST_SUITE_P(Fused, Orders, ::testing::ValuesIn(on_all_isas(kFused)),
                         name_of_parameter);
INSTANTIATE_TEST_SUITE_P(Pairwise, KernelValues, ::testing::ValuesIn(on_all_isas(kPairwise)),
                         name_of_parameter);
INSTANTIATE_TEST_SUITE_P(Block, KernelValues, ::testing::ValuesIn(on_all_isas(kBlocks)),
                         name_of_parameter);
INSTANTIATE_TEST_SUITE_P(Image, KernelValues, ::testing::ValuesIn(on_all_isas(kImages)),
                         name_of_parameter);
INSTANTIATE_TEST_SUITE_P(Map, KernelValues, ::testing::ValuesIn(on_all_isas(kMaps)),
                         name_of_parameter);
INSTANTIATE_TEST_SUITE_P(LongSum, KernelValues, ::testing::ValuesIn(on_all_isas(kLongSums)),
                         name_of_parameter);

}  // namespace
}  // namespace sepconv::testing
