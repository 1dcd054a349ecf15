#include "compiler/targets.h"

#include <Halide.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/diagnostic.h"

namespace sepconv {
namespace {

struct VariantRow {
    const char *architecture;
    const char *isa;
    const char *features;
    bool usual;  ///< Built when no variant is named.
};

// Best first for each architecture. The names are those that runtime/src/cpu.c detects.
constexpr VariantRow kVariants[] = {
    {"x86-64", "avx512", "avx-avx2-avx512-avx512_skylake-f16c-fma-sse41", true},
    {"x86-64", "avx2", "avx-avx2-f16c-fma-sse41", true},
    {"x86-64", "sse41", "sse41", true},
    // fp32 kernels gain nothing from dot products of int8.
    {"arm-64", "dotprod", "arm_dot_prod", false},
    {"arm-64", "neon", "", true},
    {"arm-32", "neon", "", true},
    // Code for vectors of one length is wrong for another, also for a longer one.
    {"riscv-64", "rvv256", "rvv-vector_bits_256", true},
    {"riscv-64", "rvv128", "rvv-vector_bits_128", true},
};

/// The one variant of other architectures, which the runtime takes as always available.
constexpr const char *kBaseline = "baseline";

/// Features that say what a CPU has, where there is no table of variants.
constexpr const char *kBaselineFeatures[] = {"power_arch_2_07", "vsx"};

struct SystemRow {
    const char *name;
    ObjectFormat format;
};
constexpr SystemRow kSystems[] = {
    {"linux", ObjectFormat::kElf},
    {"android", ObjectFormat::kElf},
    {"osx", ObjectFormat::kMachO},
    {"windows", ObjectFormat::kCoff},
};

struct CompilerRow {
    const char *architecture, *system;
    const char *cc, *package;
};
constexpr CompilerRow kCompilers[] = {
    {"x86-64", "linux", "x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu"},
    {"arm-64", "linux", "aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"},
    {"arm-32", "linux", "arm-linux-gnueabihf-gcc", "gcc-arm-linux-gnueabihf"},
    {"riscv-64", "linux", "riscv64-linux-gnu-gcc", "gcc-riscv64-linux-gnu"},
};

constexpr const char *kKnownTriples[] = {
    "x86-64-linux",   "x86-64-android", "x86-64-osx",   "x86-64-windows", "arm-64-linux",
    "arm-64-android", "arm-64-osx",     "arm-32-linux", "riscv-64-linux",
};

// Kernels have no runtime of Halide's behind them; the plan proves what asserts would check.
constexpr const char *kKernelFeatures = "no_asserts-no_bounds_query-no_runtime-user_context";

struct Triple {
    std::string architecture;  ///< "x86-64"
    std::string system;        ///< "linux"
    std::string features;      ///< With a '-' between them.
};

Status refused(const std::string &triple, const std::string &reason) {
    return Status(
        StatusCode::kUnsupported,
        fmt::format("--target: {} {}; expected one of {}, or another CPU target of Halide's, such "
                    "as powerpc-64-linux",
                    quote(triple), reason, known_triples()));
}

bool has_variants(const std::string &architecture) {
    return std::any_of(std::begin(kVariants), std::end(kVariants),
                       [&](const VariantRow &row) { return architecture == row.architecture; });
}

/// Whether the row is one that the triple allows: it may name the features of one.
bool allows(const Triple &triple, const VariantRow &row) {
    return triple.architecture == row.architecture &&
           (triple.features.empty() || triple.features == row.features);
}

bool says_what_the_cpu_has(const std::string &feature) {
    return std::find(std::begin(kBaselineFeatures), std::end(kBaselineFeatures), feature) !=
           std::end(kBaselineFeatures);
}

Result<Triple> parse_triple(const std::string &text) {
    std::vector<std::string> parts;
    for (size_t at = 0; at <= text.size();) {
        const size_t dash = std::min(text.find('-', at), text.size());
        parts.push_back(text.substr(at, dash - at));
        at = dash + 1;
    }
    // "host" and other short forms are valid for Halide, but would not be the same everywhere.
    if (parts.size() < 3 || !Halide::Target::validate_target_string(text)) {
        return refused(text, "is no target");
    }
    const std::vector<std::string> features(parts.begin() + 3, parts.end());
    Triple triple{parts[0] + "-" + parts[1], parts[2], fmt::format("{}", fmt::join(features, "-"))};
    const Halide::Target::Arch arch = Halide::Target(text).arch;
    if (arch == Halide::Target::WebAssembly || arch == Halide::Target::Hexagon) {
        return refused(text, "is no CPU that the runtime knows");
    }
    if (has_variants(triple.architecture)) {
        const bool known = std::any_of(std::begin(kVariants), std::end(kVariants),
                                       [&](const VariantRow &row) { return allows(triple, row); });
        if (known) return triple;
        return refused(text, fmt::format("names '{}', which is no variant; --isa chooses variants",
                                         triple.features));
    }
    for (const std::string &feature : features) {
        if (!says_what_the_cpu_has(feature)) {
            return refused(text, fmt::format("names '{}', which is no feature of a CPU", feature));
        }
    }
    return triple;
}

}  // namespace

std::string host_triple() {
    const Halide::Target host = Halide::get_host_target();
    return Halide::Target(host.os, host.arch, host.bits).to_string();
}

std::string known_triples() {
    return fmt::format("{}", fmt::join(kKnownTriples, ", "));
}

Result<Platform> platform_of(const std::string &triple) {
    const Result<Triple> parsed = parse_triple(triple);
    if (!parsed.ok()) return parsed.status();
    const auto *system =
        std::find_if(std::begin(kSystems), std::end(kSystems),
                     [&](const SystemRow &row) { return parsed.value().system == row.name; });
    if (system == std::end(kSystems)) {
        return refused(triple, "has a system that the runtime does not know");
    }
    Platform platform;
    platform.triple = triple;
    platform.format = system->format;
    if (triple == host_triple()) {
        platform.cc = "cc";
        platform.package = "gcc";
        return platform;
    }
    for (const CompilerRow &row : kCompilers) {
        if (parsed.value().architecture == row.architecture &&
            parsed.value().system == row.system) {
            platform.cc = row.cc;
            platform.package = row.package;
        }
    }
    return platform;
}

namespace {

/// Appends the variants of the CPU.
Status append_cpu(const Triple &triple, const TargetOptions &options,
                  std::vector<IsaTarget> *targets) {
    const std::vector<std::string> &isas = options.isas;
    std::vector<std::string> known;
    const auto add = [&](const std::string &isa, const std::string &features, bool usual) {
        known.push_back(isa);
        const bool wanted = std::find(isas.begin(), isas.end(), isa) != isas.end();
        if (!wanted && !(isas.empty() && usual)) return;
        const std::string own = features.empty() ? "" : "-" + features;
        targets->push_back(
            {isa,
             fmt::format("{}-{}{}-{}", triple.architecture, triple.system, own, kKernelFeatures),
             "", 0});
    };
    for (const VariantRow &row : kVariants) {
        // What the triple names is wanted, usual or not.
        if (allows(triple, row)) add(row.isa, row.features, row.usual || !triple.features.empty());
    }
    if (known.empty()) add(kBaseline, triple.features, true);
    for (const std::string &isa : isas) {
        if (std::find(known.begin(), known.end(), isa) == known.end()) {
            return Status(StatusCode::kInvalidArgument,
                          fmt::format("--isa: {} has no {}; expected some of {}", options.triple,
                                      quote(isa), fmt::join(known, ", ")));
        }
    }
    return Status();
}

/// Halide's name of a compute capability: the highest it knows that is not above.
Result<std::string> capability_feature(int capability) {
    constexpr int kKnown[] = {86, 80, 75, 70, 61, 50};
    for (const int known : kKnown) {
        if (known <= capability) return fmt::format("cuda_capability_{}", known);
    }
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("--cuda-capability: expected 50 or more, got {}", capability));
}

Status append_device(const std::string &device, const Platform &platform,
                     const TargetOptions &options, std::vector<IsaTarget> *targets) {
    if (platform.format == ObjectFormat::kCoff) {
        return Status(StatusCode::kUnsupported,
                      fmt::format("--device: {} has no dlopen, with which the runtime finds the "
                                  "driver of {}; expected cpu",
                                  options.triple, device));
    }
    std::string features = device;
    int capability = 0;
    if (device == "cuda") {
        const Result<std::string> feature = capability_feature(options.cuda_capability);
        if (!feature.ok()) return feature.status();
        features += "-" + feature.value();
        capability = std::stoi(feature.value().substr(feature.value().rfind('_') + 1));
    }
    targets->push_back({device, fmt::format("{}-{}-{}", options.triple, features, kKernelFeatures),
                        device, capability});
    return Status();
}

}  // namespace

Result<std::vector<IsaTarget>> resolve_targets(const TargetOptions &options) {
    const Result<Triple> parsed = parse_triple(options.triple);
    if (!parsed.ok()) return parsed.status();
    const Result<Platform> platform = platform_of(options.triple);
    if (!platform.ok()) return platform.status();
    const std::vector<std::string> &devices = options.devices;
    const auto wanted = [&](const char *device) {
        return std::find(devices.begin(), devices.end(), device) != devices.end();
    };
    std::vector<IsaTarget> targets;
    for (const char *device : {"cuda", "opencl"}) {
        if (!wanted(device)) continue;
        SEPCONV_RETURN_IF_ERROR(append_device(device, platform.value(), options, &targets));
    }
    if (devices.empty() || wanted("cpu")) {
        SEPCONV_RETURN_IF_ERROR(append_cpu(parsed.value(), options, &targets));
    } else if (!options.isas.empty()) {
        return Status(StatusCode::kInvalidArgument,
                      "--isa: is for the CPU, which --device leaves out");
    }
    return targets;
}

}  // namespace sepconv
