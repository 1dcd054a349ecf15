#include "compiler/tune/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "compiler/files.h"
#include "compiler/plan.h"
#include "compiler/tune/tuning_json.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace sepconv {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;

/// Reads the fields of one JSON object; the first wrong one is the status.
class Fields {
public:
    Fields(const Json &object, std::string where) : object_(object), where_(std::move(where)) {
        if (!object.is_object()) fail("", "an object", object);
    }

    const Json &child(const char *name) {
        static const Json kNone;
        known_.insert(name);
        if (!status_.ok()) return kNone;
        const auto found = object_.find(name);
        if (found != object_.end()) return *found;
        status_ = Status(StatusCode::kInvalidArgument,
                         fmt::format("{}: field '{}' is missing", where_, name));
        return kNone;
    }
    int number(const char *name) {
        const Json &value = child(name);
        constexpr int64_t kMost = 1 << 30;
        const bool fits = value.is_number_unsigned() && value.get<uint64_t>() <= kMost;
        if (status_.ok() && !fits) fail(name, "a number from 0 to 2^30", value);
        return status_.ok() ? value.get<int>() : 0;
    }
    std::string text(const char *name) {
        const Json &value = child(name);
        if (status_.ok() && !value.is_string()) fail(name, "a string", value);
        return status_.ok() ? value.get<std::string>() : "";
    }
    /// Every field must have been asked for.
    Status finish() {
        if (!status_.ok()) return status_;
        for (const auto &[name, value] : object_.items()) {
            if (known_.count(name) != 0) continue;
            return Status(StatusCode::kInvalidArgument,
                          fmt::format("{}: field '{}' is not known", where_, name));
        }
        return Status();
    }

private:
    void fail(const std::string &name, const std::string &expected, const Json &got) {
        status_ = Status(
            StatusCode::kInvalidArgument,
            fmt::format("{}{}: expected {}, got {}", where_,
                        name.empty() ? "" : ": field '" + name + "'", expected,
                        got.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 100)));
    }

    const Json &object_;
    std::string where_;
    std::set<std::string> known_;
    Status status_;
};

Status parse_kernel(const Json &json, const std::string &where, TuningTable *table) {
    Fields fields(json, where);
    const std::string hash = fields.text("hash"), isa = fields.text("isa");
    TunedKernel kernel;
    kernel.description = fields.text("kernel");
    const Json &values = fields.child("tuning");
    SEPCONV_RETURN_IF_ERROR(fields.finish());
    const Result<Tuning> tuning = tuning_of(values, where + ": field 'tuning'");
    if (!tuning.ok()) return tuning.status();
    kernel.tuning = tuning.value();
    if (hash != hash_of(kernel.description)) {
        return Status(StatusCode::kInvalidArgument,
                      fmt::format("{}: field 'hash': expected {}, which is that of 'kernel', got "
                                  "'{}'",
                                  where, hash_of(kernel.description), hash.substr(0, 100)));
    }
    if (!table->kernels.emplace(KernelKey(hash, isa), kernel).second) {
        return Status(StatusCode::kInvalidArgument,
                      where + ": the same kernel and 'isa' are there twice");
    }
    return Status();
}

/// The tables beside the tool, sorted; none where there is no folder.
std::vector<std::string> shipped_tables() {
    const std::string prefix = fs::path(tool_path()).parent_path().parent_path().string();
    for (const std::string &folder :
         {prefix + "/share/sepconv/tuning", std::string(SEPCONV_TUNING_DIR)}) {
        if (!exists(folder)) continue;
        std::vector<std::string> files;
        std::error_code error;
        for (const fs::directory_entry &entry : fs::directory_iterator(folder, error)) {
            if (entry.path().extension() == ".json") files.push_back(entry.path().string());
        }
        std::sort(files.begin(), files.end());
        return files;
    }
    return {};
}

/// Adds the table of a file, or says in `warning` why not.
Status add_table(const std::string &file, const CpuModel &cpu, Tunings *tunings,
                 std::string *warning) {
    const Result<std::string> text = read_file(file);
    if (!text.ok()) return text.status();
    const Result<TuningTable> table = parse_table(text.value(), file);
    if (!table.ok()) return table.status();
    if (table.value().schedule_version != kScheduleVersion) {
        *warning = fmt::format("{}: ignored, as it is for version {} of the schedules, not {}",
                               file, table.value().schedule_version, kScheduleVersion);
    } else if (!(table.value().cpu == cpu)) {
        *warning = fmt::format("{}: ignored, as it is for {}, not {}", file,
                               describe(table.value().cpu), describe(cpu));
    } else {
        for (const auto &[key, kernel] : table.value().kernels) tunings->kernels[key] = kernel;
    }
    return Status();
}

}  // namespace

bool operator==(const CpuModel &left, const CpuModel &right) {
    return left.brand == right.brand && left.family == right.family && left.model == right.model &&
           left.stepping == right.stepping;
}

