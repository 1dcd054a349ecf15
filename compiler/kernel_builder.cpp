#include "compiler/kernel_builder.h"

#include <Halide.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include "compiler/files.h"
#include "compiler/object_cache.h"
#include "compiler/object_file.h"
#include "compiler/process.h"
#include "schedules/build_kernel.h"

namespace sepconv {
namespace {

/// One object to be in the cache.
struct Job {
    const Kernel *kernel = nullptr;
    std::string halide_target;
    Schedule schedule;
    std::string what;  ///< For progress and messages.
    std::string symbol;
    CachedObject cached;
};

/// The object of a job if the cache holds it.
bool load_cached(const Job &job, KernelObject *result) {
    std::string facts, bytes;
    if (!load_object(job.cached, &facts, &bytes)) return false;
    // Scratch outside and inside of tasks.
    long long serial = 0, task = 0;
    if (std::sscanf(facts.c_str(), "%lld %lld", &serial, &task) != 2) return false;
    result->symbol = job.symbol;
    result->path = job.cached.object();
    result->scratch_bytes = serial + task;
    result->worker_bytes = task;
    result->code_bytes = loaded_bytes(bytes);
    return true;
}

/// Variables of Halide and its autoschedulers (HL_LLVM_ARGS and others) would change what is
/// compiled, but not its key.
void forget_halide_variables() {
    std::vector<std::string> names;
    for (char **variable = environ; *variable != nullptr; ++variable) {
        const std::string text = *variable;
        if (text.rfind("HL_", 0) == 0) names.push_back(text.substr(0, text.find('=')));
    }
    for (const std::string &name : names) unsetenv(name.c_str());
}

/// Runs in the child: the only place that uses Halide.
Status compile_job(const Job &job, const std::string &folder) {
    forget_halide_variables();
    const std::string object = folder + "/" + job.symbol + ".o";
    const Result<Scratch> scratch = compile_kernel(*job.kernel, Halide::Target(job.halide_target),
                                                   job.schedule, job.symbol, object);
    if (!scratch.ok()) return scratch.status();
    return store_object(
        job.cached, object,
        fmt::format("{} {}", scratch.value().serial_bytes, scratch.value().task_bytes));
}

/// "[12/57] separable ..." on stderr: one rewritten line on a terminal, else a line now and then.
class Progress {
public:
    Progress(size_t total, bool quiet)
        : total_(total), quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}
    ~Progress() {
        if (shown_ && terminal_) show("\n");
    }
    Progress(const Progress &) = delete;
    Progress &operator=(const Progress &) = delete;

    void done(const std::string &what) {
        ++count_;
        constexpr size_t kStep = 5;
        if (quiet_ || (!terminal_ && count_ % kStep != 0 && count_ != total_)) return;
        const std::string line = fmt::format("[{}/{}] {}", count_, total_, what.substr(0, 100));
        show(terminal_ ? "\r" + line + "\x1b[K" : line + "\n");
        shown_ = true;
    }

private:
    size_t total_;
    bool quiet_, terminal_;
    size_t count_ = 0;
    bool shown_ = false;
};

/// "separable 56x56x64 > 56x56x128 k3 s1" of the first block with that kernel.
std::string what_of(const Plan &plan, size_t kernel) {
    for (const PlanStep &step : plan.steps) {
        if (static_cast<size_t>(step.kernel) == kernel) {
            const PlanBlock &block = plan.blocks[static_cast<size_t>(step.block)];
            return block.kind + " " + block.shape;
        }
    }
    return describe(plan.kernels[kernel]);
}

Result<Job> make_job(const Plan &plan, size_t kernel, const IsaTarget &target,
                     const std::string &fingerprint, const KernelBuildOptions &options) {
    const std::string text = describe(plan.kernels[kernel]);
    Job job;
    job.kernel = &plan.kernels[kernel];
    job.halide_target = target.halide;
    job.what = what_of(plan, kernel) + " " + target.isa;
    if (options.autoscheduler) {
        job.schedule = *options.autoscheduler;
        job.what += " with " + options.autoscheduler->name;
    } else if (target.device.empty()) {
        const Tuning tuning = options.tunings.of(*job.kernel, target.isa);
        if (const Status legal = check_tuning(*job.kernel, tuning, target.halide); !legal.ok()) {
            return Status(legal.code(),
                          fmt::format("the tuning of {}: {}", job.what, legal.message()));
        }
        job.schedule = tuning;
    }
    job.symbol = fmt::format("sepconv_{}_{}", hash_of(text), target.isa);
    job.cached.key =
        hash_of(text + "\n" + target.halide + "\n" + describe(job.schedule) + "\n" + fingerprint);
    job.cached.path = fmt::format("{}/kernels/{}", options.cache, job.cached.key);
    return job;
}

Status compile_missing(const std::vector<Job> &missing, const KernelBuildOptions &options) {
    if (missing.empty()) return Status();
    Result<TemporaryFolder> folder = TemporaryFolder::create(options.cache);
    if (!folder.ok()) return folder.status();
    const std::string &path = folder.value().path();
    std::vector<Child> children;
    for (const Job &job : missing) {
        Child child;
        child.what = "compiling " + job.what;
        child.work = [&job, &path] { return compile_job(job, path); };
        child.seconds = options.seconds;
        // Ours never fail; what an autoscheduler can do is its own affair.
        if (options.autoscheduler) child.code = StatusCode::kUnsupported;
        children.push_back(std::move(child));
    }
    int jobs = options.jobs;
    if (jobs <= 0) jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    Progress progress(missing.size(), options.quiet);
    Status status = run_children(children, jobs, [&](size_t i) {
        progress.done(missing[i].what);
        return Status();
    });
    // LLVM, which writes the object, exits on a full disk.
    if (status.message().find("LLVM ERROR: IO failure") != std::string::npos) {
        status = Status(StatusCode::kIo, status.message());
    }
    if (status.code() != StatusCode::kUnsupported) return status;
    return Status(status.code(), status.message() +
                                     "\nexpected: --scheduler hand, which has a "
                                     "schedule for every kernel");
}

/// Whatever the bytes of a kernel depend on apart from what it computes and its schedule.
Result<std::string> fingerprint_of(const KernelBuildOptions &options) {
    Result<std::string> tool = tool_fingerprint();
    if (!tool.ok() || !options.autoscheduler) return tool;
    const Result<std::string> plugin = read_file(options.autoscheduler->plugin);
    if (!plugin.ok()) return plugin.status();
    return tool.value() + " " + hash_of(plugin.value());
}

}  // namespace

