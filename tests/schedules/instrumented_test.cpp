// Kernels that tell what they touch.
// Tasks: no two tasks of a parallel loop share a word that one of them writes. Found by announced
// accesses (announce_accesses.h), for LLVM's ThreadSanitizer, which Halide's feature "tsan" asks
// for, ignores accesses of more than 16 bytes: all vectors of AVX2 and AVX-512. AddressSanitizer:
// nothing beside a buffer, scratch or an array on the stack is touched. By Halide's feature "asan";
// apart from it the kernels are those that ship. All of the list where --gtest_filter asks for
// Full* (scripts/bounds.sh), which ctest does not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "layer/arguments.h"
#include "schedules/build_kernel.h"
#include "tests/schedules/announce_accesses.h"
#include "tests/schedules/sample.h"

namespace sepconv::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

Tuning in(Order order) {
    Tuning tuning;
    tuning.order = order;
    return tuning;
}

const std::pair<const char *, Tuning> kOrders[] = {{"sliding", in(Order::kSliding)},
                                                   {"channels", in(Order::kChannels)}};

/// As compile_kernel compiles, without a Kernel.
Status compile(BuiltKernel *built, const Machine &machine, const std::string &path) {
    try {
        built->pipeline
            .compile_to_module(built->arguments, "kernel", Halide::Target(shipped_target(machine)),
                               Halide::LinkageType::ExternalPlusArgv)
            .compile({{Halide::OutputFileType::object, path}});
    } catch (const Halide::Error &error) {  // Not a std::exception.
        return Status(StatusCode::kInternal, error.what());
    }
    return Status();
}

void expect_no_conflicts(const KernelCase &test, const Machine &machine, const Tuning &tuning) {
    const ScratchFolder folder;
    const std::string object = folder / "kernel.o";
    BuiltKernel built = build_kernel(test.kernel, Halide::Target(shipped_target(machine)), tuning);
    announce_accesses(&built.pipeline);
    const Status compiled = compile(&built, machine, object);
    ASSERT_TRUE(compiled.ok()) << compiled.message();
    const auto runs = run_object(machine, object, make_data(test),
                                 arguments_of(test.kernel).back().elements, folder);
    ASSERT_TRUE(runs.ok()) << runs.status().message();
    bool parallel = false;
    int announced = 0;
    for (const auto &run : runs.value()) {
        EXPECT_EQ(run.header.returned, 0);
        EXPECT_EQ(run.header.conflicts, 0);
        parallel = parallel || run.header.most_threads > 0;
        announced += run.header.announced;
    }
    EXPECT_EQ(announced > 0, parallel);
}

class Tasks : public ::testing::TestWithParam<Sample> {};

TEST_P(Tasks, ShareNoWordThatOneWrites) {
    const auto &[test, machine] = GetParam();
    if (!machine->missing.empty()) GTEST_SKIP() << machine->missing;
    expect_no_conflicts(*test, *machine, {});
}

/// Fused blocks in the order that a tuning asks for, and not by themselves.
class TasksInOrders : public ::testing::TestWithParam<Sample> {};

TEST_P(TasksInOrders, ShareNoWordThatOneWrites) {
    const auto &[test, machine] = GetParam();
    if (!machine->missing.empty()) GTEST_SKIP() << machine->missing;
    for (const auto &[name, tuning] : kOrders) {
        SCOPED_TRACE(name);
        expect_no_conflicts(*test, *machine, tuning);
    }
}

void expect_no_report(const KernelCase &test, const Machine &machine, const Tuning &tuning) {
    const ScratchFolder folder;
    const std::string object = folder / "kernel.o";
    const Result<Scratch> compiled = compile_kernel(
        test.kernel, Halide::Target(shipped_target(machine)), tuning, "kernel", object);
    ASSERT_TRUE(compiled.ok()) << compiled.status().message();
    const auto runs = run_object(machine, object, make_data(test),
                                 arguments_of(test.kernel).back().elements, folder);
    ASSERT_TRUE(runs.ok()) << runs.status().message();
    for (const auto &run : runs.value()) EXPECT_EQ(run.header.returned, 0);
}

