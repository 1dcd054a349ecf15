#include "compiler/object_cache.h"

#include <fmt/format.h>

#include <utility>

#include "compiler/files.h"

namespace sepconv {
namespace {

std::string seal_of(const CachedObject &cached, const std::string &facts,
                    const std::string &bytes) {
    return hash_of(fmt::format("{}\n{}\n{}", cached.key, facts, bytes));
}

}  // namespace

bool load_object(const CachedObject &cached, std::string *facts, std::string *bytes) {
    const Result<std::string> text = read_file(cached.facts());
    if (!text.ok()) return false;
    const size_t end = text.value().find('\n');
    if (end == std::string::npos) return false;
    std::string line = text.value().substr(0, end);
    Result<std::string> object = read_file(cached.object());
    if (!object.ok()) return false;
    if (text.value().substr(end + 1) != seal_of(cached, line, object.value()) + "\n") return false;
    if (facts != nullptr) *facts = std::move(line);
    if (bytes != nullptr) *bytes = std::move(object).value();
    return true;
}

Status store_object(const CachedObject &cached, const std::string &file, const std::string &facts) {
    const Result<std::string> bytes = read_file(file);
    if (!bytes.ok()) return bytes.status();
    const std::string sealed = file + ".facts";
    SEPCONV_RETURN_IF_ERROR(
        write_file(sealed, fmt::format("{}\n{}\n", facts, seal_of(cached, facts, bytes.value()))));
    SEPCONV_RETURN_IF_ERROR(rename_path(file, cached.object()));
    return rename_path(sealed, cached.facts());
}

}  // namespace sepconv
