// sepconv_bench: blocks of a table of shapes, each compiled by the tool, checked, and timed against
// the FMA peak of the same run.
#include <fmt/format.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

#include "bench/blocks.h"
#include "bench/machine.h"
#include "bench/report.h"
#include "sepconv/sepconv.h"

namespace sepconv::bench {
namespace {

struct Options {
    std::string shapes = "mobilenet_v1";
    std::string shapes_folder = "bench/shapes";
    std::string isa;
    std::string tool = program_folder() + "/sepconv";
    std::string output = std::filesystem::path(program_folder()).parent_path().string() + "/bench";
    int rounds = 50;
    int calls = 3;
    int core = -1;
    std::string command;
};

void add_options(CLI::App *app, Options *options) {
    app->add_option("--shapes", options->shapes, "Table of shapes, without .csv")
        ->capture_default_str();
    app->add_option("--shapes-folder", options->shapes_folder, "Where the tables are")
        ->capture_default_str();
    app->add_option("--isa", options->isa, "sse41, avx2 or avx512 (default: the best of this CPU)")
        ->check(CLI::IsMember({"sse41", "avx2", "avx512"}));
    app->add_option("--rounds", options->rounds, "Over all blocks")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    app->add_option("--calls", options->calls, "Timed calls of a block in a round")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    app->add_option("--core", options->core, "Processor to run on (default: the current one)")
        ->check(CLI::Range(0, CPU_SETSIZE - 1));
    app->add_option("--tool", options->tool, "The program sepconv (default: beside this one)");
    app->add_option("--output", options->output,
                    "Folder for libraries and tables (default: bench beside the program's)");
}

Status choose_isa(std::string *isa) {
    if (isa->empty()) {
        for (const char *known : {"sse41", "avx2", "avx512"}) {
            if (sepconv_isa_available(known) != 0) *isa = known;
        }
    }
    if (!isa->empty() && sepconv_isa_available(isa->c_str()) != 0) return Status();
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("--isa: this CPU does not run '{}'", *isa));
}

Status write(const std::string &path, const std::string &text) {
    std::ofstream file(path);
    file << text;
    file.close();
    if (!file) return Status(StatusCode::kIo, fmt::format("'{}': cannot be written", path));
    fmt::print("{}\n", path);
    return Status();
}

Facts facts_of(const Options &options, const Samples &samples, int core) {
    const Spread peak = spread_of(samples.peaks);
    return {
        {"CPU", cpu_model()},
        {"date", date()},
        {"sepconv", SEPCONV_VERSION},
        {"command", options.command},
        {"ISA", options.isa},
        {"peak", fmt::format("{:.1f} GFLOP/s of {} (p10 {:.1f}, p90 {:.1f})", peak.median,
                             options.isa == "sse41" ? "multiply and add" : "fused multiply-add",
                             peak.p10, peak.p90)},
        {"threads", fmt::format("1, on processor {}", core)},
        {"in the timer",
         "sepconv_run, NHWC to NHWC, weights and data warm, tensors at 64-byte boundaries"},
        {"samples",
         fmt::format("{} rounds over all blocks, {} calls of each", options.rounds, options.calls)},
    };
}

Status run(Options options) {
    SEPCONV_RETURN_IF_ERROR(choose_isa(&options.isa));
    const Result<std::vector<BlockShape>> shapes =
        read_shapes(fmt::format("{}/{}.csv", options.shapes_folder, options.shapes));
    if (!shapes.ok()) return shapes.status();
    const std::string result = fmt::format("{}/{}_{}", options.output, options.shapes, options.isa);
    std::vector<CheckedBlock> blocks;
    for (const BlockShape &shape : shapes.value()) {
        fmt::print(stderr, "[{}/{}] {}: {}\n", blocks.size() + 1, shapes.value().size(), shape.name,
                   describe(shape));
        Result<CheckedBlock> block = prepare(options.tool, shape, options.isa, result);
        if (!block.ok()) return block.status();
        blocks.push_back(std::move(block).value());
    }
    const Result<int> core = pin(options.core);
    if (!core.ok()) return core.status();
    fmt::print(stderr, "all values agree with the reference; timing\n");
    const Result<Samples> samples = measure(&blocks, options.isa, options.rounds, options.calls);
    if (!samples.ok()) return samples.status();
    const Facts facts = facts_of(options, samples.value(), core.value());
    const std::vector<Row> rows = rows_of(blocks, samples.value());
    fmt::print("{}\n", markdown(facts, rows));
    SEPCONV_RETURN_IF_ERROR(write(result + ".md", markdown(facts, rows)));
    return write(result + ".csv", csv(facts, rows));
}

}  // namespace
}  // namespace sepconv::bench

int main(int argc, char **argv) {
    CLI::App app("Times blocks against the FMA peak of the same run");
    sepconv::bench::Options options;
    add_options(&app, &options);
    CLI11_PARSE(app, argc, argv);
    options.command = std::filesystem::path(argv[0]).filename().string();
    for (int i = 1; i < argc; ++i) options.command += std::string(" ") + argv[i];
    const sepconv::Status status = sepconv::bench::run(options);
    if (status.ok()) return 0;
    fmt::print(stderr, "sepconv_bench: {}\n", status.message());
    return 1;
}
