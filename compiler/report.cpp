#include "compiler/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "compiler/diagnostic.h"
#include "compiler/source.h"

namespace sepconv {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::vector<PlanTensor> &tensors) {
    Json list = Json::array();
    for (const PlanTensor &tensor : tensors) {
        list.push_back({{"name", tensor.name},
                        {"layout", tensor.layout},
                        {"shape", tensor.shape},
                        {"bytes", tensor.bytes}});
    }
    return list;
}

Json json_of(const Cost &cost) {
    return {{"macs", cost.macs},
            {"standard_macs", cost.standard_macs},
            {"parameters", cost.parameters},
            {"bytes_read", cost.bytes_read},
            {"bytes_written", cost.bytes_written}};
}

Json json_of(const Report &report, size_t index) {
    const Plan &plan = *report.plan;
    const PlanBlock &block = plan.blocks[index];
    Json json = {{"name", block.name},
                 {"kind", block.kind},
                 {"shape", block.shape},
                 {"operators", block.operators},
                 {"nodes", block.nodes},
                 {"kernel", block.kernel},
                 {"kernel_text", describe(plan.kernels[static_cast<size_t>(block.kernel)])}};
    json.update(json_of(block.cost));
    json["macs_per_byte"] = arithmetic_intensity(block);
    if (!report.variants.empty()) json["scratch_bytes"] = scratch_bytes(report, index);
    if (separable_ratio(block) > 0) {
        json["ratio"] = separable_ratio(block);
        json["predicted_ratio"] = predicted_ratio(block);
    }
    return json;
}

Json json_of(const PlanStep &step, const MemoryPlan &memory) {
    constexpr const char *kSpaces[] = {"weights", "arena", "input", "output"};
    Json arguments = Json::array();
    for (const Location &location : step.args) {
        const bool in_arena = location.space == Space::kArena;
        arguments.push_back(
            {{"space", kSpaces[static_cast<int>(location.space)]},
             {"index", in_arena ? 0 : location.index},
             {"offset", in_arena ? arena_offset(memory, location) : location.offset},
             {"advance", location.advance}});
    }
    return {{"block", step.block},
            {"kernel", step.kernel},
            {"repeat", step.repeat},
            {"arguments", arguments}};
}

Json json_of(const Variant &variant) {
    Json kernels = Json::array();
    for (const KernelObject &kernel : variant.kernels) {
        kernels.push_back({{"symbol", kernel.symbol},
                           {"code_bytes", kernel.code_bytes},
                           {"scratch_bytes", kernel.scratch_bytes},
                           {"worker_bytes", kernel.worker_bytes}});
    }
    return {{"isa", variant.isa},
            {"scheduler", variant.scheduler},
            {"code_bytes", variant.code_bytes()},
            {"worker_bytes", variant.worker_bytes()},
            {"kernels", kernels}};
}

/// 1234567 as "1.23 M".
std::string short_number(int64_t value) {
    const auto number = static_cast<double>(value);
    if (value >= 1000000000) return fmt::format("{:.2f} G", number / 1e9);
    if (value >= 1000000) return fmt::format("{:.2f} M", number / 1e6);
    if (value >= 1000) return fmt::format("{:.1f} k", number / 1e3);
    return std::to_string(value);
}

std::string row(const std::string &index, const std::string &kind, const std::string &shape,
                const Cost &cost, const std::string &rest) {
    return fmt::format("{:>4}  {:<22} {:<42} {:>9} {:>9} {:>9} {:>9}  {}\n", index, kind, shape,
                       short_number(cost.macs), short_number(cost.parameters),
                       short_number(cost.bytes_read + cost.bytes_written),
                       short_number(cost.standard_macs), rest);
}

/// Names of a model are untrusted: no control characters reach a terminal.
std::string printable(const std::string &text) {
    return quote(text);
}

}  // namespace

double separable_ratio(const PlanBlock &block) {
    if (block.out_channels <= 0 || block.taps <= 0 || block.cost.standard_macs <= 0) return 0;
    return static_cast<double>(block.cost.macs) / static_cast<double>(block.cost.standard_macs);
}

double predicted_ratio(const PlanBlock &block) {
    if (block.out_channels <= 0 || block.taps <= 0) return 0;
    return 1.0 / block.out_channels + 1.0 / block.taps;
}

