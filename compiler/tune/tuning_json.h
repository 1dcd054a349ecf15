#ifndef SEPCONV_COMPILER_TUNE_TUNING_JSON_H_
#define SEPCONV_COMPILER_TUNE_TUNING_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

#include "layer/status.h"
#include "schedules/tuning.h"

namespace sepconv {

// A Tuning in tables and journals: an object of the fields that are set.

nlohmann::json json_of(const Tuning &tuning);
Result<Tuning> tuning_of(const nlohmann::json &json, const std::string &where);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_TUNE_TUNING_JSON_H_
