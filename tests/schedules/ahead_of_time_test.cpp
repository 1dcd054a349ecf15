// Kernels as they ship: object files without assertions, called through their argv wrapper with
// buffers of which only the host pointer is set. Natively a sample, under an emulator all of them;
// natively all of them where --gtest_filter asks for Full/*, which ctest does not.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <ostream>
#include <set>

#include "layer/arguments.h"
#include "schedules/autoschedule.h"
#include "schedules/build_kernel.h"
#include "tests/schedules/kernel_cases.h"
#include "tests/schedules/machine.h"
#include "tests/schedules/sample.h"
#include "tests/support/compare.h"
#include "tests/support/run_setup.h"

namespace sepconv::testing {

namespace {

void expect_values(const KernelCase &test, const Machine &machine, const Schedule &schedule) {
    const ScratchFolder folder;
    const std::string object = folder / "kernel.o";
    const Result<Scratch> scratch = compile_kernel(
        test.kernel, Halide::Target(shipped_target(machine)), schedule, "kernel", object);
    ASSERT_TRUE(scratch.ok()) << scratch.status().message();
    const std::vector<ArgumentData> data = make_data(test);
    const auto runs =
        run_object(machine, object, data, arguments_of(test.kernel).back().elements, folder);
    ASSERT_TRUE(runs.ok()) << runs.status().message();
    const auto expected = reference::compute(test.kernel, as_doubles(data));
    const std::vector<float> &first = runs.value()[0].output;
    // Tasks of autoschedulers write elements twice, by code that rounds differently.
    const bool same_bits = std::holds_alternative<Tuning>(schedule);
    for (int i = 0; i < kFewRunSetups; ++i) {
        SCOPED_TRACE("setup " + std::to_string(i) + " of run_setup.h");
        const auto &[header, output] = runs.value()[i];
        EXPECT_TRUE(matches(test.kernel, expected, output.data()));
        if (same_bits) {
            EXPECT_EQ(std::memcmp(output.data(), first.data(), first.size() * sizeof(float)), 0);
        }
        EXPECT_EQ(header.returned, 0);
        EXPECT_EQ(header.slack_is_untouched, 1) << "written outside the output";
        EXPECT_EQ(header.scratch_is_intact, 1) << "written outside the scratch";
        EXPECT_EQ(header.live_bytes, 0U);
        const int tasks = std::max(1, header.most_threads);
        EXPECT_LE(static_cast<int64_t>(header.most_bytes),
                  scratch.value().serial_bytes + tasks * scratch.value().task_bytes);
    }
}

class AheadOfTime : public ::testing::TestWithParam<Sample> {};

TEST_P(AheadOfTime, AgreesWithTheReference) {
    const auto &[test, machine] = GetParam();
    if (!machine->missing.empty()) GTEST_SKIP() << machine->missing;
    expect_values(*test, *machine, {});
}

/// Fused blocks in the order that a tuning asks for, and not by themselves.
class AheadOfTimeOrders : public ::testing::TestWithParam<Sample> {};

TEST_P(AheadOfTimeOrders, AgreeWithTheReference) {
    const auto &[test, machine] = GetParam();
    if (!machine->missing.empty()) GTEST_SKIP() << machine->missing;
    for (const Order order : {Order::kSliding, Order::kChannels}) {
        SCOPED_TRACE(order == Order::kSliding ? "sliding" : "channels");
        Tuning tuning;
        tuning.order = order;
        expect_values(*test, *machine, tuning);
    }
}

struct Automatic {
    const KernelCase *test;
    std::string scheduler;
    const Machine *machine;
};

void PrintTo(const Automatic &sample, std::ostream *out) {
    *out << sample.test->name;
}

/// By Halide's autoschedulers.
class Autoscheduled : public ::testing::TestWithParam<Automatic> {};

TEST_P(Autoscheduled, AgreesWithTheReference) {
    const auto &[test, scheduler, machine] = GetParam();
    if (!machine->missing.empty()) GTEST_SKIP() << machine->missing;
    const std::string plugin = SEPCONV_TEST_HALIDE_DIR "/" + plugin_file(scheduler);
    constexpr int kThreads = 2;
    expect_values(*test, *machine, Autoscheduler{scheduler, plugin, kThreads});
}

const std::vector<KernelCase> kAll = all_cases();
const std::vector<KernelCase> kFused = fused_cases();
const std::vector<Machine> kNative = native_machines();
const std::vector<Machine> kNeon = {neon_machine()};

/// All fused blocks, whose scratch is large, and every ninth of the other cases.
std::vector<Sample> native_sample() {
    std::set<std::string> fused;
    for (const KernelCase &test : kFused) fused.insert(test.name);
    std::vector<Sample> sample;
    size_t others = 0;
    for (const KernelCase &test : kAll) {
        if (fused.count(test.name) == 0 && others++ % 9 != 0) continue;
        for (const Machine &machine : kNative) sample.push_back({&test, &machine});
    }
    return sample;
}

/// Every kind of kernel, layouts and channels that no vector divides.
std::vector<Automatic> automatic_sample() {
    std::set<std::string> quick = {
        "depthwise_op7_sigmoid",
        "separable_planar_output",
        "pair178_pointwise_14x14x8_to24_m1_k1x1_s1_d1_valid_affine_exact",
        "pool_max_uneven",
        "resize_nearest_half_pixel",
        "resize_cubic",
        "map_channel_shuffle",
        "map_gelu",
        "softmax_from_channels_last",
    };
    // Adams2019 would search for many seconds.
    std::set<std::string> slow = {
        "depthwise_multiplier3",
        "convolution_k1x9",
        "separable_padded",
        "separable_sliced",
        "pair034_separable_14x14x113_to40_m2_k2x4_s2_d1_valid_none_sliced",
        "squeeze_separable_14x14_k3",
        "inverted_rows_prime",
        "ghost_7x7_squeezed",
        "pool_average_k3_s1_p1_sliced",
    };
    const auto machine = std::find_if(kNative.begin(), kNative.end(),
                                      [](const Machine &native) { return native.name == "avx2"; });
    std::vector<Automatic> sample;
    for (const KernelCase &test : kAll) {
        const bool is_quick = quick.erase(test.name) > 0;  // Fused blocks are there twice.
        if (!is_quick && slow.erase(test.name) == 0) continue;
        if (is_quick) sample.push_back({&test, "adams2019", &*machine});
        for (const char *scheduler : {"li2018", "mullapudi2016"}) {
            sample.push_back({&test, scheduler, &*machine});
        }
    }
    return sample;
}

std::string name_of_automatic(const ::testing::TestParamInfo<Automatic> &info) {
    return info.param.test->name + "_" + info.param.scheduler + "_" + info.param.machine->name;
}

INSTANTIATE_TEST_SUITE_P(Sample, AheadOfTime, ::testing::ValuesIn(native_sample()), name_of_sample);
INSTANTIATE_TEST_SUITE_P(Full, AheadOfTime, ::testing::ValuesIn(samples_of(kAll, kNative)),
                         name_of_sample);
INSTANTIATE_TEST_SUITE_P(Full, AheadOfTimeOrders, ::testing::ValuesIn(samples_of(kFused, kNative)),
                         name_of_sample);
INSTANTIATE_TEST_SUITE_P(Sample, Autoscheduled, ::testing::ValuesIn(automatic_sample()),
                         name_of_automatic);
INSTANTIATE_TEST_SUITE_P(Cross, AheadOfTime, ::testing::ValuesIn(samples_of(kAll, kNeon)),
                         name_of_sample);
INSTANTIATE_TEST_SUITE_P(Cross, AheadOfTimeOrders, ::testing::ValuesIn(samples_of(kFused, kNeon)),
                         name_of_sample);

}  // namespace
}  // namespace sepconv::testing
