// libFuzzer's target: plan_model(), and of what it accepts the plan itself (check_plan.h).
#include <sys/time.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "compiler/plan_model.h"
#include "tests/fuzz/check_plan.h"
#include "tests/fuzz/model_mutator.h"

namespace {

/// A folder with 64 bytes of external data, so that its entries are read and not only refused.
class ModelFolder {
public:
    ModelFolder() {
        if (mkdtemp(path_.data()) == nullptr) std::abort();
        std::ofstream(path_ + "/data.bin") << std::string(64, '?');
    }
    ~ModelFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ModelFolder(const ModelFolder &) = delete;
    ModelFolder &operator=(const ModelFolder &) = delete;

    const std::string &path() const { return path_; }

private:
    std::string path_ = (std::filesystem::temp_directory_path() / "sepconv-fuzz-XXXXXX").string();
};

/// A model that takes longer is a hang. Of the process's own time: another program's load is none.
constexpr int kMaxSeconds = 5;

void limit_seconds(int seconds) {
    const itimerval limit{{0, 0}, {seconds, 0}};
    if (setitimer(ITIMER_PROF, &limit, nullptr) != 0) std::abort();
}

void expect_none(const std::string &problem) {
    if (problem.empty()) return;
    std::fprintf(stderr, "%s\n", problem.c_str());
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int * /*argc*/, char *** /*argv*/) {
    // Where it was then shows in the stack that libFuzzer prints.
    std::signal(SIGPROF, [](int) { std::abort(); });
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const ModelFolder folder;
    const std::string_view bytes(reinterpret_cast<const char *>(data), size);
    const sepconv::Layout edges = size % 2 == 0 ? sepconv::Layout::kNchw : sepconv::Layout::kNhwc;
    limit_seconds(kMaxSeconds);
    const sepconv::Result<sepconv::PlannedModel> model =
        sepconv::plan_model(bytes, {{}, folder.path()}, edges);
    expect_none(model.ok() ? sepconv::problem_of(model.value())
                           : sepconv::problem_of(model.status()));
    limit_seconds(0);
    return 0;
}

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

// A part of the mutations are of bytes: what is no protobuf must be refused too.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                                          unsigned seed) {
    constexpr unsigned kOfBytes = 8;
    onnx::ModelProto model;
    if (seed % kOfBytes != 0 && model.ParseFromArray(data, static_cast<int>(size))) {
        sepconv::mutate_model(model, seed);
        if (model.ByteSizeLong() <= max_size) {
            const std::string bytes = model.SerializeAsString();
            std::copy(bytes.begin(), bytes.end(), data);
            return bytes.size();
        }
    }
    return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1,
                                            const uint8_t *data2, size_t size2, uint8_t *out,
                                            size_t max_out_size, unsigned seed) {
    onnx::ModelProto model, other;
    if (!model.ParseFromArray(data1, static_cast<int>(size1)) ||
        !other.ParseFromArray(data2, static_cast<int>(size2))) {
        return 0;
    }
    sepconv::join_models(model, other, seed);
    if (model.ByteSizeLong() > max_out_size) return 0;
    const std::string bytes = model.SerializeAsString();
    std::copy(bytes.begin(), bytes.end(), out);
    return bytes.size();
}
