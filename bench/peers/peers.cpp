#include <fmt/format.h>

#include "bench/peers/peer.h"

namespace sepconv::bench {
namespace {

[[maybe_unused]] Status not_built(const std::string &package) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("absent when this program was built (Debian: {})", package));
}

}  // namespace

#ifndef SEPCONV_WITH_ONEDNN
Result<std::unique_ptr<Peer>> make_onednn(const PeerOptions &) {
    return not_built("libdnnl-dev");
}
#endif

#ifndef SEPCONV_WITH_XNNPACK
Result<std::unique_ptr<Peer>> make_xnnpack(const PeerOptions &) {
    return not_built("libxnnpack-dev");
}
#endif

std::vector<std::unique_ptr<Peer>> make_peers(const PeerOptions &options,
                                              std::vector<std::string> *absent) {
    std::vector<std::unique_ptr<Peer>> peers;
    for (const auto &[name, make] :
         {std::pair("oneDNN", &make_onednn), std::pair("XNNPACK", &make_xnnpack)}) {
        Result<std::unique_ptr<Peer>> peer = make(options);
        if (peer.ok()) {
            peers.push_back(std::move(peer).value());
        } else {
            absent->push_back(fmt::format("{}: {}", name, peer.status().message()));
        }
    }
    return peers;
}

StageParameters parameters_of(const Values &values, size_t stage) {
    return {values.parameters[2 * stage].values.data(),
            values.parameters[2 * stage + 1].values.data()};
}

}  // namespace sepconv::bench
