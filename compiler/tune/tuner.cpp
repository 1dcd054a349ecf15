#include "compiler/tune/tuner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "compiler/files.h"
#include "compiler/process.h"
#include "compiler/targets.h"
#include "compiler/tune/candidates.h"
#include "compiler/tune/journal.h"
#include "compiler/tune/kernel_plan.h"
#include "compiler/tune/measure.h"

namespace sepconv {
namespace {

using Clock = std::chrono::steady_clock;

/// One distinct block of the model.
struct Subject {
    const Kernel *kernel = nullptr;
    KernelKey key;
    Plan plan;            ///< Of it alone.
    std::string library;  ///< The default's.
    double microseconds = 0;
    double share = 0;  ///< Microseconds of all its calls.
};

class Tuner {
public:
    Tuner(const TuneOptions &options, const IsaTarget &target, Journal journal,
          const TemporaryFolder &work)
        : options_(options), target_(target), journal_(std::move(journal)), work_(work) {
        jobs_ = options.build.jobs;
        if (jobs_ <= 0) jobs_ = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    }

    Result<TuningTable> run(const Plan &plan) {
        list_subjects(plan);
        SEPCONV_RETURN_IF_ERROR(measure_defaults());
        double left = 0;
        for (const Subject &subject : subjects_) left += subject.share;
        for (size_t i = 0; i < subjects_.size(); ++i) {
            // What one kernel leaves of its part is the others'.
            const double part = subjects_[i].share / std::max(left, 1e-9);
            number_ = i + 1;
            SEPCONV_RETURN_IF_ERROR(tune_subject(subjects_[i], seconds_left() * part));
            left -= subjects_[i].share;
        }
        SEPCONV_RETURN_IF_ERROR(write_table());
        return table();
    }

private:
    double seconds_left() const {
        const std::chrono::duration<double> spent = Clock::now() - start_;
        return options_.seconds - spent.count();
    }

    void list_subjects(const Plan &plan) {
        for (size_t k = 0; k < plan.kernels.size(); ++k) {
            const auto *block = std::get_if<Block>(&plan.kernels[k]);
            if (block == nullptr) continue;
            Subject subject;
            subject.kernel = &plan.kernels[k];
            subject.key = key_of(plan.kernels[k], target_.isa);
            subject.plan = one_kernel_plan(*block);
            for (const PlanStep &step : plan.steps) {
                if (static_cast<size_t>(step.kernel) == k) {
                    subject.share += static_cast<double>(step.repeat);
                    subject.plan.blocks[0] = plan.blocks[static_cast<size_t>(step.block)];
                    subject.plan.blocks[0].kernel = 0;
                }
            }
            subjects_.push_back(std::move(subject));
        }
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
            one.kernels[subject.key] = {describe(*subject.kernel), tuning};
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
            children.back().what = "compiling " + name_of(subject);
        }
        show("compiling the defaults");
        SEPCONV_RETURN_IF_ERROR(run_children(children, jobs_, [](size_t) { return Status(); }));
        for (Subject &subject : subjects_) {
            const Result<Measurement> time = compare_to(subject, subject.library, subject.library);
            if (!time.ok()) return time.status();
            subject.microseconds = time.value().microseconds;
            subject.share *= subject.microseconds;
        }
        std::stable_sort(subjects_.begin(), subjects_.end(),
                         [](const Subject &a, const Subject &b) { return a.share > b.share; });
        return Status();
    }

    Result<Measurement> compare_to(const Subject &subject, const std::string &reference,
                                   const std::string &library) {
        return compare(subject.plan, reference, library,
                       {options_.threads, options_.seconds_of_child, work_.path()});
    }

    static std::string name_of(const Subject &subject) {
        return subject.plan.blocks[0].kind + " " + subject.plan.blocks[0].shape;
    }

