// Runs one compiled kernel on guarded buffers, on the machine it was compiled for or on its
// emulator: linked with the kernel and nothing of the project but guarded_buffer.cpp.
// usage: RUNNER ARGUMENTS RESULT     both as kernel_files.h has them

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

#include "tests/schedules/kernel_files.h"
#include "tests/support/guarded_buffer.h"

namespace {

/// What the kernel that runs now has asked for.
struct Heap {
    std::map<void *, size_t> live;
    size_t live_bytes = 0;
    size_t most_bytes = 0;
};
Heap heap;

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

// What a kernel calls; tasks run in order.
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
bool run(const Arguments &arguments, Flush flush, FILE *result) {
    std::vector<std::unique_ptr<GuardedBuffer>> buffers;
    for (const Words &words : arguments.inputs) {
        buffers.push_back(std::make_unique<GuardedBuffer>(words.size(), flush));
        std::copy(words.begin(), words.end(), buffers.back()->bits());
        buffers.back()->make_read_only();
    }
    buffers.push_back(std::make_unique<GuardedBuffer>(arguments.output_elements, flush));
    GuardedBuffer &output = *buffers.back();
    std::vector<BufferView> views(buffers.size());
    void *context = nullptr;
    std::vector<void *> pointers{&context};
    for (size_t i = 0; i < buffers.size(); ++i) {
        views[i].host = buffers[i]->bits();
        pointers.push_back(&views[i]);
    }
    heap = {};
    RunHeader header;
    header.returned = kernel_argv(pointers.data());
    header.slack_is_untouched = output.slack_is_untouched() ? 1 : 0;
    header.live_bytes = heap.live_bytes;
    header.most_bytes = heap.most_bytes;
    return std::fwrite(&header, sizeof header, 1, result) == 1 &&
           std::fwrite(output.bits(), sizeof(uint32_t), arguments.output_elements, result) ==
               arguments.output_elements;
}

}  // namespace
}  // namespace sepconv::testing

int main(int argc, char **argv) {
    using sepconv::testing::Flush;
    sepconv::testing::Arguments arguments;
    if (argc != 3 || !sepconv::testing::read_arguments(argv[1], &arguments)) {
        std::fprintf(stderr, "no arguments, or fewer words than they name\n");
        return 2;
    }
    FILE *result = std::fopen(argv[2], "wb");
    bool written = result != nullptr;
    for (const Flush flush : {Flush::kBack, Flush::kFront}) {
        written = written && sepconv::testing::run(arguments, flush, result);
    }
    return written && std::fclose(result) == 0 ? 0 : 3;
}
