#include "compiler/autoscheduler.h"

#include <fmt/format.h>

#include <filesystem>

#include "compiler/files.h"
#include "schedules/autoschedule.h"

namespace sepconv {

std::vector<std::string> scheduler_names() {
    std::vector<std::string> names = autoscheduler_names();
    names.insert(names.begin(), "hand");
    return names;
}

Result<std::optional<Autoscheduler>> find_autoscheduler(const SchedulerOptions &options,
                                                        const std::vector<IsaTarget> &targets) {
    std::optional<Autoscheduler> found;
    if (options.name == "hand") return found;
    for (const IsaTarget &target : targets) {
        const Status able = check_autoscheduler(options.name, target.halide);
        if (!able.ok()) return Status(able.code(), "--scheduler: " + able.message());
    }
    const std::filesystem::path folder = std::filesystem::path(halide_path()).parent_path();
    const std::string plugin = (folder / plugin_file(options.name)).string();
    if (!exists(plugin)) {
        return Status(StatusCode::kIo,
                      fmt::format("--scheduler {}: expected '{}' beside Halide's library",
                                  options.name, plugin));
    }
    found = Autoscheduler{options.name, plugin, options.threads};
    return found;
}

}  // namespace sepconv
