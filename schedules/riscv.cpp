#include "schedules/riscv.h"

namespace sepconv {
namespace {

using Halide::Expr;
using Halide::Internal::Block;
using Halide::Internal::Broadcast;
using Halide::Internal::const_true;
using Halide::Internal::IRMutator;
using Halide::Internal::is_const_one;
using Halide::Internal::LetStmt;
using Halide::Internal::Load;
using Halide::Internal::make_zero;
using Halide::Internal::NE;
using Halide::Internal::Ramp;
using Halide::Internal::Select;
using Halide::Internal::Shuffle;
using Halide::Internal::Stmt;
using Halide::Internal::Store;

class AvoidDefects : public IRMutator {
    using IRMutator::visit;

    Expr visit(const Select *select) override {
        Expr condition = mutate(select->condition);
        const int lanes = select->type.lanes();
        const Broadcast *same = condition.as<Broadcast>();
        const bool scalar = condition.type().is_scalar();
        if (lanes > 1 && (scalar || same != nullptr)) {
            // A comparison of vectors: the compiler makes no scalar of it.
            const Expr one = Halide::cast<int32_t>(scalar ? condition : same->value);
            condition =
                NE::make(Broadcast::make(one, lanes), make_zero(Halide::Int(32).with_lanes(lanes)));
        }
        return Select::make(condition, mutate(select->true_value), mutate(select->false_value));
    }

    Expr visit(const Load *load) override {
        const Ramp *ramp = strided(load->index);
        if (ramp == nullptr || !is_const_one(load->predicate)) return IRMutator::visit(load);
        std::vector<Expr> lanes;
        for (int i = 0; i < ramp->lanes; i++) {
            lanes.push_back(Load::make(load->type.element_of(), load->name, index_of(*ramp, i),
                                       load->image, load->param, const_true(), {}));
        }
        return Shuffle::make_concat(lanes);
    }

    Stmt visit(const Store *store) override {
        const Ramp *ramp = strided(store->index);
        if (ramp == nullptr || !is_const_one(store->predicate)) return IRMutator::visit(store);
        const std::string name = Halide::Internal::unique_name("stored");
        const Expr value = Halide::Internal::Variable::make(store->value.type(), name);
        std::vector<Stmt> lanes;
        for (int i = 0; i < ramp->lanes; i++) {
            lanes.push_back(Store::make(store->name, Shuffle::make_extract_element(value, i),
                                        index_of(*ramp, i), store->param, const_true(), {}));
        }
        return LetStmt::make(name, mutate(store->value), Block::make(lanes));
    }

    static const Ramp *strided(const Expr &index) {
        const Ramp *ramp = index.as<Ramp>();
        return ramp == nullptr || is_const_one(ramp->stride) ? nullptr : ramp;
    }

    static Expr index_of(const Ramp &ramp, int lane) { return ramp.base + ramp.stride * lane; }
};

}  // namespace

void avoid_riscv_defects(Halide::Pipeline *pipeline, const Halide::Target &target) {
    if (target.arch != Halide::Target::RISCV) return;
    pipeline->add_custom_lowering_pass(new AvoidDefects);  // The pipeline owns it.
}

}  // namespace sepconv