int64_t Variant::worker_bytes() const {
    int64_t bytes = 0;
    for (const KernelObject &kernel : kernels) bytes = std::max(bytes, kernel.worker_bytes);
    return bytes;
}

int64_t Variant::code_bytes() const {
    std::map<std::string, int64_t> distinct;
    for (const KernelObject &kernel : kernels) distinct[kernel.symbol] = kernel.code_bytes;
    int64_t bytes = 0;
    for (const auto &[symbol, code] : distinct) bytes += code;
    return bytes;
}

Result<std::vector<Variant>> build_kernels(const Plan &plan, const std::vector<IsaTarget> &targets,
                                           const KernelBuildOptions &options) {
    const Result<std::string> fingerprint = fingerprint_of(options);
    if (!fingerprint.ok()) return fingerprint.status();
    SEPCONV_RETURN_IF_ERROR(make_folder(options.cache + "/kernels"));
    std::vector<Job> jobs, missing;
    std::set<std::string> listed;
    for (const IsaTarget &target : targets) {
        for (size_t k = 0; k < plan.kernels.size(); ++k) {
            const Result<Job> job = make_job(plan, k, target, fingerprint.value(), options);
            if (!job.ok()) return job.status();
            jobs.push_back(job.value());
            KernelObject ignored;
            if (!load_cached(jobs.back(), &ignored) && listed.insert(jobs.back().symbol).second) {
                missing.push_back(jobs.back());
            }
        }
    }
    SEPCONV_RETURN_IF_ERROR(compile_missing(missing, options));
    std::vector<Variant> variants;
    size_t next = 0;
    for (const IsaTarget &target : targets) {
        Variant variant;
        variant.isa = target.isa;
        variant.device = target.device;
        variant.capability = target.capability;
        if (options.autoscheduler) variant.scheduler = options.autoscheduler->name;
        for (size_t k = 0; k < plan.kernels.size(); ++k) {
            KernelObject object;
            if (!load_cached(jobs[next], &object)) {
                return Status(StatusCode::kIo,
                              fmt::format("the cache has lost '{}' ({})",
                                          jobs[next].cached.object(), jobs[next].what));
            }
            variant.kernels.push_back(object);
            ++next;
        }
        variants.push_back(std::move(variant));
    }
    return variants;
}

std::vector<int64_t> scratch_of_steps(const Plan &plan, const std::vector<Variant> &variants) {
    std::vector<int64_t> bytes;
    for (const PlanStep &step : plan.steps) {
        int64_t most = 0;
        for (const Variant &variant : variants) {
            most = std::max(most, variant.kernels[static_cast<size_t>(step.kernel)].scratch_bytes);
        }
        bytes.push_back(most);
    }
    return bytes;
}

}  // namespace sepconv