class AddressSanitizer : public ::testing::TestWithParam<Sample> {};

TEST_P(AddressSanitizer, ReportsNothing) {
    const auto &[test, machine] = GetParam();
    if (!machine->missing.empty()) GTEST_SKIP() << machine->missing;
    expect_no_report(*test, *machine, {});
}

class AddressSanitizerInOrders : public ::testing::TestWithParam<Sample> {};

TEST_P(AddressSanitizerInOrders, ReportsNothing) {
    const auto &[test, machine] = GetParam();
    if (!machine->missing.empty()) GTEST_SKIP() << machine->missing;
    for (const auto &[name, tuning] : kOrders) {
        SCOPED_TRACE(name);
        expect_no_report(*test, *machine, tuning);
    }
}

const std::vector<KernelCase> kAll = all_cases();
const std::vector<KernelCase> kFused = fused_cases();
const std::vector<Machine> kNative = native_machines();
const std::vector<Machine> kAddress = address_sanitizer_machines();
const std::vector<Machine> kNeon = {neon_machine()};

std::vector<KernelCase> not_fused() {
    std::set<std::string> fused;
    for (const KernelCase &test : kFused) fused.insert(test.name);
    std::vector<KernelCase> others;
    for (const KernelCase &test : kAll) {
        if (fused.count(test.name) == 0) others.push_back(test);
    }
    return others;
}

const std::vector<KernelCase> kOthers = not_fused();

/// Every `step`-th case, each on one of the machines in turn.
std::vector<Sample> some_of(const std::vector<KernelCase> &cases,
                            const std::vector<Machine> &machines, size_t step) {
    std::vector<Sample> sample;
    for (size_t i = 0; i < cases.size(); i += step) {
        sample.push_back({&cases[i], &machines[i / step % machines.size()]});
    }
    return sample;
}

/// What both are there to see, in kernels made for it; by the number of an ISA.
class Defects : public ::testing::TestWithParam<size_t> {
protected:
    static constexpr int kElements = 12;

    void SetUp() override {
        const Machine &machine = kNative[GetParam()];
        if (!machine.missing.empty()) GTEST_SKIP() << machine.missing;
    }

    /// What the program of output_ says on stderr, with the input 0, 1, 2, ...
    std::string report(const Machine &machine, bool announces) {
        const ScratchFolder folder;
        const std::string object = folder / "kernel.o";
        input_.dim(0).set_bounds(0, kElements).set_stride(1);
        output_.output_buffer().dim(0).set_bounds(0, kElements).set_stride(1);
        output_.bound(x_, 0, kElements);
        BuiltKernel built;
        built.pipeline = Halide::Pipeline(output_);
        built.arguments = {input_};
        if (announces) announce_accesses(&built.pipeline);
        const Status compiled = compile(&built, machine, object);
        EXPECT_TRUE(compiled.ok()) << compiled.message();
        ArgumentData data;
        data.readable_elements = kElements;
        for (int i = 0; i < kElements; ++i) data.floats.push_back(static_cast<float>(i));
        ::testing::internal::CaptureStderr();
        const auto runs = run_object(machine, object, {data}, kElements, folder);
        const std::string said = ::testing::internal::GetCapturedStderr();
        const bool found = runs.ok() ? runs.value()[0].header.conflicts > 0 : !announces;
        EXPECT_EQ(found, !said.empty()) << said;
        return said;
    }

    std::string conflicts() { return report(kNative[GetParam()], true); }
    std::string address_sanitizer() { return report(kAddress[GetParam()], false); }

    /// A table of eight values, of which the output reads the ninth.
    void read_beside_table(Halide::MemoryType memory) {
        table_(x_) = input_(x_) + 1;
        output_(x_) =
            table_(Halide::unsafe_promise_clamped(Halide::cast<int>(input_(x_)) % 9, 0, 7));
        table_.compute_root().store_in(memory).bound_extent(x_, 8).vectorize(x_, 8);
    }

    Halide::Var x_{"x"}, outer_{"outer"}, inner_{"inner"};
    Halide::ImageParam input_{Halide::Float(32), 1, "input"};
    Halide::Func table_{"table"}, output_{"output"};
};

