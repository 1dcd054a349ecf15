#include "schedules/bound_allocations.h"

#include "schedules/scratch.h"

namespace sepconv {
namespace {

using Halide::Expr;
using Halide::MemoryType;
using Halide::Internal::Allocate;
using Halide::Internal::For;
using Halide::Internal::Interval;
using Halide::Internal::LetStmt;
using Halide::Internal::ScopedBinding;
using Halide::Internal::Stmt;

class BoundAllocations : public Halide::Internal::IRMutator {
    using IRMutator::visit;

    Stmt visit(const LetStmt *let) override {
        const ScopedBinding<Interval> bind(scope_, let->name, bounds(let->value));
        return IRMutator::visit(let);
    }

    Stmt visit(const For *loop) override {
        const Interval last = bounds(loop->min + loop->extent - 1);
        const ScopedBinding<Interval> bind(scope_, loop->name,
                                           Interval(bounds(loop->min).min, last.max));
        return IRMutator::visit(loop);
    }

    Stmt visit(const Allocate *allocate) override {
        const Stmt body = mutate(allocate->body);
        std::vector<Expr> extents;
        for (const Expr &extent : allocate->extents) {
            const Interval known = bounds(extent);
            extents.push_back(known.has_upper_bound() ? known.max : extent);
        }
        MemoryType memory = allocate->memory_type;
        const int64_t elements = Allocate::constant_allocation_size(extents, allocate->name);
        const int64_t bytes = (elements + allocate->padding) * allocate->type.bytes();
        if (memory == MemoryType::Stack && (elements == 0 || bytes > kStackBytes)) {
            memory = MemoryType::Auto;
        }
        return Allocate::make(allocate->name, allocate->type, memory, extents, allocate->condition,
                              body, allocate->new_expr, allocate->free_function, allocate->padding);
    }

    Interval bounds(const Expr &value) const {
        return Halide::Internal::find_constant_bounds(value, scope_);
    }

    Halide::Internal::Scope<Interval> scope_;
};

}  // namespace

void bound_allocations(Halide::Pipeline *pipeline) {
    pipeline->add_custom_lowering_pass(new BoundAllocations);  // The pipeline owns it.
}

}  // namespace sepconv
