#include "compiler/tune/journal.h"

#include <fmt/format.h>

#include <sstream>

#include "compiler/files.h"
#include "compiler/tune/tuning_json.h"

namespace sepconv {
namespace {

using Json = nlohmann::json;

std::string line_of(const Trial &trial) {
    const Json line = {
        {"hash", trial.kernel.first},      {"isa", trial.kernel.second},
        {"tuning", json_of(trial.tuning)}, {"outcome", trial.outcome},
        {"detail", trial.detail},          {"microseconds", trial.measured.microseconds},
        {"ratio", trial.measured.ratio},   {"low", trial.measured.low},
        {"high", trial.measured.high},     {"of_default", trial.of_default}};
    return line.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

/// False for what is not a whole line of ours.
bool parse_line(const std::string &text, Trial *trial) {
    const Json line = Json::parse(text, nullptr, false);
    if (!line.is_object()) return false;
    for (const char *name : {"hash", "isa", "outcome", "detail"}) {
        if (!line.contains(name) || !line[name].is_string()) return false;
    }
    for (const char *name : {"microseconds", "ratio", "low", "high", "of_default"}) {
        if (!line.contains(name) || !line[name].is_number()) return false;
    }
    if (!line.contains("tuning")) return false;
    const Result<Tuning> tuning = tuning_of(line["tuning"], "journal");
    if (!tuning.ok()) return false;
    trial->kernel = {line["hash"].get<std::string>(), line["isa"].get<std::string>()};
    trial->tuning = tuning.value();
    trial->outcome = line["outcome"].get<std::string>();
    trial->detail = line["detail"].get<std::string>();
    trial->measured = {line["microseconds"].get<double>(), line["ratio"].get<double>(),
                       line["low"].get<double>(), line["high"].get<double>()};
    trial->of_default = line["of_default"].get<double>();
    return true;
}

}  // namespace

Result<Journal> Journal::open(const std::string &path, const std::string &head) {
    Journal journal(path);
    std::string kept = head + "\n";
    const Result<std::string> text = exists(path) ? read_file(path) : Result<std::string>("");
    if (!text.ok()) return text.status();
    if (text.value().compare(0, kept.size(), kept) == 0) {
        std::istringstream lines(text.value().substr(kept.size()));
        Trial trial;
        for (std::string line; std::getline(lines, line);) {
            if (!parse_line(line, &trial)) continue;
            journal.trials_.push_back(trial);
            kept += line + "\n";
        }
    }
    // Without half a line, to which the next one would be appended.
    SEPCONV_RETURN_IF_ERROR(replace_file(path, kept));
    return journal;
}

const Trial *Journal::find(const KernelKey &kernel, const Tuning &tuning) const {
    for (const Trial &trial : trials_) {
        if (trial.kernel == kernel && trial.tuning == tuning) return &trial;
    }
    return nullptr;
}

const Trial *Journal::best_of(const KernelKey &kernel) const {
    const Trial *best = nullptr;
    for (const Trial &trial : trials_) {
        if (trial.kernel == kernel && trial.outcome == "best") best = &trial;
    }
    return best;
}

Status Journal::add(const Trial &trial) {
    trials_.push_back(trial);
    return append_to_file(path_, line_of(trial));
}

}  // namespace sepconv