TEST_P(Defects, TasksThatWriteTheSame) {
    output_(x_) = input_(x_) * 2;
    output_.split(x_, outer_, inner_, 8, Halide::TailStrategy::ShiftInwards)
        .vectorize(inner_)
        .parallel(outer_);
    EXPECT_THAT(conflicts(),
                ContainsRegex("task 1 writes a word of output.* that task 0 has written"));
}

TEST_P(Defects, TasksThatReadTheirNeighbours) {
    const Halide::RDom r(1, kElements - 1);
    table_(x_) = input_(x_);
    table_(r) += table_(r - 1);
    output_(x_) = table_(x_);
    table_.compute_root().update().allow_race_conditions().parallel(r);
    EXPECT_THAT(conflicts(),
                ContainsRegex("task 1 reads a word of table.* that task 0 has written"));
}

TEST_P(Defects, AreNoneInLanesThatAreMasked) {
    const int lanes = 8, tasks = 4;  // Two lanes each.
    Halide::RDom r(0, lanes, 0, tasks);
    r.where(r.x / 2 == r.y);
    table_(x_) = input_(x_);
    table_(r.x) += 1.0F;
    output_(x_) = table_(x_);
    table_.compute_root().update().allow_race_conditions().vectorize(r.x, lanes).parallel(r.y);
    EXPECT_EQ(conflicts(), "");
}

TEST_P(Defects, ReadsBesideTheStackArray) {
    read_beside_table(Halide::MemoryType::Stack);
    EXPECT_THAT(address_sanitizer(), HasSubstr("AddressSanitizer: stack-buffer-overflow"));
}

TEST_P(Defects, ReadsBesideTheScratch) {
    read_beside_table(Halide::MemoryType::Heap);
    EXPECT_THAT(address_sanitizer(), HasSubstr("AddressSanitizer: use-after-poison"));
}

std::vector<size_t> indices_of(const std::vector<Machine> &machines) {
    std::vector<size_t> indices(machines.size());
    std::iota(indices.begin(), indices.end(), 0);
    return indices;
}

std::string name_of_index(const ::testing::TestParamInfo<size_t> &info) {
    return kNative[info.param].name;
}

INSTANTIATE_TEST_SUITE_P(Each, Defects, ::testing::ValuesIn(indices_of(kNative)), name_of_index);

// What fused blocks share among tasks differs from ISA to ISA.
INSTANTIATE_TEST_SUITE_P(Fused, Tasks, ::testing::ValuesIn(samples_of(kFused, kNative)),
                         name_of_sample);
INSTANTIATE_TEST_SUITE_P(Others, Tasks, ::testing::ValuesIn(some_of(kOthers, kNative, 10)),
                         name_of_sample);
INSTANTIATE_TEST_SUITE_P(Fused, AddressSanitizer, ::testing::ValuesIn(some_of(kFused, kAddress, 1)),
                         name_of_sample);
INSTANTIATE_TEST_SUITE_P(Others, AddressSanitizer,
                         ::testing::ValuesIn(some_of(kOthers, kAddress, 10)), name_of_sample);
INSTANTIATE_TEST_SUITE_P(Full, Tasks, ::testing::ValuesIn(samples_of(kAll, kNative)),
                         name_of_sample);
INSTANTIATE_TEST_SUITE_P(Full, TasksInOrders, ::testing::ValuesIn(samples_of(kFused, kNative)),
                         name_of_sample);
INSTANTIATE_TEST_SUITE_P(Full, AddressSanitizer, ::testing::ValuesIn(samples_of(kAll, kAddress)),
                         name_of_sample);
INSTANTIATE_TEST_SUITE_P(Full, AddressSanitizerInOrders,
                         ::testing::ValuesIn(samples_of(kFused, kAddress)), name_of_sample);
INSTANTIATE_TEST_SUITE_P(FullCross, Tasks, ::testing::ValuesIn(samples_of(kAll, kNeon)),
                         name_of_sample);
INSTANTIATE_TEST_SUITE_P(FullCross, TasksInOrders, ::testing::ValuesIn(samples_of(kFused, kNeon)),
                         name_of_sample);

}  // namespace
}  // namespace sepconv::testing
