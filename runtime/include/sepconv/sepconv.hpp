/// A thin C++17 wrapper of sepconv.h: owns a context, drops no status, needs nothing else.
#ifndef SEPCONV_SEPCONV_HPP_
#define SEPCONV_SEPCONV_HPP_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <utility>

#include "sepconv/sepconv.h"

namespace sepconv {

/// A sepconv_status_t that may not be ignored.
class [[nodiscard]] RunStatus {
public:
    RunStatus(sepconv_status_t code = SEPCONV_OK) noexcept : code_(code) {}

    bool ok() const noexcept { return code_ == SEPCONV_OK; }
    sepconv_status_t code() const noexcept { return code_; }
    const char *message() const noexcept { return sepconv_status_message(code_); }

private:
    sepconv_status_t code_;
};

/// What a ParallelFor calls once for every index. Errors are collected by the context.
class ParallelBody {
public:
    ParallelBody(sepconv_task_t task, void *data) noexcept : task_(task), data_(data) {}

    void operator()(int index, int worker) const noexcept {
        if (task_(data_, index, worker) != 0) {
            failed_.store(true, std::memory_order_relaxed);
        }
    }
    bool failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

private:
    sepconv_task_t task_;
    void *data_;
    mutable std::atomic<bool> failed_{false};
};

/// Calls body(index, worker) once for every index in [0, count), on any threads, and returns when
/// all have returned. `worker` is in [0, num_threads) and never used by two calls at once. It may
/// throw once no call is under way any more; run() then returns SEPCONV_CALLBACK_ERROR.
using ParallelFor = std::function<void(int count, const ParallelBody &body)>;

/// As sepconv_options_t.
struct Options {
    int num_threads = 0;
    ParallelFor parallel_for;  ///< Empty: our own pool where num_threads > 1.
    void *arena = nullptr;     ///< Null: allocated with the context.
    std::size_t arena_bytes = 0;
    bool profile = false;
    const char *device = nullptr;    ///< "cpu", "cuda", "opencl"; null: any.
    void *device_context = nullptr;  ///< The caller's, with its queue; null: our own.
    void *device_queue = nullptr;
};

/// Owns a context. Move-only; belongs to one caller at a time. Empty until create() succeeds:
/// every function of an empty one is safe, and run() returns SEPCONV_INVALID_ARGUMENT.
class Context {
public:
    Context() noexcept = default;
    ~Context() { sepconv_context_destroy(handle_); }
    Context(const Context &) = delete;
    Context &operator=(const Context &) = delete;
    Context(Context &&other) noexcept
        : parallel_for_(std::move(other.parallel_for_)),
          handle_(std::exchange(other.handle_, nullptr)),
          model_(std::exchange(other.model_, nullptr)) {}
    Context &operator=(Context &&other) noexcept {
        std::swap(parallel_for_, other.parallel_for_);
        std::swap(handle_, other.handle_);
        std::swap(model_, other.model_);
        return *this;
    }

    /// Replaces *context; leaves it as it was on failure.
    static RunStatus create(const sepconv_model_t *model, Options options, Context *context) {
        if (context == nullptr) {
            return SEPCONV_INVALID_ARGUMENT;
        }
        sepconv_options_t c_options = {};
        c_options.num_threads = options.num_threads;
        c_options.arena = options.arena;
        c_options.arena_bytes = options.arena_bytes;
        c_options.profile = options.profile ? 1 : 0;
        c_options.device = options.device;
        c_options.device_context = options.device_context;
        c_options.device_queue = options.device_queue;
        Context made;
        if (options.parallel_for) {
            made.parallel_for_.reset(new (std::nothrow)
                                         ParallelFor(std::move(options.parallel_for)));
            if (made.parallel_for_ == nullptr) {
                return SEPCONV_OUT_OF_MEMORY;
            }
            c_options.parallel_for = &Context::call_parallel_for;
            c_options.parallel_for_data = made.parallel_for_.get();
        }
        const RunStatus status = sepconv_context_create(model, &c_options, &made.handle_);
        if (status.ok()) {
            made.model_ = model;
            *context = std::move(made);
        }
        return status;
    }
    static RunStatus create(const sepconv_model_t *model, Context *context) {
        return create(model, Options(), context);
    }