double arithmetic_intensity(const PlanBlock &block) {
    const int64_t bytes = block.cost.bytes_read + block.cost.bytes_written;
    return bytes == 0 ? 0 : static_cast<double>(block.cost.macs) / static_cast<double>(bytes);
}

int64_t scratch_bytes(const Report &report, size_t block) {
    int64_t most = 0;
    for (size_t i = 0; i < report.plan->steps.size(); ++i) {
        if (static_cast<size_t>(report.plan->steps[i].block) != block) continue;
        most = std::max(most, report.memory.scratch_bytes[i]);
    }
    return most;
}

Cost total_cost(const Plan &plan) {
    Cost total;
    for (const PlanBlock &block : plan.blocks) {
        total.macs += block.cost.macs;
        total.parameters += block.cost.parameters;
        total.bytes_read += block.cost.bytes_read;
        total.bytes_written += block.cost.bytes_written;
        total.standard_macs += block.cost.standard_macs;
    }
    return total;
}

std::string report_json(const Report &report) {
    const Plan &plan = *report.plan;
    Json json = {{"name", report.name},
                 {"source", report.source},
                 {"inputs", json_of(plan.inputs)},
                 {"outputs", json_of(plan.outputs)},
                 {"tensor_bytes", plan_tensors(plan).bytes},
                 {"weights_bytes", plan.weights.size()}};
    if (!report.variants.empty()) {
        json["arena_bytes"] = serial_arena_bytes(report.memory);
        json["worker_bytes"] = worker_bytes(report.variants);
        json["archive_bytes"] = report.archive_bytes;
    }
    json["total"] = json_of(total_cost(plan));
    json["total"]["blocks"] = plan.blocks.size();
    json["total"]["kernels"] = plan.kernels.size();
    json["blocks"] = Json::array();
    for (size_t i = 0; i < plan.blocks.size(); ++i) json["blocks"].push_back(json_of(report, i));
    json["steps"] = Json::array();
    for (size_t i = 0; i < plan.steps.size(); ++i) {
        json["steps"].push_back(json_of(plan.steps[i], report.memory));
        if (report.variants.empty()) continue;
        json["steps"].back()["scratch_offset"] = report.memory.scratch[i];
        json["steps"].back()["scratch_bytes"] = report.memory.scratch_bytes[i];
    }
    json["variants"] = Json::array();
    for (const Variant &variant : report.variants) json["variants"].push_back(json_of(variant));
    // Names may be any bytes: what is not UTF-8 is replaced.
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string report_text(const Report &report) {
    const Plan &plan = *report.plan;
    std::string text;
    for (const auto &[side, tensors] :
         {std::make_pair("input", &plan.inputs), std::make_pair("output", &plan.outputs)}) {
        for (const PlanTensor &tensor : *tensors) {
            text += fmt::format("{:<7}{} {} {}, {} bytes\n", side, printable(tensor.name),
                                tensor.layout, shape_text(tensor.shape), tensor.bytes);
        }
    }
    text += fmt::format("\n{:>4}  {:<22} {:<42} {:>9} {:>9} {:>9} {:>9}  {}\n", "", "block",
                        "shape", "MACs", "params", "bytes", "standard",
                        "ratio (1/out_channels + 1/taps), operators");
    for (size_t i = 0; i < plan.blocks.size(); ++i) {
        const PlanBlock &block = plan.blocks[i];
        std::string ratio;
        if (separable_ratio(block) > 0) {
            ratio = fmt::format("{:.4f} ({:.4f}) ", separable_ratio(block), predicted_ratio(block));
        }
        text += row(std::to_string(i), block.kind, block.shape, block.cost,
                    ratio + fmt::format("{}", fmt::join(block.operators, " + ")));
    }
    const Cost total = total_cost(plan);
    std::string ratio;
    if (total.standard_macs > 0) {
        ratio = fmt::format(
            "{:.4f}", static_cast<double>(total.macs) / static_cast<double>(total.standard_macs));
    }
    text += row("", "total",
                fmt::format("{} blocks, {} kernels", plan.blocks.size(), plan.kernels.size()),
                total, ratio);
    text += fmt::format(
        "\ntensors between blocks: {} bytes, without the kernels' scratch; packed weights: {} "
        "bytes\n",
        plan_tensors(plan).bytes, plan.weights.size());
    return text;
}

}  // namespace sepconv
