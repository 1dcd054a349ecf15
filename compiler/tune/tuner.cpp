#include "compiler/tune/tuner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "compiler/files.h"
#include "compiler/process.h"
#include "compiler/targets.h"
#include "compiler/tune/journal.h"
#include "compiler/tune/measure.h"
#include "compiler/tune/subject.h"
#include "compiler/tune/trials_csv.h"

namespace sepconv {
namespace {

using Clock = std::chrono::steady_clock;

/// A candidate must take less than this of the best one's time to take its place: what is closer is
/// noise, and two runs should agree.
constexpr double kWorthwhile = 0.985;

/// The fastest library of a subject so far, and its time as a part of the default's.
struct Best {
    std::string library;
    double of_default = 1;
};

class Tuner {
public:
    Tuner(const TuneOptions &options, const IsaTarget &target, Journal journal,
          const TemporaryFolder &work)
        : options_(options), target_(target), journal_(std::move(journal)), work_(work) {
        jobs_ = options.build.jobs;
        if (jobs_ <= 0) jobs_ = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    }

    /// Kernels of `table` are tried first, and stay in it if they are not of this plan.
    Result<TuningTable> run(const Plan &plan, const TuningTable &table) {
        table_ = table;
        subjects_ = subjects_of(plan, target_.isa, target_.halide);
        SEPCONV_RETURN_IF_ERROR(measure_defaults());
        double left = 0;
        for (const Subject &subject : subjects_) left += subject.share();
        for (const Subject &subject : subjects_) {
            // What one kernel leaves of its part is the others'.
            const double part = subject.share() / std::max(left, 1e-9);
            ++number_;
            SEPCONV_RETURN_IF_ERROR(tune_subject(subject, seconds_left() * part));
            left -= subject.share();
        }
        SEPCONV_RETURN_IF_ERROR(write_table());
        if (!options_.csv.empty()) {
            SEPCONV_RETURN_IF_ERROR(write_csv());
        }
        return table_;
    }

private:
    double seconds_left() const {
        const std::chrono::duration<double> spent = Clock::now() - start_;
        return options_.seconds - spent.count();
    }

    /// A child that compiles the kernel alone with this tuning to FOLDER/libkernel.so.
    Child build_child(const Subject &subject, const Tuning &tuning, const std::string &folder) {
        Child child;
        child.what = "compiling " + describe(tuning);
        constexpr int kSeconds = 150;  // Above a kernel's own limit.
        child.seconds = kSeconds;
        child.work = [this, &subject, tuning, folder]() -> Status {
            TuningTable one;
            one.cpu = this_cpu();
            one.kernels[subject.key] = {tuned_text(*subject.kernel), tuning};
            SEPCONV_RETURN_IF_ERROR(write_file(folder + ".json", text_of(one)));
            BuildOptions build = options_.build;
            build.tuning = {folder + ".json"};
            build.no_tuning = build.quiet = true;
            build.jobs = 1;
            return compile_plan(subject.plan, build, {folder, "kernel", true}, "a kernel").status();
        };
        return child;
    }

    std::string new_folder() { return work_.file(fmt::format("library{}", ++folders_)); }

    /// The defaults, all compiled before any is timed.
    Status measure_defaults() {
        std::vector<Child> children;
        for (Subject &subject : subjects_) {
            const std::string folder = new_folder();
            subject.library = folder + "/libkernel.so";
            children.push_back(build_child(subject, Tuning{}, folder));
            children.back().what = "compiling " + subject.name();
        }
        show("compiling the defaults");
        SEPCONV_RETURN_IF_ERROR(run_children(children, jobs_, [](size_t) { return Status(); }));
        for (Subject &subject : subjects_) {
            const Result<Measurement> time = compare(subject.plan, subject.library, subject.library,
                                                     measuring(options_.threads));
            if (!time.ok()) return time.status();
            subject.microseconds = time.value().microseconds;
        }
        std::stable_sort(subjects_.begin(), subjects_.end(),
                         [](const Subject &a, const Subject &b) { return a.share() > b.share(); });
        return Status();
    }

    MeasureOptions measuring(int threads) const {
        return {threads, options_.seconds_of_child, work_.path()};
    }

