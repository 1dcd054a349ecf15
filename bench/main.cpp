// sepconv_bench: blocks of tables of shapes, each compiled by the tool and prepared with the peers,
// checked, and timed side by side and against the FMA peak of the same run.
#include <fmt/format.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "bench/blocks.h"
#include "bench/machine.h"
#include "bench/peak.h"
#include "bench/report.h"
#include "bench/roofline.h"
#include "sepconv/sepconv.h"

namespace sepconv::bench {
namespace {

struct Options {
    std::vector<std::string> shapes = {"mobilenet_v1"};
    std::string shapes_folder = "bench/shapes";
    std::string isa;
    std::string tool = program_folder() + "/sepconv";
    std::string output = std::filesystem::path(program_folder()).parent_path().string() + "/bench";
    int rounds = 50;
    double sample = 200;
    int threads = 1;
    int core = -1;
    bool no_peers = false;
    std::vector<std::string> schedulers;
    int scheduler_limit = 600;
    std::string tuning;
    bool peak_only = false;
    std::string command;
};

void add_options(CLI::App *app, Options *options) {
    app->add_option("--shapes", options->shapes, "Tables of shapes, without .csv; or all")
        ->delimiter(',')
        ->capture_default_str();
    app->add_option("--shapes-folder", options->shapes_folder, "Where the tables are")
        ->capture_default_str();
    app->add_option("--isa", options->isa, "sse41, avx2 or avx512 (default: the best of this CPU)")
        ->check(CLI::IsMember({"sse41", "avx2", "avx512"}));
    app->add_option("--threads", options->threads, "Of every contender")
        ->check(CLI::Range(1, SEPCONV_MAX_THREADS))
        ->capture_default_str();
    app->add_option("--rounds", options->rounds, "Over all blocks")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    app->add_option("--sample", options->sample, "Microseconds that a sample takes at least")
        ->check(CLI::Range(1.0, 1e6))
        ->capture_default_str();
    app->add_option("--core", options->core, "First processor to run on (default: the current one)")
        ->check(CLI::Range(0, CPU_SETSIZE - 1));
    app->add_flag("--no-peers", options->no_peers, "Without the libraries to compare with");
    app->add_option("--schedulers", options->schedulers,
                    "Also our kernels by Halide's autoschedulers: adams2019, li2018, mullapudi2016")
        ->delimiter(',');
    app->add_option("--scheduler-limit", options->scheduler_limit,
                    "Seconds for one kernel; what takes longer is not compared")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    app->add_option("--tuning", options->tuning,
                    "Also ours with this table of sepconv tune, beside ours without any")
        ->check(CLI::ExistingFile);
    app->add_flag("--peak-only", options->peak_only,
                  "Only measures the peak of the ISA and prints it as a line of JSON");
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

/// All tables of the folder for "all".
Result<std::vector<std::string>> choose_shapes(const Options &options) {
    if (options.shapes != std::vector<std::string>{"all"}) return options.shapes;
    std::vector<std::string> names;
    std::error_code error;
    for (const auto &entry : std::filesystem::directory_iterator(options.shapes_folder, error)) {
        if (entry.path().extension() == ".csv") names.push_back(entry.path().stem().string());
    }
    if (names.empty()) {
        return Status(StatusCode::kIo,
                      fmt::format("'{}': holds no table of shapes", options.shapes_folder));
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// Facts for the report, the CPU first.
Facts facts_of(const Options &options, const MeasureOptions &measured, const Spread &peak,
               const std::vector<std::unique_ptr<Peer>> &peers,
               const std::vector<std::string> &absent) {
    Facts facts = {
        {"CPU", cpu_model()},
        {"date", date()},
        {"command", options.command},
        {"ISA", options.isa},
        {"peak", fmt::format("{:.1f} GFLOP/s of {} (p10 {:.1f}, p90 {:.1f})", peak.median,
                             options.isa == "sse41" ? "multiply and add" : "fused multiply-add",
                             peak.p10, peak.p90)},
        {"threads",
         fmt::format("{}, on processors {}", options.threads, fmt::join(measured.cores, ", "))},
        {"in the timer",
         "one call of the library, weights and data warm, tensors at 64-byte "
         "boundaries; NHWC to NHWC where not stated otherwise"},
        {"samples", fmt::format("{} rounds over all blocks and contenders, each the mean of as "
                                "many calls as take {:g} us",
                                options.rounds, options.sample)},
    };
    for (const std::unique_ptr<Peer> &peer : peers) facts.emplace_back(peer->name(), peer->facts());
    for (const std::string &line : absent) facts.emplace_back("not compared", line);
    return facts;
}

Result<std::vector<CheckedBlock>> prepare_all(const Options &options,
                                              const std::vector<std::string> &tables,
                                              const std::vector<std::unique_ptr<Peer>> &peers) {
    std::vector<CheckedBlock> blocks;
    for (const std::string &table : tables) {
        const Result<std::vector<BlockShape>> shapes =
            read_shapes(fmt::format("{}/{}.csv", options.shapes_folder, table));
        if (!shapes.ok()) return shapes.status();
        for (const BlockShape &shape : shapes.value()) {
            fmt::print(stderr, "[{}] {}: {}\n", table, shape.name, describe(shape));
            Result<CheckedBlock> block = prepare(table, shape, peers);
            if (!block.ok()) return block.status();
            blocks.push_back(std::move(block).value());
        }
    }
    return blocks;
}

Status write_report(const Report &report, const std::string &path) {
    fmt::print("{}\n", markdown(report));
    SEPCONV_RETURN_IF_ERROR(write(path + ".md", markdown(report)));
    SEPCONV_RETURN_IF_ERROR(write(path + ".csv", csv(report)));
    return write(path + ".svg", roofline(report));
}

/// Ours first.
std::vector<std::unique_ptr<Peer>> choose_peers(const Options &options,
                                                const PeerOptions &peer_options,
                                                std::vector<std::string> *absent) {
    std::vector<std::unique_ptr<Peer>> peers;
    peers.push_back(make_sepconv(peer_options));
    if (!options.tuning.empty()) peers.push_back(make_tuned(peer_options));
    for (const std::string &scheduler : options.schedulers) {
        peers.push_back(make_autoscheduled(peer_options, scheduler));
    }
    if (options.no_peers) return peers;
    for (auto &peer : make_peers(peer_options, absent)) peers.push_back(std::move(peer));
    return peers;
}

Status run_blocks(const Options &options, const MeasureOptions &measured) {
    const Result<std::vector<std::string>> tables = choose_shapes(options);
    if (!tables.ok()) return tables.status();
    const std::string path =
        fmt::format("{}/{}_{}{}", options.output, fmt::join(options.shapes, "+"), options.isa,
                    options.threads == 1 ? "" : fmt::format("_t{}", options.threads));
    const PeerOptions peer_options = {options.isa, options.threads, options.tool,
                                      path,        options.tuning,  options.scheduler_limit};
    std::vector<std::string> absent;
    const std::vector<std::unique_ptr<Peer>> peers = choose_peers(options, peer_options, &absent);
    Result<std::vector<CheckedBlock>> blocks = prepare_all(options, tables.value(), peers);
    if (!blocks.ok()) return blocks.status();
    fmt::print(stderr, "all values agree with the reference; timing\n");
    const Result<std::vector<double>> peaks = measure(measured, &blocks.value());
    if (!peaks.ok()) return peaks.status();

    const Spread peak = spread_of(peaks.value());
    Report report;
    report.peak = peak.median;
    for (const std::unique_ptr<Peer> &peer : peers) report.contenders.push_back(peer->name());
    report.rows = rows_of(blocks.value());
    report.facts = facts_of(options, measured, peak, peers, absent);
    for (const auto &fact : summary_of(report.contenders, report.rows)) {
        report.facts.push_back(fact);
    }
    return write_report(report, path);
}

/// The median of `rounds` runs.
void print_peak(const MeasureOptions &options) {
    std::vector<double> peaks;
    for (int round = 0; round < options.rounds; ++round) {
        peaks.push_back(measure_peak(options.isa, options.cores));
    }
    fmt::print("{{\"isa\": \"{}\", \"gflops\": {:.2f}, \"threads\": {}}}\n", options.isa,
               spread_of(peaks).median, options.cores.size());
}

Status run(Options options) {
    SEPCONV_RETURN_IF_ERROR(choose_isa(&options.isa));
    const Result<std::vector<int>> cores = choose_cores(options.core, options.threads);
    if (!cores.ok()) return cores.status();
    SEPCONV_RETURN_IF_ERROR(pin(cores.value()));  // Before any library starts its threads.
    const MeasureOptions measured = {options.isa, cores.value(), options.rounds, options.sample};
    if (!options.peak_only) return run_blocks(options, measured);
    print_peak(measured);
    return Status();
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
