#include "schedules/scratch.h"

#include <algorithm>

namespace sepconv {
namespace {

using Halide::Internal::Allocate;

class PeakHeap : public Halide::Internal::IRVisitor {
public:
    int64_t peak() const { return peak_; }
    /// An allocation whose size the compiled kernel computes: "" where there is none.
    const std::string &unknown() const { return unknown_; }
    bool has_parallel_loop() const { return has_parallel_loop_; }

private:
    using IRVisitor::visit;

    void visit(const Halide::Internal::Call *call) override {
        if (call->name == "halide_do_par_for") has_parallel_loop_ = true;
        IRVisitor::visit(call);
    }

    void visit(const Allocate *allocate) override {
        if (allocate->constant_allocation_size() == 0 && !allocate->new_expr.defined()) {
            unknown_ = allocate->name;
        }
        const int64_t bytes = heap_bytes(*allocate);
        live_ += bytes;
        peak_ = std::max(peak_, live_);
        IRVisitor::visit(allocate);
        live_ -= bytes;
    }

    static int64_t heap_bytes(const Allocate &allocate) {
        if (allocate.new_expr.defined() || allocate.memory_type == Halide::MemoryType::Register) {
            return 0;
        }
        // Exact, because every extent is a constant; `padding` is in elements.
        int64_t bytes =
            (static_cast<int64_t>(allocate.constant_allocation_size()) + allocate.padding) *
            allocate.type.bytes();
        if (bytes <= kStackBytes && allocate.memory_type != Halide::MemoryType::Heap) return 0;
        return (bytes + 63) / 64 * 64 + kAllocationOverhead;
    }

    int64_t live_ = 0;
    int64_t peak_ = 0;
    std::string unknown_;
    bool has_parallel_loop_ = false;
};

}  // namespace

Result<Scratch> scratch_of(const Halide::Module &module) {
    Scratch scratch;
    for (const Halide::Internal::LoweredFunc &function : module.functions()) {
        PeakHeap heap;
        function.body.accept(&heap);
        if (!heap.unknown().empty()) {
            return Status(StatusCode::kInternal,
                          "the size of '" + heap.unknown() + "' is not known at compile time");
        }
        // Bodies of parallel loops have become functions of their own.
        const bool task = function.linkage == Halide::LinkageType::Internal;
        if (task && heap.has_parallel_loop()) {
            return Status(StatusCode::kInternal, "a parallel loop inside of another");
        }
        int64_t &bytes = task ? scratch.task_bytes : scratch.serial_bytes;
        bytes = std::max(bytes, heap.peak());
    }
    return scratch;
}

}  // namespace sepconv