    /// First what the table has, then what the estimate puts first, then what differs from the best
    /// in one field, until the time is over.
    Status tune_subject(const Subject &subject, double seconds) {
        until_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(seconds));
        Best best{subject.library, 1};
        const Trial *known = journal_.best_of(subject.key);
        if (known != nullptr) {  // Where a killed run left off.
            const std::vector<Result<std::string>> built = build(subject, {known->tuning});
            if (built[0].status().code() == StatusCode::kIo) return built[0].status();
            if (built[0].ok()) best = {built[0].value(), known->of_default};
        }
        std::vector<Tuning> first;
        const auto listed = table_.kernels.find(subject.key);
        if (listed != table_.kernels.end()) first.push_back(listed->second.tuning);
        SEPCONV_RETURN_IF_ERROR(try_all(subject, first, &best));
        std::vector<Tuning> tried = subject.candidates.all(options_.candidates);
        SEPCONV_RETURN_IF_ERROR(try_all(subject, tried, &best));
        tried.insert(tried.end(), first.begin(), first.end());
        const Tuning base = best_tuning(subject);
        SEPCONV_RETURN_IF_ERROR(try_all(
            subject, subject.candidates.neighbours(base, tried, options_.candidates), &best));
        const bool untried = !first.empty() && journal_.find(subject.key, first.front()) == nullptr;
        if (untried && journal_.best_of(subject.key) == nullptr)
            return Status();  // No time for it.
        // A tuning of the table that has not won again is not better than the default.
        return settle(subject);
    }

    Tuning best_tuning(const Subject &subject) const {
        const Trial *best = journal_.best_of(subject.key);
        return best == nullptr ? Tuning{} : best->tuning;
    }

    /// Those that the journal does not know, in batches: a batch is compiled, then timed when no
    /// compiler runs.
    Status try_all(const Subject &subject, const std::vector<Tuning> &tunings, Best *best) {
        std::vector<Tuning> left;
        for (const Tuning &tuning : tunings) {
            if (journal_.find(subject.key, tuning) == nullptr) left.push_back(tuning);
        }
        const auto batch = 2 * static_cast<std::ptrdiff_t>(jobs_);
        for (auto next = left.begin(); next != left.end() && Clock::now() < until_;) {
            const auto end = next + std::min(batch, left.end() - next);
            const std::vector<Tuning> some(next, end);
            const std::vector<Result<std::string>> libraries = build(subject, some);
            for (size_t i = 0; i < some.size(); ++i) {
                SEPCONV_RETURN_IF_ERROR(try_one(subject, some[i], libraries[i], best));
            }
            next = end;
        }
        return Status();
    }

    /// The libraries, in order. One that fails ends its batch, so all are then built one by one.
    std::vector<Result<std::string>> build(const Subject &subject,
                                           const std::vector<Tuning> &tunings) {
        std::vector<Child> children;
        std::vector<Result<std::string>> libraries;
        for (const Tuning &tuning : tunings) {
            const std::string folder = new_folder();
            libraries.emplace_back(folder + "/libkernel.so");
            children.push_back(build_child(subject, tuning, folder));
        }
        const auto nothing = [](size_t) { return Status(); };
        if (run_children(children, jobs_, nothing).ok()) return libraries;
        for (size_t i = 0; i < children.size(); ++i) {
            const Status status = run_children({children[i]}, 1, nothing);
            if (!status.ok()) libraries[i] = status;
            if (status.code() == StatusCode::kIo) break;
        }
        return libraries;
    }

    Status try_one(const Subject &subject, const Tuning &tuning, const Result<std::string> &library,
                   Best *best) {
        Trial trial{subject.key, tuning, "slower", "", {}};
        Result<Measurement> measured = library.status();
        if (library.ok()) {
            if (options_.after_build) options_.after_build(tuning, library.value());
            measured =
                compare(subject.plan, best->library, library.value(), measuring(options_.threads));
        }
        if (measured.ok()) {
            trial.measured = measured.value();
            trial.of_default = trial.measured.ratio * best->of_default;
            measured = judge(subject, library.value(), *best, &trial);
        }
        // Not the candidate's fault: a full disk, or a signal.
        if (measured.status().code() == StatusCode::kIo) return measured.status();
        if (!measured.ok()) {
            trial.outcome = "dropped";
            trial.detail = measured.status().message();
            sepconv::show(fmt::format("{}dropped {} of {}: {}\n", line_end(), describe(tuning),
                                      subject.name(), trial.detail));
        }
        SEPCONV_RETURN_IF_ERROR(journal_.add(trial));
        show_trial(subject);
        if (trial.outcome != "best") return Status();
        *best = {library.value(), trial.of_default};
        return settle(subject);
    }

    /// Whether the trial is better than the best so far by what is worthwhile, and measured again
    /// in other processes is that still, and better than the default in each of them.
    Result<Measurement> judge(const Subject &subject, const std::string &library, const Best &best,
                              Trial *trial) {
        if (trial->measured.high >= 1 || trial->measured.ratio >= kWorthwhile) {
            return trial->measured;
        }
        Result<Measurement> again =
            confirm(subject.plan, subject.library, library, measuring(options_.threads));
        if (!again.ok()) return again;
        trial->measured = again.value();
        trial->of_default = trial->measured.ratio;
        const bool better = trial->measured.ratio < kWorthwhile * best.of_default;
        if (!better || trial->measured.high >= 1) return again;
        const Result<bool> shares = shares_as_well(subject, library);
        if (!shares.ok()) return shares.status();
        if (shares.value()) trial->outcome = "best";
        return again;
    }