    /// Pointers to the first elements, in the model's order: run({image}, {boxes, scores}).
    template<std::size_t N, std::size_t M>
    RunStatus run(const float *const (&inputs)[N], float *const (&outputs)[M]) noexcept {
        const void *in[N];
        void *out[M];
        for (std::size_t i = 0; i < N; ++i) {
            in[i] = inputs[i];
        }
        for (std::size_t i = 0; i < M; ++i) {
            out[i] = outputs[i];
        }
        return run(in, N, out, M);
    }

    /// The same for any containers of `const void *` and `void *` with data() and size().
    template<typename Inputs, typename Outputs>
    auto run(const Inputs &inputs, const Outputs &outputs) noexcept
        -> decltype(inputs.data(), outputs.data(), RunStatus()) {
        return run(inputs.data(), inputs.size(), outputs.data(), outputs.size());
    }

    /// A count that differs from the model's is SEPCONV_INVALID_ARGUMENT.
    RunStatus run(const void *const *inputs, std::size_t input_count, void *const *outputs,
                  std::size_t output_count) noexcept {
        return counts_fit(input_count, output_count) ? sepconv_run(handle_, inputs, outputs)
                                                     : SEPCONV_INVALID_ARGUMENT;
    }

    /// As sepconv_run_on_device: pointers of the device, nothing copied, nothing waited for.
    RunStatus run_on_device(const void *const *inputs, std::size_t input_count,
                            void *const *outputs, std::size_t output_count) noexcept {
        return counts_fit(input_count, output_count)
                   ? sepconv_run_on_device(handle_, inputs, outputs)
                   : SEPCONV_INVALID_ARGUMENT;
    }
    template<typename Inputs, typename Outputs>
    auto run_on_device(const Inputs &inputs, const Outputs &outputs) noexcept
        -> decltype(inputs.data(), outputs.data(), RunStatus()) {
        return run_on_device(inputs.data(), inputs.size(), outputs.data(), outputs.size());
    }

    /// Waits for everything in the queue; nothing to do on the CPU.
    RunStatus synchronize() noexcept { return sepconv_synchronize(handle_); }

    /// The CUstream or cl_command_queue; null on the CPU.
    void *device_queue() const noexcept { return sepconv_context_device_queue(handle_); }

    const char *isa() const noexcept { return sepconv_context_isa(handle_); }
    int block_count() const noexcept { return sepconv_context_block_count(handle_); }
    const char *block_name(int index) const noexcept {
        return sepconv_context_block_name(handle_, index);
    }
    std::uint64_t block_nanoseconds(int index) const noexcept {
        return sepconv_context_block_nanoseconds(handle_, index);
    }
    sepconv_context_t *get() const noexcept { return handle_; }
    explicit operator bool() const noexcept { return handle_ != nullptr; }

private:
    bool counts_fit(std::size_t input_count, std::size_t output_count) const noexcept {
        return input_count == static_cast<std::size_t>(sepconv_model_input_count(model_)) &&
               output_count == static_cast<std::size_t>(sepconv_model_output_count(model_));
    }

    static int run_parallel_for(void *data, sepconv_task_t task, void *task_data, int count) {
        const ParallelBody body(task, task_data);
        (*static_cast<const ParallelFor *>(data))(count, body);
        return body.failed() ? 1 : 0;
    }

    /// No exception crosses the C code above it. Also compiles where there are none.
    static int call_parallel_for(void *data, sepconv_task_t task, void *task_data,
                                 int count) noexcept {
#if defined(__cpp_exceptions)
        try {
            return run_parallel_for(data, task, task_data, count);
        } catch (...) {
            return 1;
        }
#else
        return run_parallel_for(data, task, task_data, count);
#endif
    }

    std::unique_ptr<ParallelFor> parallel_for_;  ///< The context points to it: it may not move.
    sepconv_context_t *handle_ = nullptr;
    const sepconv_model_t *model_ = nullptr;
};

}  // namespace sepconv

#endif  // SEPCONV_SEPCONV_HPP_
