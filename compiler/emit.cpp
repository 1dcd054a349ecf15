#include "compiler/emit.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <string_view>

#include "compiler/files.h"
#include "compiler/plan_memory.h"
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
          toolchain_(options.cc, work.path()) {}

    Result<Emitted> run() {
        Result<RuntimeSources> runtime = find_runtime();
        if (!runtime.ok()) return runtime.status();
        runtime_ = std::move(runtime).value();
        SEPCONV_RETURN_IF_ERROR(make_object());
        SEPCONV_RETURN_IF_ERROR(make_libraries());
        SEPCONV_RETURN_IF_ERROR(write_texts());
        return publish();
    }

private:
    Status make_object() {
        const std::string &name = options_.name;
        const std::string weights = name + "_weights";
        SEPCONV_RETURN_IF_ERROR(put(name + ".c", plan_source(plan_, memory_, variants_, name)));
        SEPCONV_RETURN_IF_ERROR(put(weights + ".bin", bytes_of(plan_.weights)));
        SEPCONV_RETURN_IF_ERROR(put(weights + ".S", weights_source(name, weights + ".bin")));
        SEPCONV_RETURN_IF_ERROR(toolchain_.compile(
            name + ".c", "plan.o", {"-std=c11", "-fvisibility=hidden", "-I", runtime_.include}));
        SEPCONV_RETURN_IF_ERROR(toolchain_.compile(weights + ".S", "weights.o", {}));
        std::vector<std::string> objects = {"plan.o", "weights.o"};
        std::set<std::string> listed;
        for (const Variant &variant : variants_) {
            for (const KernelObject &kernel : variant.kernels) {
                if (listed.insert(kernel.symbol).second) objects.push_back(kernel.path);
            }
        }
        return toolchain_.combine(objects, name + "_model", name + ".o");
    }

    Status make_libraries() {
        const std::string &name = options_.name;
        Result<std::vector<std::string>> runtime =
            runtime_objects(runtime_, options_.cc, options_.cache);
        if (!runtime.ok()) return runtime.status();
        std::vector<std::string> objects = {name + ".o"};
        objects.insert(objects.end(), runtime.value().begin(), runtime.value().end());
        SEPCONV_RETURN_IF_ERROR(toolchain_.archive(objects, "lib" + name + ".a"));
        outputs_.push_back("lib" + name + ".a");
        if (!options_.shared) return Status();
        outputs_.push_back("lib" + name + ".so");
        return toolchain_.link_shared(objects, {"sepconv_*", name + "_model"},
                                      "lib" + name + ".so");
    }

    Status write_texts() {
        const std::string &name = options_.name;
        SEPCONV_RETURN_IF_ERROR(make_folder(work_.file("sepconv")));
        for (const char *header : {"sepconv/sepconv.h", "sepconv/sepconv.hpp"}) {
            const Result<std::string> text = read_file(runtime_.include + "/" + header);
            if (!text.ok()) return text.status();
            SEPCONV_RETURN_IF_ERROR(put(header, text.value()));
            outputs_.emplace_back(header);
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
        SEPCONV_RETURN_IF_ERROR(make_folder(folder + "/sepconv"));
        for (const std::string &file : outputs_) {
            SEPCONV_RETURN_IF_ERROR(rename_path(work_.file(file), folder + "/" + file));
        }
        const std::string library = folder + "/lib" + options_.name;
        emitted.archive = library + ".a";
        emitted.shared = options_.shared ? library + ".so" : "";
        emitted.header = folder + "/" + options_.name + ".h";
        return emitted;
    }

    Status put(const std::string &name, std::string_view bytes) const {
        return write_file(work_.file(name), bytes);
    }

    int64_t archive_bytes() const {
        std::error_code error;
        const auto size =
            std::filesystem::file_size(work_.file("lib" + options_.name + ".a"), error);
        return error ? 0 : static_cast<int64_t>(size);
    }

    const Plan &plan_;
    const std::vector<Variant> &variants_;
    const MemoryPlan memory_;
    const EmitOptions &options_;
    const TemporaryFolder &work_;
    Toolchain toolchain_;
    RuntimeSources runtime_;
    std::vector<std::string> outputs_;
};

Result<Emitted> emit_into(const Plan &plan, const std::vector<Variant> &variants,
                          const EmitOptions &options) {
    // In the output folder, so that the last step only renames.
    Result<TemporaryFolder> work = TemporaryFolder::create(options.folder, "." + options.name);
    if (!work.ok()) return work.status();
    return Emission(plan, variants, options, work.value()).run();
}

}  // namespace

Result<Emitted> emit_library(const Plan &plan, const std::vector<Variant> &variants,
                             const EmitOptions &options) {
    const bool new_folder = !exists(options.folder);
    Result<Emitted> emitted = emit_into(plan, variants, options);
    if (!emitted.ok() && new_folder) {
        std::error_code ignored;
        std::filesystem::remove(options.folder, ignored);  // Only if it is empty.
    }
    return emitted;
}

}  // namespace sepconv
