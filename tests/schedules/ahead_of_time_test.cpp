// A sample of the kernels as they ship: object files without assertions, called through their argv
// wrapper with buffers of which only the host pointer is set.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <ostream>

#include "layer/arguments.h"
#include "schedules/build_kernel.h"
#include "tests/schedules/kernel_cases.h"
#include "tests/support/compare.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/isa.h"

namespace {

/// What the kernel that runs now has asked for.
struct Heap {
    std::map<void *, size_t> live;
    size_t live_bytes = 0;
    size_t most_bytes = 0;
};
Heap heap;

}  // namespace

// What a kernel calls; exported by this program, tasks run in order.
extern "C" {

void *halide_malloc(void *, size_t bytes) {
    void *pointer = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
    heap.live[pointer] = bytes;
    heap.live_bytes += bytes;
    heap.most_bytes = std::max(heap.most_bytes, heap.live_bytes);
    return pointer;
}

void halide_free(void *, void *pointer) {
    heap.live_bytes -= heap.live[pointer];
    heap.live.erase(pointer);
    std::free(pointer);
}

int halide_do_par_for(void *user_context, int (*task)(void *, int, uint8_t *), int min, int size,
                      uint8_t *closure) {
    for (int i = min; i < min + size; ++i) {
        if (const int failure = task(user_context, i, closure); failure != 0) {
            return failure;
        }
    }
    return 0;
}

}  // extern "C"

namespace sepconv::testing {

struct Sample {
    const KernelCase *test;
    const Isa *isa;
};

void PrintTo(const Sample &sample, std::ostream *out) {
    *out << sample.test->name;
}

namespace {

using KernelFunction = int (*)(void **);

/// A folder of this process, removed with its content.
class ScratchFolder {
public:
    ScratchFolder() {
        std::string pattern = std::filesystem::temp_directory_path() / "sepconv-test-XXXXXX";
        path_ = mkdtemp(pattern.data()) == nullptr ? "" : pattern;
    }
    ~ScratchFolder() { std::filesystem::remove_all(path_); }
    ScratchFolder(const ScratchFolder &) = delete;
    ScratchFolder &operator=(const ScratchFolder &) = delete;
    std::string operator/(const std::string &name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

/// Links the object into a shared one and returns its function `name`; null when that fails.
KernelFunction load_function(const std::string &object, const std::string &shared,
                             const std::string &name) {
    const std::string command = "cc -shared -o " + shared + " " + object + " -lm";
    if (std::system(command.c_str()) != 0) {
        return nullptr;
    }
    void *library = dlopen(shared.c_str(), RTLD_NOW | RTLD_LOCAL);
    return library == nullptr ? nullptr
                              : reinterpret_cast<KernelFunction>(dlsym(library, name.c_str()));
}

/// Runs on guarded copies of `data`; the output was poison before.
std::unique_ptr<GuardedBuffer> run(KernelFunction function, const Kernel &kernel,
                                   const std::vector<ArgumentData> &data, Flush flush) {
    std::vector<std::unique_ptr<GuardedBuffer>> buffers;
    for (const ArgumentData &argument : data) {
        buffers.push_back(std::make_unique<GuardedBuffer>(argument.readable_elements, flush));
        std::copy(argument.floats.begin(), argument.floats.end(), buffers.back()->floats());
        std::copy(argument.ints.begin(), argument.ints.end(), buffers.back()->ints());
        buffers.back()->make_read_only();
    }
    buffers.push_back(std::make_unique<GuardedBuffer>(arguments_of(kernel).back().elements, flush));
    std::vector<halide_buffer_t> views(buffers.size());
    void *context = nullptr;
    std::vector<void *> arguments{&context};
    for (size_t i = 0; i < buffers.size(); ++i) {
        views[i].host = reinterpret_cast<uint8_t *>(buffers[i]->bits());
        arguments.push_back(&views[i]);
    }
    EXPECT_EQ(function(arguments.data()), 0);
    return std::move(buffers.back());
}

class AheadOfTime : public ::testing::TestWithParam<Sample> {};

TEST_P(AheadOfTime, AgreesWithTheReference) {
    const auto &[test, isa] = GetParam();
    if (!isa->available()) {
        GTEST_SKIP() << "this CPU has no " << isa->name;
    }
    const Halide::Target host = Halide::get_host_target();
    const Halide::Target target(Halide::Target(host.os, host.arch, host.bits).to_string() + "-" +
                                isa->features +
                                "-no_runtime-user_context-no_asserts-no_bounds_query");
    const ScratchFolder folder;
    const std::string object = folder / "kernel.o";
    const Result<Scratch> scratch = compile_kernel(test->kernel, target, {}, "kernel", object);
    ASSERT_TRUE(scratch.ok()) << scratch.status().message();
    const KernelFunction function = load_function(object, folder / "kernel.so", "kernel_argv");
    ASSERT_NE(function, nullptr);
    const std::vector<ArgumentData> data = make_data(*test);
    const auto expected = reference::compute(test->kernel, as_doubles(data));
    for (const Flush flush : {Flush::kBack, Flush::kFront}) {
        heap = {};
        const auto output = run(function, test->kernel, data, flush);
        EXPECT_TRUE(matches(test->kernel, expected, output->floats()));
        EXPECT_TRUE(output->slack_is_untouched()) << "written outside the output";
        EXPECT_EQ(heap.live_bytes, 0U);
        EXPECT_LE(static_cast<int64_t>(heap.most_bytes),
                  scratch.value().serial_bytes + scratch.value().task_bytes);
    }
}

/// All fused blocks, whose scratch is large, and every ninth of the other cases.
std::vector<KernelCase> sample_cases() {
    std::vector<KernelCase> sample = fused_cases();
    const size_t fused = sample.size();
    const auto is_fused = [&](const KernelCase &test) {
        return std::any_of(sample.begin(), sample.begin() + static_cast<ptrdiff_t>(fused),
                           [&](const KernelCase &other) { return other.name == test.name; });
    };
    size_t i = 0;
    for (const auto &list : {pairwise_cases(), block_cases(), image_cases(), map_cases()}) {
        for (const KernelCase &test : list) {
            if (!is_fused(test) && i++ % 9 == 0) {
                sample.push_back(test);
            }
        }
    }
    return sample;
}

const std::vector<KernelCase> kSample = sample_cases();

std::vector<Sample> on_all_isas() {
    std::vector<Sample> parameters;
    for (const KernelCase &test : kSample) {
        for (const Isa &isa : all_isas()) {
            parameters.push_back({&test, &isa});
        }
    }
    return parameters;
}

INSTANTIATE_TEST_SUITE_P(Sample, AheadOfTime, ::testing::ValuesIn(on_all_isas()),
                         [](const ::testing::TestParamInfo<Sample> &info) {
                             return info.param.test->name + "_" + info.param.isa->name;
                         });

}  // namespace
}  // namespace sepconv::testing
