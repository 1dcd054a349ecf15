// Bytes of an object file, whatever its format: against what LLVM's `size` counts.
#include "compiler/object_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "compiler/commands/layer_graph.h"
#include "compiler/commands/options.h"
#include "compiler/files.h"
#include "compiler/kernel_builder.h"
#include "compiler/lower.h"
#include "compiler/process.h"

namespace sepconv {
namespace {

Plan small_plan() {
    LayerSpec spec;
    spec.op = "pointwise";
    spec.input = "2x3x5";
    spec.out_channels = 9;
    return lower(layer_graph(spec).value(), Layout::kNhwc).value();
}

/// Of the sections that count, in the System V format of `size`: name, size, address.
int64_t listed_bytes(const std::string &text) {
    std::istringstream lines(text);
    int64_t bytes = 0;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string name;
        int64_t size = 0;
        if (!(words >> name >> size)) continue;
        for (const char *part : {"text", "const", "rodata", "rdata", "data", "eh_frame", "literal",
                                 "xdata", "pdata", "unwind", "cstring", "ARM.ex", "toc"}) {
            if (name.find(part) == std::string::npos) continue;
            bytes += size;
            break;
        }
    }
    return bytes;
}

TEST(ObjectFile, CountsWhatIsLoadedInEveryFormat) {
    const TemporaryFolder folder = TemporaryFolder::create(testing::TempDir()).value();
    const Plan plan = small_plan();
    for (const char *triple : {"x86-64-linux", "arm-32-linux", "arm-64-android", "arm-64-osx",
                               "x86-64-windows", "powerpc-64-linux"}) {
        const auto targets = resolve_targets({triple, {}, {}, 80}).value();
        const auto built = build_kernels(plan, targets, {folder.file("cache"), 1, true});
        ASSERT_TRUE(built.ok()) << built.status().message();
        const KernelObject &kernel = built.value().back().kernels[0];
        const Result<std::string> listing = run_command(
            {"sh", "-c", "$(command -v llvm-size-19 llvm-size | head -n 1) -A \"$0\"", kernel.path},
            folder.path());
        ASSERT_TRUE(listing.ok()) << listing.status().message();
        EXPECT_EQ(kernel.code_bytes, listed_bytes(listing.value())) << triple << listing.value();
        EXPECT_GT(kernel.code_bytes, 100) << triple;
        // A cut file is no reason to read on.
        const std::string object = read_file(kernel.path).value();
        for (size_t size = 0; size < object.size(); size += 7) {
            EXPECT_LE(loaded_bytes(std::string_view(object).substr(0, size)), kernel.code_bytes);
        }
    }
    EXPECT_EQ(loaded_bytes("no object file"), 0);
}

}  // namespace
}  // namespace sepconv
