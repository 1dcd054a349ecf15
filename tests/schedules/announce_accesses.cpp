#include "tests/schedules/announce_accesses.h"

#include <set>
#include <string>
#include <vector>

namespace sepconv::testing {
namespace {

using Halide::Expr;
using Halide::Internal::Allocate;
using Halide::Internal::Block;
using Halide::Internal::Call;
using Halide::Internal::Evaluate;
using Halide::Internal::For;
using Halide::Internal::is_const_one;
using Halide::Internal::Load;
using Halide::Internal::Ramp;
using Halide::Internal::Shuffle;
using Halide::Internal::Stmt;
using Halide::Internal::Store;
using Halide::Internal::StringImm;
using Halide::Internal::Variable;

/// What is written and lives outside of the tasks: nothing else can two of them quarrel about.
class SharedNames : public Halide::Internal::IRVisitor {
public:
    bool contains(const std::string &name) const {
        return written_.count(name) > 0 && own_.count(name) == 0;
    }

private:
    using IRVisitor::visit;

    void visit(const For *loop) override {
        const int parallel = loop->for_type == Halide::Internal::ForType::Parallel ? 1 : 0;
        depth_ += parallel;
        IRVisitor::visit(loop);
        depth_ -= parallel;
    }

    void visit(const Allocate *allocate) override {
        if (depth_ > 0) own_.insert(allocate->name);
        IRVisitor::visit(allocate);
    }

    void visit(const Store *store) override {
        written_.insert(store->name);
        IRVisitor::visit(store);
    }

    int depth_ = 0;
    std::set<std::string> written_, own_;
};

Expr lane(const Expr &vector, int i) {
    return vector.type().is_scalar() ? vector : Shuffle::make_extract_element(vector, i);
}

/// One call for neighbours in memory, else one for each lane.
template<typename Access>
std::vector<Expr> announcements(const char *function, const Access &access, Halide::Type type) {
    const Halide::Type pointer = Halide::type_of<void *>();
    const auto call = [&](const Expr &index, const Expr &elements) {
        return Call::make(
            Halide::Int(32), function,
            {Variable::make(pointer, "__user_context"), Variable::make(pointer, access.name),
             StringImm::make(access.name), index * type.bytes(), elements * type.bytes()},
            Call::Extern);
    };
    const Ramp *ramp = access.index.template as<Ramp>();
    const bool dense =
        ramp != nullptr && is_const_one(ramp->stride) && ramp->base.type().is_scalar();
    if ((dense || type.is_scalar()) && is_const_one(access.predicate)) {
        return {call(dense ? ramp->base : access.index, type.lanes())};
    }
    std::vector<Expr> lanes;
    for (int i = 0; i < type.lanes(); ++i) {
        lanes.push_back(
            call(lane(access.index, i), Halide::cast<int32_t>(lane(access.predicate, i))));
    }
    return lanes;
}

class AnnounceAccesses : public Halide::Internal::IRMutator {
public:
    using IRMutator::mutate;
    Stmt mutate(const Stmt &statement) override {
        if (!whole_.defined()) {
            whole_ = statement;
            whole_.accept(&shared_);
        }
        return IRMutator::mutate(statement);
    }

private:
    using IRMutator::visit;

    Expr visit(const Load *load) override {
        Expr result = IRMutator::visit(load);
        if (!shared_.contains(load->name)) return result;
        for (const Expr &call : announcements("sepconv_test_reads", *load, load->type)) {
            result =
                Call::make(load->type, Call::return_second, {call, result}, Call::PureIntrinsic);
        }
        return result;
    }

    Stmt visit(const Store *store) override {
        Stmt result = IRMutator::visit(store);
        if (!shared_.contains(store->name)) return result;
        for (const Expr &call : announcements("sepconv_test_writes", *store, store->value.type())) {
            result = Block::make(Evaluate::make(call), result);
        }
        return result;
    }

    SharedNames shared_;
    Stmt whole_;
};

}  // namespace

void announce_accesses(Halide::Pipeline *pipeline) {
    pipeline->add_custom_lowering_pass(new AnnounceAccesses);  // The pipeline owns it.
}

}  // namespace sepconv::testing
