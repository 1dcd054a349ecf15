#include "bench/machine.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

namespace sepconv::bench {

std::string cpu_model() {
    std::ifstream file("/proc/cpuinfo");
    std::map<std::string, std::string> fields;
    for (std::string line; std::getline(file, line) && !line.empty();) {
        const size_t colon = line.find(": ");
        const size_t end = line.find_first_of("\t:");
        if (colon != std::string::npos) fields[line.substr(0, end)] = line.substr(colon + 2);
    }
    return fmt::format("{} (family {}, model {})", fields["model name"], fields["cpu family"],
                       fields["model"]);
}

std::string date() {
    return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr)));
}

Status pin(const std::vector<int> &cores) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int core : cores) CPU_SET(static_cast<size_t>(core), &set);
    if (sched_setaffinity(0, sizeof(set), &set) == 0) return Status();
    return Status(
        StatusCode::kInvalidArgument,
        fmt::format("--core: cannot run on {}: {}", fmt::join(cores, ", "), std::strerror(errno)));
}

Result<std::vector<int>> choose_cores(int first, int count) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        return Status(StatusCode::kIo, fmt::format("affinity: {}", std::strerror(errno)));
    }
    const int begin = first < 0 ? sched_getcpu() : first;
    std::vector<int> cores;
    for (int i = 0; i < CPU_SETSIZE && static_cast<int>(cores.size()) < count; ++i) {
        const int core = (begin + i) % CPU_SETSIZE;
        if (CPU_ISSET(static_cast<size_t>(core), &set)) cores.push_back(core);
    }
    if (static_cast<int>(cores.size()) < count || (first >= 0 && cores.front() != first)) {
        return Status(StatusCode::kInvalidArgument,
                      fmt::format("--core, --threads: expected {} processors from {} on, may run "
                                  "on {}",
                                  count, begin, CPU_COUNT(&set)));
    }
    return cores;
}

std::string program_folder() {
    std::error_code error;
    return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
}

Status run_program(const std::string &path, const std::vector<std::string> &arguments) {
    std::vector<char *> argv{const_cast<char *>(path.c_str())};
    for (const std::string &argument : arguments) {
        argv.push_back(const_cast<char *>(argument.c_str()));
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int error = posix_spawn(&child, path.c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        return Status(StatusCode::kIo,
                      fmt::format("cannot run '{}': {}", path, std::strerror(error)));
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0) {
        return Status(StatusCode::kIo, fmt::format("'{}' failed", path));
    }
    return Status();
}

}  // namespace sepconv::bench
