#include "compiler/tune/tuning_json.h"

#include <fmt/format.h>

namespace sepconv {
namespace {

using Json = nlohmann::json;

struct Field {
    const char *name;
    int Tuning::*value;
};
constexpr Field kNumbers[] = {{"tile_pixels", &Tuning::tile_pixels},
                              {"tile_vectors", &Tuning::tile_vectors},
                              {"strip_rows", &Tuning::strip_rows},
                              {"depthwise_pixels", &Tuning::depthwise_pixels}};

struct OrderName {
    const char *name;
    Order order;
};
constexpr OrderName kOrders[] = {{"sliding", Order::kSliding}, {"channels", Order::kChannels}};

Status wrong(const std::string &where, const std::string &name, const std::string &expected,
             const Json &got) {
    const std::string text = got.dump(-1, ' ', true, Json::error_handler_t::replace);
    return Status(StatusCode::kInvalidArgument, fmt::format("{}: {}: expected {}, got {}", where,
                                                            name, expected, text.substr(0, 100)));
}

Status set_field(const std::string &name, const Json &value, const std::string &where,
                 Tuning *tuning) {
    constexpr uint64_t kMost = 1 << 16;
    for (const Field &field : kNumbers) {
        if (name != field.name) continue;
        const bool fits = value.is_number_unsigned() && value.get<uint64_t>() >= 1 &&
                          value.get<uint64_t>() <= kMost;
        if (!fits) return wrong(where, name, fmt::format("a number from 1 to {}", kMost), value);
        tuning->*field.value = value.get<int>();
        return Status();
    }
    if (name != "order") {
        return Status(StatusCode::kInvalidArgument,
                      fmt::format("{}: field '{}' is not known", where, name.substr(0, 100)));
    }
    for (const OrderName &known : kOrders) {
        if (value == known.name) {
            tuning->order = known.order;
            return Status();
        }
    }
    return wrong(where, name, "sliding or channels", value);
}

}  // namespace

Json json_of(const Tuning &tuning) {
    Json json = Json::object();
    for (const Field &field : kNumbers) {
        if (tuning.*field.value != 0) json[field.name] = tuning.*field.value;
    }
    for (const OrderName &known : kOrders) {
        if (tuning.order == known.order) json["order"] = known.name;
    }
    return json;
}

Result<Tuning> tuning_of(const Json &json, const std::string &where) {
    if (!json.is_object()) return wrong(where, "tuning", "an object", json);
    Tuning tuning;
    for (const auto &[name, value] : json.items()) {
        SEPCONV_RETURN_IF_ERROR(set_field(name, value, where, &tuning));
    }
    return tuning;
}

}  // namespace sepconv
