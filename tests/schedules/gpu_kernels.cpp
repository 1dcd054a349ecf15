// Compiles blocks for CUDA and says what is launched, one JSON object a line: the kernels of
// scripts/gpu_kernels.py. Their PTX is written to FOLDER/TABLE_NAME.ptx.
// usage: schedules_gpu_kernels FOLDER CAPABILITY SHAPES.csv...

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include "bench/shapes.h"
#include "layer/shape.h"
#include "schedules/build_kernel.h"
#include "schedules/gpu.h"
#include "tests/schedules/gpu_traffic.h"

namespace sepconv::testing {
namespace {

using Halide::Expr;

/// The calls of halide_cuda_run, which offloading puts where the loops over blocks were.
class Launches : public Halide::Internal::IRVisitor {
public:
    const std::vector<std::string> &json() const { return json_; }

private:
    using IRVisitor::visit;

    void visit(const Halide::Internal::Call *call) override {
        IRVisitor::visit(call);
        if (call->name != "halide_cuda_run") return;
        // (module state, name, blocks x y z, threads x y z, bytes of shared memory, ...)
        const auto *name = call->args[1].as<Halide::Internal::StringImm>();
        std::vector<int64_t> numbers;
        for (size_t i = 2; i < 9; i++) {
            const auto value =
                Halide::Internal::as_const_int(Halide::Internal::simplify(call->args[i]));
            if (!value) throw Halide::RuntimeError("a launch's size is not a constant");
            numbers.push_back(*value);
        }
        if (name == nullptr) throw Halide::RuntimeError("a launch's kernel has no name");
        json_.push_back(fmt::format(
            R"({{"kernel": "{}", "grid": [{}, {}, {}], "threads": [{}, {}, {}], "shared": {}}})",
            name->value, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5],
            numbers[6]));
    }

    std::vector<std::string> json_;
};

void write_ptx(const Halide::Module &module, const std::string &path) {
    const Halide::Buffer<> code = module.get_cuda_ptx_assembly_buffer();
    if (!code.defined()) throw Halide::RuntimeError("no PTX");
    std::string text(static_cast<const char *>(code.data()), code.size_in_bytes());
    std::ofstream(path) << text.c_str();  // Up to its NUL.
}

/// A fused block is one launch. Only a squeeze must know a whole image before it goes on: the
/// depthwise, where there is one, its row sums, their totals, two small layers, the gate, the
/// project.
int own_launches(const Block &block) {
    if (!block.squeeze) return 1;
    return block.depthwise ? 7 : 6;
}

void print_block(const std::string &table, const bench::BlockShape &shape, const Block &block,
                 const Halide::Target &target, const std::string &folder) {
    const std::string name = table + "_" + shape.name;
    BuiltKernel built = build_kernel(block, target, {});
    const Halide::Module module = built.pipeline.compile_to_module(
        built.arguments, "kernel", target, Halide::LinkageType::ExternalPlusArgv);
    Launches launches;
    for (const auto &function : module.functions()) function.body.accept(&launches);
    write_ptx(module, folder + "/" + name + ".ptx");
    const Cost cost = cost_of(block);
    const GpuTraffic traffic = gpu_traffic(block);
    const BlockTile tile = output_tile_on_gpu(block);
    fmt::print(
        R"({{"table": "{}", "name": "{}", "shape": "{}", "own_launches": {}, "macs": {}, "bytes": {}, )"
        R"("tile": [{}, {}, {}], "output_blocks": {}, "computed_macs": {}, "l2_bytes": {}, )"
        R"("launches": [{}]}})"
        "\n",
        table, name, bench::describe(shape), own_launches(block), cost.macs,
        cost.bytes_read + cost.bytes_written, tile.height(), tile.width(), tile.channels(),
        traffic.output_blocks, traffic.macs, traffic.l2_bytes, fmt::join(launches.json(), ", "));
    std::fflush(stdout);
}

int print_tables(const std::vector<std::string> &arguments) {
    if (arguments.size() < 3) {
        std::fprintf(stderr, "usage: schedules_gpu_kernels FOLDER CAPABILITY SHAPES.csv...\n");
        return 1;
    }
    const Halide::Target target(
        "x86-64-linux-cuda-cuda_capability_" + arguments[1] +
        "-no_asserts-no_bounds_query-no_runtime-user_context");  // As compiler/targets.cpp has it.
    for (size_t i = 2; i < arguments.size(); i++) {
        const auto shapes = bench::read_shapes(arguments[i]);
        if (!shapes.ok()) {
            std::fprintf(stderr, "%s\n", shapes.status().message().c_str());
            return 1;
        }
        const std::string table = std::filesystem::path(arguments[i]).stem();
        for (const bench::BlockShape &shape : shapes.value()) {
            const Result<Block> block = bench::block_of(shape);
            print_block(table, shape, block.value(), target, arguments[0]);
        }
    }
    return 0;
}

}  // namespace
}  // namespace sepconv::testing

int main(int argc, char **argv) {
    try {
        return sepconv::testing::print_tables({argv + 1, argv + argc});
    } catch (const Halide::Error &error) {  // Not a std::exception in Halide 21.
        std::fprintf(stderr, "%s\n", error.what());
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
    return 1;
}
