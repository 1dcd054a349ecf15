#include "compiler/emit.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>

#include "compiler/files.h"
#include "compiler/plan_memory.h"
#include "compiler/publish.h"
#include "compiler/report.h"
#include "compiler/source.h"
#include "compiler/toolchain.h"

namespace sepconv {
namespace {

std::string_view bytes_of(const std::vector<uint8_t> &bytes) {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// One emission: everything is made in `work` and moved at the end.
class Emission {
public:
    Emission(const Plan &plan, const std::vector<Variant> &variants, const EmitOptions &options,
             const TemporaryFolder &work)
        : plan_(plan),
          variants_(variants),
          memory_(plan_memory(plan, scratch_of_steps(plan, variants))),
          options_(options),
          work_(work),
          toolchain_(options.tools, work.path()) {}

    Result<Emitted> run() {
        Result<RuntimeSources> runtime = find_runtime();
        if (!runtime.ok()) return runtime.status();
        runtime_ = std::move(runtime).value();
        SEPCONV_RETURN_IF_ERROR(write_sources());
        SEPCONV_RETURN_IF_ERROR(options_.form == Form::kLibrary ? make_libraries()
                                                                : make_sources());
        SEPCONV_RETURN_IF_ERROR(write_texts());
        return publish();
    }

private:
    bool has_device() const {
        return std::any_of(variants_.begin(), variants_.end(),
                           [](const Variant &variant) { return !variant.device.empty(); });
    }
    bool is_elf() const { return options_.tools.platform.format == ObjectFormat::kElf; }

    Status write_sources() {
        const std::string &name = options_.name;
        const std::string weights = name + "_weights";
        SEPCONV_RETURN_IF_ERROR(put(name + ".c", plan_source(plan_, memory_, variants_, name)));
        SEPCONV_RETURN_IF_ERROR(put(weights + ".bin", bytes_of(plan_.weights)));
        return put(weights + ".c", weights_source(name, weights + ".bin"));
    }

    /// The distinct kernels: objects in the cache, and their names here.
    void list_kernels() {
        std::set<std::string> listed;
        for (const Variant &variant : variants_) {
            for (const KernelObject &kernel : variant.kernels) {
                if (!listed.insert(kernel.symbol).second) continue;
                const std::string name = kernel_name(options_.name, kernel);
                kernels_.push_back(kernel.path);
                kernel_names_.push_back(name);
                renames_.push_back({kernel.symbol + "_argv", name});
                renames_.push_back({kernel.symbol, options_.name + "_" + kernel.symbol});
            }
        }
    }

    /// Plan, weights and kernels.
    Status make_model(std::vector<std::string> *objects, const std::string &archive) {
        const std::string &name = options_.name;
        SEPCONV_RETURN_IF_ERROR(
            toolchain_.compile(name + ".c", name + "_plan.o",
                               {"-std=c11", "-fvisibility=hidden", "-I", runtime_.include}));
        SEPCONV_RETURN_IF_ERROR(
            toolchain_.compile(name + "_weights.c", name + "_weights.o", {"-std=c11", "-I", "."}));
        *objects = {name + "_plan.o", name + "_weights.o"};
        if (!is_elf()) return make_kernels(archive);
        // The kernels apart, as the plan knows them by their new names.
        SEPCONV_RETURN_IF_ERROR(make_kernels(name + "_kernels.o"));
        objects->push_back(name + "_kernels.o");
        SEPCONV_RETURN_IF_ERROR(toolchain_.combine(*objects, {}, {name + "_model"}, name + ".o"));
        *objects = {name + ".o"};
        return Status();
    }

    /// An object, or an archive where objects cannot be combined.
    Status make_kernels(const std::string &output) const {
        SEPCONV_RETURN_IF_ERROR(is_elf()
                                    ? toolchain_.combine(kernels_, renames_, kernel_names_, output)
                                    : toolchain_.collect(kernels_, renames_, output));
        return toolchain_.check_kernels(output);
    }

    Status make_libraries() {
        const std::string library = "lib" + options_.name;
        list_kernels();
        Result<std::vector<std::string>> runtime =
            runtime_objects(runtime_, options_.tools, options_.cache);
        if (!runtime.ok()) return runtime.status();
        std::vector<std::string> objects;
        SEPCONV_RETURN_IF_ERROR(make_model(&objects, library + ".a"));
        for (const std::string &object : runtime.value()) {
            if (has_device() || !is_for_devices(object)) objects.push_back(object);
        }
        SEPCONV_RETURN_IF_ERROR(toolchain_.archive(objects, library + ".a"));
        archive_ = library + ".a";
        outputs_.push_back(archive_);
        if (!options_.shared) return Status();
        outputs_.push_back(library + ".so");
        return toolchain_.link_shared(objects, {"sepconv_*", options_.name + "_model"},
                                      library + ".so");
    }

    /// The kernels as they are linked; the runtime beside the plan.
    Status make_sources() {
        const std::string &name = options_.name;
        list_kernels();
        archive_ = is_elf() ? name + "_kernels.o" : "lib" + name + "_kernels.a";
        SEPCONV_RETURN_IF_ERROR(make_kernels(archive_));
        outputs_.insert(outputs_.end(), {archive_, name + "_weights.c", name + "_weights.bin"});
        SEPCONV_RETURN_IF_ERROR(make_folder(work_.file("runtime")));
        for (const std::string &file : runtime_.files(has_device())) {
            SEPCONV_RETURN_IF_ERROR(copy(runtime_.sources + "/" + file, "runtime/" + file));
        }
        return Status();
    }

    Status copy(const std::string &from, const std::string &to) {
        const Result<std::string> text = read_file(from);
        if (!text.ok()) return text.status();
        outputs_.push_back(to);
        return put(to, text.value());
    }

    Status write_texts() {
        const std::string &name = options_.name;
        SEPCONV_RETURN_IF_ERROR(make_folder(work_.file("sepconv")));
        for (const std::string &header : runtime_.headers()) {
            // Users of a library need no plan.h.
            if (options_.form == Form::kLibrary && header == "plan.h") continue;
            SEPCONV_RETURN_IF_ERROR(
                copy(runtime_.include + "/sepconv/" + header, "sepconv/" + header));
        }
        Report report;
        report.name = name;
        report.source = options_.source;
        report.plan = &plan_;
        report.memory = memory_;
        report.variants = variants_;
        report.archive_bytes = archive_bytes();
        SEPCONV_RETURN_IF_ERROR(put(name + ".h", header_source(plan_, memory_, variants_, name)));
        SEPCONV_RETURN_IF_ERROR(put(name + ".json", report_json(report)));
        SEPCONV_RETURN_IF_ERROR(put(name + ".html", report_html(report)));
        for (const char *extension : {".c", ".json", ".html", ".h"}) {
            outputs_.push_back(name + extension);
        }
        return Status();
    }

    Result<Emitted> publish() {
        Emitted emitted;
        emitted.archive_bytes = archive_bytes();
        const std::string folder = std::filesystem::absolute(options_.folder).string();
        if (options_.form == Form::kSources) emitted.finish = finish();
        SEPCONV_RETURN_IF_ERROR(publish_files(outputs_, work_.path(), folder));
        const std::string prefix = folder + "/";
        emitted.archive = prefix + archive_;
        if (options_.shared) emitted.shared = prefix + "lib" + options_.name + ".so";
        emitted.header = prefix + options_.name + ".h";
        return emitted;
    }

    /// What a C compiler of the target has to do, in the folder.
    std::string finish() const {
        const std::string &name = options_.name;
        // By name: the folder may hold another model's.
        std::string objects = fmt::format("{0}.o {0}_weights.o", name);
        for (const std::string &file : runtime_.files(has_device())) {
            const std::filesystem::path path(file);
            if (path.extension() == ".c") objects += " " + path.stem().string() + ".o";
        }
        if (is_elf()) objects += " " + archive_;
        return fmt::format(
            "cc -std=c11 -O2 {0}-I. -c {1}.c {1}_weights.c runtime/*.c && ar rcs lib{1}.a {2}{3}",
            is_elf() ? "-fPIC " : "", name, objects, is_elf() ? "" : "  # link with " + archive_);
    }

    Status put(const std::string &name, std::string_view bytes) const {
        return write_file(work_.file(name), bytes);
    }

    int64_t archive_bytes() const {
        std::error_code error;
        const auto size = std::filesystem::file_size(work_.file(archive_), error);
        return error ? 0 : static_cast<int64_t>(size);
    }

    const Plan &plan_;
    const std::vector<Variant> &variants_;
    const MemoryPlan memory_;
    const EmitOptions &options_;
    const TemporaryFolder &work_;
    Toolchain toolchain_;
    RuntimeSources runtime_;
    std::vector<std::string> kernels_, kernel_names_;
    std::vector<Rename> renames_;
    std::string archive_;  ///< The library, or of sources what holds the kernels.
    std::vector<std::string> outputs_;
};

Result<Emitted> emit_into(const Plan &plan, const std::vector<Variant> &variants,
                          const EmitOptions &options) {
    // In the output folder, so that the last step only renames.
    Result<TemporaryFolder> work = TemporaryFolder::create(options.folder);
    if (!work.ok()) return work.status();
    return Emission(plan, variants, options, work.value()).run();
}

}  // namespace

Result<Emitted> emit_library(const Plan &plan, const std::vector<Variant> &variants,
                             const EmitOptions &options) {
    std::vector<std::filesystem::path> made;
    for (auto folder = std::filesystem::path(options.folder);
         !folder.empty() && !exists(folder.string()); folder = folder.parent_path()) {
        made.push_back(folder);
    }
    Result<Emitted> emitted = emit_into(plan, variants, options);
    for (const std::filesystem::path &folder : made) {
        std::error_code ignored;
        if (!emitted.ok()) std::filesystem::remove(folder, ignored);  // Only if it is empty.
    }
    return emitted;
}

}  // namespace sepconv
