// sepconv itself: each block compiled by the tool into a shared library, loaded and driven by its
// own C functions.
#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <type_traits>
#include <utility>

#include "bench/library.h"
#include "bench/peers/peer.h"
#include "sepconv/sepconv.h"

namespace sepconv::bench {
namespace {

struct CloseLibrary {
    void operator()(void *handle) const { dlclose(handle); }
};

class SepconvBlock : public PreparedBlock {
public:
    SepconvBlock(const float *input, float *output) : input_(input), output_(output) {}
    ~SepconvBlock() override {
        if (context_ != nullptr) destroy_(context_);
    }
    /// An error if the library does not run `isa`.
    Status load(const std::string &path, const std::string &name, const std::string &isa,
                int threads);
    bool run() override {
        const void *const inputs[] = {input_};
        void *const outputs[] = {output_};
        return run_(context_, inputs, outputs) == SEPCONV_OK;
    }

private:
    const float *input_;
    float *output_;
    std::unique_ptr<void, CloseLibrary> library_;
    sepconv_context_t *context_ = nullptr;
    decltype(&sepconv_run) run_ = nullptr;
    decltype(&sepconv_context_destroy) destroy_ = nullptr;
};

Status SepconvBlock::load(const std::string &path, const std::string &name, const std::string &isa,
                          int threads) {
    const auto failure = [&](const std::string &reason) {
        return Status(StatusCode::kInternal, fmt::format("'{}': {}", path, reason));
    };
    library_.reset(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (library_ == nullptr) return failure(dlerror());
    bool found = true;
    const auto get = [&](const std::string &symbol, auto *function) {
        void *address = dlsym(library_.get(), symbol.c_str());
        *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(address);
        found = found && address != nullptr;
    };
    const sepconv_model_t *(*model)() = nullptr;
    decltype(&sepconv_context_create) create = nullptr;
    decltype(&sepconv_context_isa) isa_of = nullptr;
    decltype(&sepconv_status_message) message = nullptr;
    get(name + "_model", &model);
    get("sepconv_context_create", &create);
    get("sepconv_context_isa", &isa_of);
    get("sepconv_status_message", &message);
    get("sepconv_context_destroy", &destroy_);
    get("sepconv_run", &run_);
    if (!found) return failure("lacks a function of sepconv.h");
    sepconv_options_t options = {};
    options.num_threads = threads;
    const sepconv_status_t status = create(model(), &options, &context_);
    if (status != SEPCONV_OK) return failure(message(status));
    if (isa_of(context_) == isa) return Status();
    return failure(fmt::format("expected the variant {}, got {}", isa, isa_of(context_)));
}

class Sepconv : public Peer {
public:
    /// `compile_options` of the command that compiles a block.
    Sepconv(PeerOptions options, std::string name, std::vector<std::string> compile_options)
        : options_(std::move(options)),
          name_(std::move(name)),
          compile_options_(std::move(compile_options)) {}
    std::string name() const override { return name_; }
    std::string facts() const override {
        return fmt::format("{}, {}, sepconv_run of a shared library{}{}", SEPCONV_VERSION,
                           options_.isa, compile_options_.empty() ? "" : " compiled with ",
                           fmt::join(compile_options_, " "));
    }
    Result<std::vector<std::unique_ptr<PreparedBlock>>> prepare(const BlockData &data) override {
        const Result<std::string> path =
            compile(options_.tool, data.shape, data.values, options_.isa, compile_options_,
                    fmt::format("{}/{}/{}", options_.folder, data.table, name_));
        if (!path.ok()) return path.status();
        auto block = std::make_unique<SepconvBlock>(data.input, data.output);
        SEPCONV_RETURN_IF_ERROR(
            block->load(path.value(), data.shape.name, options_.isa, options_.threads));
        std::vector<std::unique_ptr<PreparedBlock>> blocks;
        blocks.push_back(std::move(block));
        return blocks;
    }

private:
    PeerOptions options_;
    std::string name_;
    std::vector<std::string> compile_options_;
};

}  // namespace

std::unique_ptr<Peer> make_sepconv(const PeerOptions &options) {
    std::vector<std::string> untuned;
    if (!options.tuning.empty()) untuned = {"--no-tuning"};
    return std::make_unique<Sepconv>(options, "sepconv", untuned);
}

std::unique_ptr<Peer> make_tuned(const PeerOptions &options) {
    return std::make_unique<Sepconv>(
        options, "tuned", std::vector<std::string>{"--no-tuning", "--tuning=" + options.tuning});
}

std::unique_ptr<Peer> make_autoscheduled(const PeerOptions &options, const std::string &scheduler) {
    return std::make_unique<Sepconv>(
        options, "halide_" + scheduler,
        std::vector<std::string>{"--scheduler=" + scheduler,
                                 fmt::format("--scheduler-threads={}", options.threads),
                                 fmt::format("--scheduler-limit={}", options.scheduler_limit)});
}

}  // namespace sepconv::bench