std::string describe(const CpuModel &cpu) {
    return fmt::format("'{}' (family {} model {} stepping {})", cpu.brand, cpu.family, cpu.model,
                       cpu.stepping);
}

CpuModel this_cpu() {
    CpuModel cpu;
#if defined(__x86_64__)
    // Intel SDM volume 2, CPUID: leaf 1 (family, model, stepping), leaves 0x80000002 to 4 (brand).
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0) return cpu;
    const unsigned family = a >> 8 & 0xf, extended = a >> 20 & 0xff;
    cpu.family = static_cast<int>(family == 0xf ? family + extended : family);
    cpu.model = static_cast<int>((a >> 4 & 0xf) + (a >> 16 & 0xf) * 16);
    cpu.stepping = static_cast<int>(a & 0xf);
    for (unsigned leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
        if (__get_cpuid(leaf, &a, &b, &c, &d) == 0) break;
        for (const unsigned word : {a, b, c, d}) {
            for (int shift = 0; shift < 32; shift += 8) {
                const char letter = static_cast<char>(word >> shift & 0xff);
                if (letter != '\0') cpu.brand += letter;
            }
        }
    }
    while (!cpu.brand.empty() && cpu.brand.back() == ' ') cpu.brand.pop_back();
#endif
    return cpu;
}

std::string tuned_text(const Kernel &kernel) {
    Kernel anywhere = kernel;
    if (auto *block = std::get_if<Block>(&anywhere)) {
        block->input.padded = block->output.padded = false;
        for (Image &operand : block->operands) operand.padded = false;
    }
    return describe(anywhere);
}

KernelKey key_of(const Kernel &kernel, const std::string &isa) {
    return {hash_of(tuned_text(kernel)), isa};
}

std::string text_of(const TuningTable &table) {
    const Json cpu = {{"brand", table.cpu.brand},
                      {"family", table.cpu.family},
                      {"model", table.cpu.model},
                      {"stepping", table.cpu.stepping}};
    std::string lines;
    for (const auto &[key, kernel] : table.kernels) {
        const Json line = {{"hash", key.first},
                           {"isa", key.second},
                           {"kernel", kernel.description},
                           {"tuning", json_of(kernel.tuning)}};
        lines += (lines.empty() ? "\n" : ",\n") + line.dump();
    }
    return fmt::format(
        "{{\n\"cpu\": {},\n\"format\": {},\n\"kernels\": [{}\n],\n\"schedule_version\": {}\n}}\n",
        cpu.dump(-1, ' ', true, Json::error_handler_t::replace), kFormat, lines,
        table.schedule_version);
}

Result<TuningTable> parse_table(const std::string &text, const std::string &source) {
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) {
        return Status(StatusCode::kInvalidArgument, source + ": expected JSON");
    }
    TuningTable table;
    Fields fields(json, source);
    Fields cpu(fields.child("cpu"), source + ": field 'cpu'");
    const int format = fields.number("format");
    const Json &kernels = fields.child("kernels");
    table.schedule_version = fields.number("schedule_version");
    SEPCONV_RETURN_IF_ERROR(fields.finish());
    if (format != kFormat) {
        return Status(
            StatusCode::kInvalidArgument,
            fmt::format("{}: field 'format': expected {}, got {}", source, kFormat, format));
    }
    table.cpu.brand = cpu.text("brand");
    table.cpu.family = cpu.number("family");
    table.cpu.model = cpu.number("model");
    table.cpu.stepping = cpu.number("stepping");
    SEPCONV_RETURN_IF_ERROR(cpu.finish());
    if (!kernels.is_array()) {
        return Status(StatusCode::kInvalidArgument,
                      source + ": field 'kernels': expected an array");
    }
    for (size_t i = 0; i < kernels.size(); ++i) {
        SEPCONV_RETURN_IF_ERROR(
            parse_kernel(kernels[i], fmt::format("{}: kernel {}", source, i), &table));
    }
    return table;
}

Tuning Tunings::of(const Kernel &kernel, const std::string &isa) const {
    const auto found = kernels.find(key_of(kernel, isa));
    return found == kernels.end() ? Tuning{} : found->second.tuning;
}

Result<Tunings> load_tunings(const TuningOptions &options, const CpuModel &cpu) {
    Tunings tunings;
    std::string warning;
    if (options.shipped) {
        for (const std::string &file : shipped_tables()) {
            SEPCONV_RETURN_IF_ERROR(add_table(file, cpu, &tunings, &warning));
        }
    }
    for (const std::string &file : options.files) {
        warning.clear();
        SEPCONV_RETURN_IF_ERROR(add_table(file, cpu, &tunings, &warning));
        if (!warning.empty()) tunings.warnings.push_back(warning);
    }
    return tunings;
}

}  // namespace sepconv