    /// Batches until the time is over: a batch is compiled, then timed when no compiler runs.
    Status tune_subject(const Subject &subject, double seconds) {
        const Clock::time_point start = Clock::now();
        const auto spent = [&start] {
            return std::chrono::duration<double>(Clock::now() - start).count();
        };
        std::vector<Tuning> tunings;
        for (const Tuning &tuning :
             candidates_of(*subject.kernel, target_.halide, options_.candidates)) {
            if (journal_.find(subject.key, tuning) == nullptr) tunings.push_back(tuning);
        }
        std::string best = subject.library;
        const Trial *known = journal_.best_of(subject.key);
        const auto batch = 2 * static_cast<size_t>(jobs_);
        for (size_t next = 0; next < tunings.size() && spent() < seconds; next += batch) {
            if (next == 0 && known != nullptr) {  // Where a killed run left off.
                const std::vector<Result<std::string>> built = build(subject, {known->tuning});
                if (built[0].ok()) best = built[0].value();
            }
            const std::vector<Tuning> some(tunings.begin() + static_cast<std::ptrdiff_t>(next),
                                           tunings.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                 next + batch, tunings.size())));
            const std::vector<Result<std::string>> libraries = build(subject, some);
            for (size_t i = 0; i < some.size(); ++i) {
                SEPCONV_RETURN_IF_ERROR(try_one(subject, some[i], libraries[i], &best));
            }
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
        }
        return libraries;
    }

    Status try_one(const Subject &subject, const Tuning &tuning, const Result<std::string> &library,
                   std::string *best) {
        Trial trial{subject.key, tuning, "slower", "", {}};
        Result<Measurement> measured = library.status();
        if (library.ok()) {
            const Result<std::string> mine = read_file(library.value());
            const Result<std::string> reference = read_file(subject.library);
            if (options_.after_build) options_.after_build(tuning, library.value());
            if (mine.ok() && reference.ok() && mine.value() == reference.value()) {
                trial.outcome = "same";
            }
            measured = compare_to(subject, *best, library.value());
        }
        if (measured.ok()) {
            trial.measured = measured.value();
            if (trial.outcome != "same") SEPCONV_RETURN_IF_ERROR(judge(subject, library, &trial));
            if (trial.outcome == "best") *best = library.value();
        } else {
            trial.outcome = "dropped";
            trial.detail = measured.status().message();
            fmt::print(stderr, "{}dropped {} of {}: {}\n", line_end(), describe(tuning),
                       name_of(subject), trial.detail);
        }
        SEPCONV_RETURN_IF_ERROR(journal_.add(trial));
        show_trial(subject);
        return trial.outcome == "best" ? write_table() : Status();
    }

    /// Better than the best so far, and in another process again better than the default.
    Status judge(const Subject &subject, const Result<std::string> &library, Trial *trial) {
        if (trial->measured.high >= 1) return Status();
        const Result<Measurement> again = compare_to(subject, subject.library, library.value());
        if (!again.ok()) {
            trial->outcome = "dropped";
            trial->detail = again.status().message();
        } else if (again.value().high < 1) {
            trial->outcome = "best";
            trial->measured = again.value();
        }
        return Status();
    }

    TuningTable table() const {
        TuningTable table;
        table.cpu = this_cpu();
        for (const Subject &subject : subjects_) {
            const Trial *best = journal_.best_of(subject.key);
            if (best == nullptr) continue;
            table.kernels[subject.key] = {describe(*subject.kernel), best->tuning};
        }
        return table;
    }

    Status write_table() const { return replace_file(options_.output, text_of(table())); }

    std::string line_end() const { return terminal_ && !options_.build.quiet ? "\r\x1b[K" : ""; }

    void show(const std::string &text) const {
        if (options_.build.quiet) return;
        fmt::print(stderr, terminal_ ? "\r{}\x1b[K" : "{}\n", text);
        std::fflush(stderr);
    }

    void show_trial(const Subject &subject) const {
        const Trial *best = journal_.best_of(subject.key);
        show(fmt::format("[{}/{}] {}: best {:.3f} of the default's {:.1f} us, {:.0f} s left",
                         number_, subjects_.size(), name_of(subject),
                         best == nullptr ? 1.0 : best->measured.ratio, subject.microseconds,
                         std::max(0.0, seconds_left())));
    }

    const TuneOptions &options_;
    const IsaTarget &target_;
    Journal journal_;
    const TemporaryFolder &work_;
    const bool terminal_ = isatty(STDERR_FILENO) != 0;
    const Clock::time_point start_ = Clock::now();
    int jobs_ = 1;
    std::vector<Subject> subjects_;
    size_t number_ = 0;
    int folders_ = 0;
};

}  // namespace

Result<TuningTable> tune(const Plan &plan, const TuneOptions &options) {
    const Result<std::vector<IsaTarget>> targets = resolve_targets(options.build.target);
    if (!targets.ok()) return targets.status();
    if (targets.value().size() != 1 || !targets.value()[0].device.empty()) {
        return Status(StatusCode::kInvalidArgument, "--isa: tune takes one variant of the CPU");
    }
    const Result<std::string> cache = cache_folder(options.build.cache);
    if (!cache.ok()) return cache.status();
    const Result<TemporaryFolder> work = TemporaryFolder::create(cache.value(), "tune");
    if (!work.ok()) return work.status();
    // Trials of another build of the schedules are no trials of these.
    const Result<std::string> tool = tool_fingerprint();
    if (!tool.ok()) return tool.status();
    const std::string head =
        fmt::format("{{\"cpu\":\"{}\",\"tool\":\"{}\",\"threads\":{}}}", describe(this_cpu()),
                    hash_of(tool.value()), options.threads);
    Result<Journal> journal = Journal::open(options.output + ".journal", head);
    if (!journal.ok()) return journal.status();
    return Tuner(options, targets.value()[0], std::move(journal).value(), work.value()).run(plan);
}

}  // namespace sepconv
