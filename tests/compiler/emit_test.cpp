// From a graph to a library: the same bytes twice, hostile names, nothing left behind.
#include "compiler/emit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "compiler/commands/layer_graph.h"
#include "compiler/commands/loaded_library.h"
#include "compiler/commands/options.h"
#include "compiler/files.h"
#include "compiler/lower.h"
#include "compiler/process.h"
#include "compiler/report.h"
#include "compiler/source.h"

namespace sepconv {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

// Ends comments, strings, directives and HTML; not UTF-8.
const char kHostile[] = "a\"*/ ?\?/ \\ %s %d {} </script><b>&\n#error\r\xff\x01\xc3(";

Plan hostile_plan() {
    LayerSpec spec;
    spec.op = "separable";
    spec.input = "6x7x5";
    spec.out_channels = 9;
    spec.kernel = "3";
    spec.padding = "same_upper";
    Plan plan = lower(layer_graph(spec).value(), Layout::kNchw).value();
    plan.inputs[0].name = kHostile;
    plan.outputs[0].name = kHostile;
    plan.blocks[0].name = kHostile;
    plan.blocks[0].nodes = {kHostile};
    return plan;
}

class EmitTest : public testing::Test {
protected:
    Result<Emitted> compile(const Plan &plan, const std::string &folder,
                            const std::string &cc = "cc", const std::string &cache = "cache") {
        BuildOptions build;
        build.cache = folder_.file(cache);
        build.cc = cc;
        build.quiet = true;
        return compile_plan(plan, build, {folder_.file(folder), "net", true}, kHostile);
    }

    Result<Emitted> emit_sources(const std::string &folder, const std::string &name,
                                 const std::string &target,
                                 const std::vector<std::string> &devices = {}) {
        BuildOptions build;
        build.cache = folder_.file("cache");
        build.target.triple = target;
        build.target.devices = devices;
        build.quiet = true;
        return compile_plan(hostile_plan(), build, {folder_.file(folder), name, false, "sources"},
                            kHostile);
    }

