#include "compiler/targets.h"

#include <fmt/format.h>

#include <algorithm>

namespace sepconv {
namespace {

struct Row {
    const char *triple;
    const char *isa;
    const char *features;
};

// Best first for each triple. The names are those that runtime/src/cpu.c detects.
constexpr Row kRows[] = {
    {"x86-64-linux", "avx512", "avx-avx2-avx512-avx512_skylake-f16c-fma-sse41"},
    {"x86-64-linux", "avx2", "avx-avx2-f16c-fma-sse41"},
    {"x86-64-linux", "sse41", "sse41"},
};

// Kernels have no runtime of Halide's behind them; the plan proves what asserts would check.
constexpr const char *kKernelFeatures = "no_asserts-no_bounds_query-no_runtime-user_context";

}  // namespace

std::string host_triple() {
    return "x86-64-linux";
}

Result<std::vector<IsaTarget>> resolve_targets(const std::string &triple,
                                               const std::vector<std::string> &isas) {
    std::string known;
    std::vector<IsaTarget> targets;
    for (const Row &row : kRows) {
        if (triple != row.triple) continue;
        known += (known.empty() ? "" : ", ") + std::string(row.isa);
        if (isas.empty() || std::find(isas.begin(), isas.end(), row.isa) != isas.end()) {
            targets.push_back(
                {row.isa, fmt::format("{}-{}-{}", triple, row.features, kKernelFeatures)});
        }
    }
    if (known.empty()) {
        return Status(
            StatusCode::kUnsupported,
            fmt::format("--target: '{}' is not supported; expected x86-64-linux", triple));
    }
    for (const std::string &isa : isas) {
        const bool found = std::any_of(targets.begin(), targets.end(),
                                       [&](const IsaTarget &t) { return t.isa == isa; });
        if (!found) {
            return Status(
                StatusCode::kInvalidArgument,
                fmt::format("--isa: {} has no '{}'; expected some of {}", triple, isa, known));
        }
    }
    return targets;
}

}  // namespace sepconv
