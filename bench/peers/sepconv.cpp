// sepconv itself: each block compiled by the tool into a shared library and loaded.
#include <fmt/format.h>

#include "bench/library.h"
#include "bench/peers/peer.h"

namespace sepconv::bench {
namespace {

class SepconvBlock : public PreparedBlock {
public:
    SepconvBlock(std::unique_ptr<Library> library, const BlockData &data)
        : library_(std::move(library)), input_(data.input), output_(data.output) {}
    bool run() override { return library_->run(input_, output_); }

private:
    std::unique_ptr<Library> library_;
    const float *input_;
    float *output_;
};

class Sepconv : public Peer {
public:
    explicit Sepconv(PeerOptions options) : options_(std::move(options)) {}
    std::string name() const override { return "sepconv"; }
    std::string facts() const override {
        return fmt::format("{}, {}, sepconv_run of a shared library", SEPCONV_VERSION,
                           options_.isa);
    }
    Result<std::unique_ptr<PreparedBlock>> prepare(const BlockData &data) override {
        const Result<std::string> path =
            compile(options_.tool, data.shape, data.values, options_.isa, options_.folder);
        if (!path.ok()) return path.status();
        Result<std::unique_ptr<Library>> library =
            Library::open(path.value(), data.shape.name, options_.isa, options_.threads);
        if (!library.ok()) return library.status();
        return {std::make_unique<SepconvBlock>(std::move(library).value(), data)};
    }

private:
    PeerOptions options_;
};

}  // namespace

std::unique_ptr<Peer> make_sepconv(const PeerOptions &options) {
    return std::make_unique<Sepconv>(options);
}

}  // namespace sepconv::bench