    std::vector<std::string> files_in(const std::string &folder) {
        std::vector<std::string> names;
        for (const auto &entry :
             std::filesystem::recursive_directory_iterator(folder_.file(folder))) {
            if (entry.is_regular_file()) {
                names.push_back(
                    std::filesystem::relative(entry.path(), folder_.file(folder)).string());
            }
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    TemporaryFolder folder_ = TemporaryFolder::create(testing::TempDir()).value();
};

TEST_F(EmitTest, TheSameBytesWithAndWithoutCache) {
    const Plan plan = hostile_plan();
    const Result<Emitted> first = compile(plan, "first");
    ASSERT_TRUE(first.ok()) << first.status().message();
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(compile(plan, "cached").ok());
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
    ASSERT_TRUE(compile(plan, "fresh", "cc", "other_cache").ok());
    const std::vector<std::string> expected = {
        "libnet.a",          "libnet.so",          "net.c", "net.h", "net.html", "net.json",
        "sepconv/sepconv.h", "sepconv/sepconv.hpp"};
    for (const char *folder : {"first", "cached", "fresh"}) {
        EXPECT_EQ(files_in(folder), expected) << folder;
        for (const std::string &file : expected) {
            EXPECT_EQ(read_file(folder_.file("first/" + file)).value(),
                      read_file(folder_.file(std::string(folder) + "/" + file)).value())
                << folder << "/" << file;
        }
    }
}

TEST_F(EmitTest, HostileNamesStayNames) {
    ASSERT_TRUE(compile(hostile_plan(), "out").ok());
    const std::string program = folder_.file("program.c");
    ASSERT_TRUE(write_file(program,
                           "#include \"out/net.h\"\n#include <stdio.h>\n"
                           "int main(void) {\n"
                           "    fputs(sepconv_model_input(net_model(), 0)->name, stdout);\n"
                           "    return NET_INPUT_0_BYTES == 6 * 7 * 5 * 4 ? 0 : 1;\n}\n")
                    .ok());
    const Result<std::string> built =
        run_command({"cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Iout",
                     "program.c", "out/libnet.a", "-pthread", "-lm", "-o", "program"},
                    folder_.path());
    ASSERT_TRUE(built.ok()) << built.status().message();
    const Result<std::string> printed = run_command({folder_.file("program")}, folder_.path());
    ASSERT_TRUE(printed.ok()) << printed.status().message();
    EXPECT_EQ(printed.value(), kHostile);
    const std::string html = read_file(folder_.file("out/net.html")).value();
    EXPECT_THAT(html, Not(HasSubstr("<b>")));
    EXPECT_THAT(html, HasSubstr("&lt;b&gt;&amp;"));
    EXPECT_TRUE(nlohmann::json::accept(read_file(folder_.file("out/net.json")).value()));
}

TEST_F(EmitTest, ExportsOnlyItsOwnNames) {
    ASSERT_TRUE(compile(hostile_plan(), "out").ok());
    const Result<std::string> listing =
        run_command({"nm", "--dynamic", "--defined-only", "--format=just-symbols", "out/libnet.so"},
                    folder_.path());
    ASSERT_TRUE(listing.ok()) << listing.status().message();
    std::istringstream lines(listing.value());
    size_t count = 0;
    for (std::string name; std::getline(lines, name); ++count) {
        EXPECT_TRUE(name == "net_model" || name.rfind("sepconv_", 0) == 0) << name;
    }
    EXPECT_GT(count, 10U);
}

TEST_F(EmitTest, TheSharedLibraryRuns) {
    const Plan plan = hostile_plan();
    const Result<Emitted> emitted = compile(plan, "out");
    ASSERT_TRUE(emitted.ok());
    const auto library = LoadedLibrary::open(emitted.value().shared, "net");
    ASSERT_TRUE(library.ok()) << library.status().message();
    sepconv_options_t options = {};
    options.num_threads = 2;
    options.profile = 1;
    ASSERT_TRUE(library.value()->start(options).ok());
    const std::vector<float> input(6 * 7 * 5, 1.0F);
    std::vector<float> output(6 * 7 * 9, 1e30F);
    const void *inputs[] = {input.data()};
    void *outputs[] = {output.data()};
    ASSERT_TRUE(library.value()->run(inputs, outputs).ok());
    EXPECT_THAT(output, Each(testing::Lt(1e3F)));
}

TEST_F(EmitTest, AnErrorLeavesNothing) {
    const Result<Emitted> emitted = compile(hostile_plan(), "out", "/no/such/compiler");
    ASSERT_FALSE(emitted.ok());
    EXPECT_THAT(emitted.status().message(), HasSubstr("cannot start '/no/such/compiler'"));
    EXPECT_FALSE(exists(folder_.file("out")));
}

TEST_F(EmitTest, SourcesBecomeLibrariesThatDoNotClash) {
    // Both have the same kernels; one has them for devices too, and runs on the CPU without any.
    for (const std::string name : {"one", "two"}) {
        const std::vector<std::string> devices = {"cuda", "opencl", "cpu"};
        const Result<Emitted> emitted = emit_sources(
            name, name, host_triple(), name == "two" ? devices : std::vector<std::string>());
        ASSERT_TRUE(emitted.ok()) << emitted.status().message();
        const Result<std::string> made =
            run_command({"sh", "-e", "-c", emitted.value().finish}, folder_.file(name));
        ASSERT_TRUE(made.ok()) << made.status().message();
    }
    ASSERT_TRUE(write_file(folder_.file("program.c"),
                           "#include \"one/one.h\"\n#include \"two/two.h\"\n"
                           "static float in[ONE_INPUT_0_BYTES / 4], out[TWO_OUTPUT_0_BYTES / 4];\n"
                           "static int run(const sepconv_model_t *model) {\n"
                           "    const void *const inputs[] = {in};\n"
                           "    void *const outputs[] = {out};\n"
                           "    sepconv_context_t *context;\n"
                           "    sepconv_status_t status;\n"
                           "    status = sepconv_context_create(model, NULL, &context);\n"
                           "    if (status == SEPCONV_OK)\n"
                           "        status = sepconv_run(context, inputs, outputs);\n"
                           "    sepconv_context_destroy(context);\n"
                           "    return status;\n}\n"
                           "int main(void) { return run(one_model()) + run(two_model()); }\n")
                    .ok());
    const Result<std::string> built =
        run_command({"cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Ione", "program.c",
                     "one/libone.a", "two/libtwo.a", "-pthread", "-lm", "-ldl", "-o", "program"},
                    folder_.path());
    ASSERT_TRUE(built.ok()) << built.status().message();
    const Result<std::string> ran = run_command({folder_.file("program")}, folder_.path());
    EXPECT_TRUE(ran.ok()) << ran.status().message();
    EXPECT_FALSE(exists(folder_.file("one/runtime/device.c")));
    EXPECT_TRUE(exists(folder_.file("two/runtime/device.c")));
}

TEST_F(EmitTest, SourcesAreWholeAndTheSameTwice) {
    for (const char *folder : {"first", "second"}) {
        ASSERT_TRUE(emit_sources(folder, "net", "arm-64-osx").ok());
        ASSERT_TRUE(emit_sources(std::string(folder) + "_elf", "net", "arm-64-android").ok());
    }
    const std::vector<std::string> files = files_in("first");
    EXPECT_THAT(files, IsSupersetOf({"libnet_kernels.a", "net.c", "net.h", "net_weights.bin",
                                     "net_weights.c", "runtime/context.c", "runtime/context.h",
                                     "sepconv/plan.h", "sepconv/sepconv.h"}));
    EXPECT_THAT(files_in("first_elf"), Contains("net_kernels.o"));
    for (const std::string folder : {"first", "first_elf"}) {
        const std::string second = folder == "first" ? "second" : "second_elf";
        EXPECT_EQ(files_in(folder), files_in(second));
        for (const std::string &file : files_in(folder)) {
            EXPECT_EQ(read_file(folder_.file(folder + "/" + file)).value(),
                      read_file(folder_.file(second + "/" + file)).value())
                << file;
        }
    }
}

TEST_F(EmitTest, AMissingCompilerIsNamedWithWhatHelps) {
    BuildOptions build;
    build.cache = folder_.file("cache");
    build.quiet = true;
    const auto message = [&](const std::string &target, const std::string &cc) {
        build.target.triple = target;
        build.cc = cc;
        return compile_plan(hostile_plan(), build, {folder_.file("out"), "net", false}, "")
            .status()
            .message();
    };
    EXPECT_THAT(message("arm-64-android", ""),
                AllOf(HasSubstr("no C compiler for it is known"), HasSubstr("--cc "),
                      HasSubstr("--emit sources")));
    EXPECT_THAT(message("arm-64-linux", "nocc"),
                AllOf(HasSubstr("cannot start 'nocc'"), HasSubstr("gcc-aarch64-linux-gnu"),
                      HasSubstr("--cc "), HasSubstr("--emit sources")));
    EXPECT_FALSE(exists(folder_.file("out")));
    EXPECT_FALSE(exists(folder_.file("cache/kernels"))) << "before the kernels' time is spent";
}

TEST_F(EmitTest, ASharedLibraryNeedsElfAndACompiler) {
    BuildOptions build;
    build.cache = folder_.file("cache");
    for (const auto &[target, form] :
         {std::pair("arm-64-osx", "library"), std::pair("x86-64-linux", "sources")}) {
        build.target.triple = target;
        EXPECT_THAT(
            compile_plan(hostile_plan(), build, {folder_.file("out"), "net", true, form}, "")
                .status()
                .message(),
            HasSubstr("--shared: expected --emit library and a target with ELF"));
    }
}

TEST_F(EmitTest, ABrokenCacheIsFilledAgain) {
    const Plan plan = hostile_plan();
    ASSERT_TRUE(compile(plan, "first").ok());
    for (const auto &entry : std::filesystem::directory_iterator(folder_.file("cache/kernels"))) {
        std::filesystem::resize_file(entry.path(), 10);
    }
    ASSERT_TRUE(compile(plan, "second").ok());
    EXPECT_EQ(read_file(folder_.file("first/libnet.a")).value(),
              read_file(folder_.file("second/libnet.a")).value());
}

TEST(Source, Escapes) {
    EXPECT_EQ(c_string("a\"\\?\n1\xff"), R"("a\042\134\077\0121\377")");
    EXPECT_EQ(c_comment("a*/b/*c\n\\"), "a*_b/_c__");
    EXPECT_EQ(c_comment("*"), "_");
    EXPECT_EQ(identifier_of("ch_PP-OCRv4 det"), "ch_PP_OCRv4_det");
    EXPECT_EQ(identifier_of("1x"), "_1x");
    EXPECT_EQ(identifier_of(""), "_");
}

TEST(Report, RatioIsWhatTheEssayPredicts) {
    LayerSpec spec;
    spec.op = "separable";
    spec.input = "14x14x32";
    spec.out_channels = 64;
    spec.kernel = "3";
    spec.padding = "half";
    const Plan plan = lower(layer_graph(spec).value(), Layout::kNhwc).value();
    ASSERT_EQ(plan.blocks.size(), 1U);
    EXPECT_DOUBLE_EQ(predicted_ratio(plan.blocks[0]), 1.0 / 64 + 1.0 / 9);
    EXPECT_NEAR(separable_ratio(plan.blocks[0]), predicted_ratio(plan.blocks[0]), 1e-12);
    EXPECT_EQ(total_cost(plan).macs, 14 * 14 * 32 * (9 + 64));
}

TEST(Report, ShowsTheScratchOfEachBlock) {
    const Plan plan = hostile_plan();
    Report report;
    report.plan = &plan;
    report.memory = plan_tensors(plan);
    EXPECT_FALSE(nlohmann::json::parse(report_json(report))["blocks"][0].contains("scratch_bytes"));
    for (const int64_t bytes : {128, 1234560}) {
        Variant variant;
        variant.isa = "sse41";
        variant.kernels.resize(plan.kernels.size());
        for (KernelObject &kernel : variant.kernels) kernel.scratch_bytes = bytes;
        report.variants.push_back(variant);
    }
    report.memory = plan_memory(plan, scratch_of_steps(plan, report.variants));
    const nlohmann::json json = nlohmann::json::parse(report_json(report));
    EXPECT_EQ(json["blocks"][0]["scratch_bytes"], 1234560);
    EXPECT_EQ(json["steps"][0]["scratch_bytes"], 1234560);
    EXPECT_EQ(json["steps"][0]["scratch_offset"], report.memory.scratch[0]);
    EXPECT_EQ(json["arena_bytes"], report.memory.bytes + 64);
    EXPECT_THAT(report_html(report), HasSubstr("<td>1&#8239;234&#8239;560</td>"));
}

}  // namespace
}  // namespace sepconv