    /// A table does not say for how many threads it is: what wins with one must not clearly lose
    /// with two. (Clearly, because two threads' times spread far more than one's.)
    Result<bool> shares_as_well(const Subject &subject, const std::string &library) {
        constexpr double kNoise = 1.05;
        if (options_.threads != 1 || std::thread::hardware_concurrency() < 2) return true;
        const Result<Measurement> two =
            confirm(subject.plan, subject.library, library, measuring(2));
        if (!two.ok()) return two.status();
        return two.value().low < kNoise;
    }

    /// The subject's line of the table, on disk.
    Status settle(const Subject &subject) {
        const Trial *best = journal_.best_of(subject.key);
        table_.kernels.erase(subject.key);
        if (best != nullptr) {
            table_.kernels[subject.key] = {tuned_text(*subject.kernel), best->tuning};
        }
        return write_table();
    }

    Status write_table() const { return replace_file(options_.output, text_of(table_)); }

    Status write_csv() const {
        const std::string text = trials_csv(subjects_, journal_, options_.threads);
        // A pipe or a device cannot be replaced.
        const bool is_file =
            !exists(options_.csv) || std::filesystem::is_regular_file(options_.csv);
        return is_file ? replace_file(options_.csv, text) : write_file(options_.csv, text);
    }

    std::string line_end() const { return terminal_ && !options_.build.quiet ? "\r\x1b[K" : ""; }

    void show(const std::string &text) const {
        if (options_.build.quiet) return;
        sepconv::show(terminal_ ? "\r" + text + "\x1b[K" : text + "\n");
    }

    void show_trial(const Subject &subject) const {
        const Trial *best = journal_.best_of(subject.key);
        show(fmt::format("[{}/{}] {}: best {:.3f} of the default's {:.1f} us, {:.0f} s left",
                         number_, subjects_.size(), subject.name(),
                         best == nullptr ? 1.0 : best->of_default, subject.microseconds,
                         std::max(0.0, seconds_left())));
    }

    const TuneOptions &options_;
    const IsaTarget &target_;
    Journal journal_;
    const TemporaryFolder &work_;
    const bool terminal_ = isatty(STDERR_FILENO) != 0;
    const Clock::time_point start_ = Clock::now();
    int jobs_ = 1;
    TuningTable table_;
    std::vector<Subject> subjects_;
    Clock::time_point until_;  ///< When the subject's time is over.
    size_t number_ = 0;
    int folders_ = 0;
};

/// What is at `path`, if it is a table of this CPU and these schedules; empty if there is nothing,
/// or one of older schedules.
Result<TuningTable> table_at(const std::string &path) {
    TuningTable empty;
    empty.cpu = this_cpu();
    if (!exists(path)) return empty;
    const Result<std::string> text = read_file(path);
    if (!text.ok()) return text.status();
    const Result<TuningTable> table = parse_table(text.value(), path);
    if (!table.ok()) return table.status();
    if (!(table.value().cpu == empty.cpu)) {
        return Status(StatusCode::kInvalidArgument,
                      fmt::format("--output: '{}' is of {}, and this is {}", path,
                                  describe(table.value().cpu), describe(empty.cpu)));
    }
    return table.value().schedule_version == kScheduleVersion ? table : empty;
}

}  // namespace

Result<TuningTable> tune(const Plan &plan, const TuneOptions &options) {
    const Result<std::vector<IsaTarget>> targets = resolve_targets(options.build.target);
    if (!targets.ok()) return targets.status();
    if (targets.value().size() != 1 || !targets.value()[0].device.empty()) {
        return Status(StatusCode::kInvalidArgument, "--isa: tune takes one variant of the CPU");
    }
    const HeldSignals held;
    const Result<std::string> cache = cache_folder(options.build.cache);
    if (!cache.ok()) return cache.status();
    const Result<TemporaryFolder> work = TemporaryFolder::create(cache.value());
    if (!work.ok()) return work.status();
    const Result<TuningTable> table = table_at(options.output);
    if (!table.ok()) return table.status();
    // Trials of another build of the schedules are no trials of these.
    const Result<std::string> tool = tool_fingerprint();
    if (!tool.ok()) return tool.status();
    const std::string head =
        fmt::format("{{\"cpu\":\"{}\",\"tool\":\"{}\",\"threads\":{}}}", describe(this_cpu()),
                    hash_of(tool.value()), options.threads);
    Result<Journal> journal = Journal::open(options.output + ".journal", head);
    if (!journal.ok()) return journal.status();
    return Tuner(options, targets.value()[0], std::move(journal).value(), work.value())
        .run(plan, table.value());
}

}  // namespace sepconv
