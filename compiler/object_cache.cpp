#include "compiler/object_cache.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "compiler/files.h"

namespace sepconv {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::hours kKept(30 * 24);

std::string seal_of(const CachedObject &cached, const std::string &facts,
                    const std::string &bytes) {
    return hash_of(fmt::format("{}\n{}\n{}", cached.key, facts, bytes));
}

bool is_hash(const std::string &text) {
    constexpr size_t kDigits = 32;
    return text.size() == kDigits &&
           text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void remove_unused(const fs::path &folder, bool (*is_ours)(const std::string &stem)) {
    std::error_code ignored;
    for (const fs::directory_entry &entry : fs::directory_iterator(folder, ignored)) {
        const fs::path &path = entry.path();
        const bool kind = path.extension() == ".o" || path.extension() == ".facts";
        if (!kind || !is_ours(path.stem().string())) continue;
        std::error_code error;
        const fs::file_time_type used = fs::last_write_time(path, error);
        if (!error && used + kKept < fs::file_time_type::clock::now()) fs::remove(path, ignored);
    }
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
    std::error_code ignored;
    for (const std::string &path : {cached.object(), cached.facts()}) {
        fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
    }
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

void trim_cache(const std::string &cache) {
    remove_unused(cache + "/kernels", is_hash);
    const std::string runtime = "runtime-";
    std::error_code ignored;
    for (const fs::directory_entry &entry : fs::directory_iterator(cache, ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.rfind(runtime, 0) != 0 || !is_hash(name.substr(runtime.size()))) continue;
        remove_unused(entry.path(),
                      [](const std::string &stem) { return stem.rfind("sepconv_", 0) == 0; });
    }
}

}  // namespace sepconv
