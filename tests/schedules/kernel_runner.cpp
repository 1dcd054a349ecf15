// Runs one compiled kernel on guarded buffers and scratch, on the machine it was compiled for or on
// its emulator: linked with the kernel and of the project only with guarded_*.cpp.
// usage: RUNNER ARGUMENTS RESULT     both as kernel_files.h has them
// A kernel that announces its accesses (announce_accesses.h) is asked whether its tasks conflict.

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "tests/schedules/kernel_files.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/guarded_heap.h"
#include "tests/support/run_setup.h"
#include "tests/support/task_conflicts.h"

namespace {

/// What the kernel that runs now calls.
struct Surroundings {
    sepconv::testing::GuardedHeap heap;
    sepconv::testing::RunSetup setup;
    int most_threads = 0;
    sepconv::testing::TaskConflicts conflicts;  ///< Of runs on one thread.
};

Surroundings *surroundings_of(void *user_context) {
    return static_cast<Surroundings *>(user_context);
}

/// The head of a halide_buffer_t: kernels without assertions read no more of it.
struct BufferView {
    uint64_t device;
    const void *device_interface;
    void *host;
    char rest[64];
};

}  // namespace

extern "C" {

int kernel_argv(void **arguments);

void *halide_malloc(void *user_context, size_t bytes) {
    return surroundings_of(user_context)->heap.allocate(bytes);
}

void halide_free(void *user_context, void *pointer) {
    surroundings_of(user_context)->heap.release(pointer);
}

int halide_do_par_for(void *user_context, int (*task)(void *, int, uint8_t *), int min, int size,
                      uint8_t *closure) {
    Surroundings *surroundings = surroundings_of(user_context);
    const int threads = std::min(surroundings->setup.threads, size);
    surroundings->most_threads = std::max(surroundings->most_threads, threads);
    sepconv::testing::TaskConflicts &conflicts = surroundings->conflicts;
    const bool one_thread = surroundings->setup.threads == 1;
    if (one_thread) conflicts.begin_loop();
    const int result =
        sepconv::testing::run_tasks(threads, surroundings->setup.backwards(), size, [&](int i) {
            if (one_thread) conflicts.begin_task(i);
            return task(user_context, min + i, closure);
        });
    if (one_thread) conflicts.end_loop();
    return result;
}

int32_t sepconv_test_reads(void *user_context, const void *buffer, const char *name, int32_t offset,
                           int32_t bytes) {
    surroundings_of(user_context)
        ->conflicts.read(static_cast<const char *>(buffer) + offset, bytes, name);
    return 0;
}

int32_t sepconv_test_writes(void *user_context, const void *buffer, const char *name,
                            int32_t offset, int32_t bytes) {
    surroundings_of(user_context)
        ->conflicts.write(static_cast<const char *>(buffer) + offset, bytes, name);
    return 0;
}

}  // extern "C"

namespace sepconv::testing {
namespace {

using Words = std::vector<uint32_t>;

/// The output is the last one; its words are not in the file.
struct Arguments {
    std::vector<Words> inputs;
    uint32_t output_elements = 0;
};

bool read_words(FILE *file, uint32_t *words, size_t count) {
    return std::fread(words, sizeof *words, count, file) == count;
}

bool read_arguments(const char *path, Arguments *arguments) {
    const std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(path, "rb"), std::fclose);
    uint32_t count = 0;
    if (file == nullptr || !read_words(file.get(), &count, 1)) return false;
    for (uint32_t i = 0; i < count; ++i) {
        uint32_t elements = 0;
        if (!read_words(file.get(), &elements, 1)) return false;
        arguments->inputs.emplace_back(elements);
        if (!read_words(file.get(), arguments->inputs.back().data(), elements)) return false;
    }
    return read_words(file.get(), &arguments->output_elements, 1);
}

/// Runs on guarded copies, the output poison before, and appends what came to `result`.
bool run(const Arguments &arguments, const RunSetup &setup, FILE *result) {
    std::vector<std::unique_ptr<GuardedBuffer>> buffers;
    const auto add = [&](size_t words) {
        buffers.push_back(std::make_unique<GuardedBuffer>(words, setup.flush, setup.shift));
        return buffers.back().get();
    };
    for (const Words &words : arguments.inputs) {
        GuardedBuffer *input = add(words.size());
        std::copy(words.begin(), words.end(), input->bits());
        input->make_read_only();
    }
    GuardedBuffer &output = *add(arguments.output_elements);
    std::vector<BufferView> views(buffers.size());
    Surroundings surroundings{GuardedHeap(setup.flush), setup, 0, {}};
    void *context = &surroundings;
    std::vector<void *> pointers{&context};
    for (size_t i = 0; i < buffers.size(); ++i) {
        views[i].host = buffers[i]->bits();
        pointers.push_back(&views[i]);
    }
    RunHeader header;
    header.returned = kernel_argv(pointers.data());
    header.slack_is_untouched = output.slack_is_untouched() ? 1 : 0;
    header.scratch_is_intact = surroundings.heap.is_intact() ? 1 : 0;
    header.most_threads = surroundings.most_threads;
    header.live_bytes = surroundings.heap.live_bytes();
    header.most_bytes = surroundings.heap.most_bytes();
    header.conflicts = surroundings.conflicts.count();
    header.announced = surroundings.conflicts.accesses();
    if (header.conflicts > 0) {
        std::fprintf(stderr, "%s\n", surroundings.conflicts.first().c_str());
    }
    return std::fwrite(&header, sizeof header, 1, result) == 1 &&
           std::fwrite(output.bits(), sizeof(uint32_t), arguments.output_elements, result) ==
               arguments.output_elements &&
           std::fflush(result) == 0;  // The next run may fault.
}

}  // namespace
}  // namespace sepconv::testing

int main(int argc, char **argv) {
    sepconv::testing::Arguments arguments;
    if (argc != 3 || !sepconv::testing::read_arguments(argv[1], &arguments)) {
        std::fprintf(stderr, "no arguments, or fewer words than they name\n");
        return 2;
    }
    FILE *result = std::fopen(argv[2], "wb");
    bool written = result != nullptr;
    for (int i = 0; i < sepconv::testing::kFewRunSetups; ++i) {
        written =
            written && sepconv::testing::run(arguments, sepconv::testing::kRunSetups[i], result);
    }
    return written && std::fclose(result) == 0 ? 0 : 3;
}
