#include "compiler/fold_reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "compiler/fold_movement.h"

namespace sepconv {
namespace {

template<typename A>
using Row = std::vector<A>;

/// From the elements that are reduced to one.
template<typename A>
using Reduction = A (*)(const Row<A> &);

template<typename A>
using Table = std::unordered_map<std::string_view, Reduction<A>>;

double sum(const Row<double> &row) {
    return std::accumulate(row.begin(), row.end(), 0.0);
}

double sum_of_squares(const Row<double> &row) {
    return std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
}

/// NaN if any is.
double largest(const Row<double> &row) {
    return std::accumulate(row.begin(), row.end(), -HUGE_VAL,
                           [](double a, double b) { return a > b || std::isnan(a) ? a : b; });
}

double log_sum_exp(const Row<double> &row) {
    const double top = largest(row);
    if (!std::isfinite(top)) return top;
    const auto add = [top](double total, double x) { return total + std::exp(x - top); };
    return top + std::log(std::accumulate(row.begin(), row.end(), 0.0, add));
}

const Table<double> &floating_reductions() {
    static const Table<double> table{
        {"ReduceSum", sum},
        {"ReduceMean", [](const auto &row) { return sum(row) / static_cast<double>(row.size()); }},
        {"ReduceProd",
         [](const auto &row) {
             return std::accumulate(row.begin(), row.end(), 1.0, std::multiplies<>());
         }},
        {"ReduceMax", largest},
        {"ReduceMin",
         [](const auto &row) {
             return std::accumulate(row.begin(), row.end(), HUGE_VAL, [](double a, double b) {
                 return a < b || std::isnan(a) ? a : b;
             });
         }},
        {"ReduceL1",
         [](const auto &row) {
             return std::accumulate(row.begin(), row.end(), 0.0,
                                    [](double a, double b) { return a + std::fabs(b); });
         }},
        {"ReduceL2", [](const auto &row) { return std::sqrt(sum_of_squares(row)); }},
        {"ReduceSumSquare", sum_of_squares},
        {"ReduceLogSum", [](const auto &row) { return std::log(sum(row)); }},
        {"ReduceLogSumExp", log_sum_exp},
    };
    return table;
}

/// Modulo 2^64: signed overflow is undefined in C++.
template<typename Step>
int64_t wrapping(const Row<int64_t> &row, uint64_t first, Step step) {
    for (const int64_t element : row) first = step(first, static_cast<uint64_t>(element));
    return static_cast<int64_t>(first);
}

int64_t wrapping_sum(const Row<int64_t> &row) {
    return wrapping(row, 0, std::plus<>());
}

const Table<int64_t> &integer_reductions() {
    static const Table<int64_t> table{
        {"ReduceSum", wrapping_sum},
        {"ReduceMean",
         [](const auto &row) { return wrapping_sum(row) / static_cast<int64_t>(row.size()); }},
        {"ReduceProd", [](const auto &row) { return wrapping(row, 1, std::multiplies<>()); }},
        {"ReduceMax", [](const auto &row) { return *std::max_element(row.begin(), row.end()); }},
        {"ReduceMin", [](const auto &row) { return *std::min_element(row.begin(), row.end()); }},
        {"ReduceL1",
         [](const auto &row) {
             return wrapping(row, 0, [](uint64_t a, uint64_t b) {
                 return static_cast<int64_t>(b) < 0 ? a - b : a + b;
             });
         }},
        {"ReduceSumSquare",
         [](const auto &row) {
             return wrapping(row, 0, [](uint64_t a, uint64_t b) { return a + b * b; });
         }},
    };
    return table;
}

/// Whether the reduction of no elements has a value in every type.
bool has_neutral(const std::string &op) {
    return op == "ReduceSum" || op == "ReduceProd" || op == "ReduceL1" || op == "ReduceL2" ||
           op == "ReduceSumSquare";
}

/// What `axes` leave of `shape`, and then `axes`.
std::vector<int64_t> reduced_last(const Shape &shape, const std::vector<int64_t> &axes) {
    std::vector<int64_t> order;
    for (int64_t i = 0; i < static_cast<int64_t>(shape.size()); ++i) {
        if (std::count(axes.begin(), axes.end(), i) == 0) order.push_back(i);
    }
    order.insert(order.end(), axes.begin(), axes.end());
    return order;
}

template<typename A, typename T>
void reduce_rows(Reduction<A> reduction, const std::vector<T> &elements, std::vector<T> &results) {
    const size_t terms = results.empty() ? 0 : elements.size() / results.size();
    Row<A> row(terms);
    auto next = elements.begin();
    for (T &result : results) {
        for (A &term : row) term = convert<A>(*next++);
        if constexpr (std::is_same_v<T, Half>) {
            result = Half(convert<float>(reduction(row)));
        } else {
            result = convert<T>(reduction(row));
        }
    }
}

template<typename A>
Reduction<A> find(const Table<A> &table, const std::string &op) {
    const auto found = table.find(op);
    return found == table.end() ? nullptr : found->second;
}

}  // namespace

std::optional<Constant> reduce(const std::string &op, const Constant &x,
                               const std::vector<int64_t> &axes, const Shape &shape) {
    const bool of_order = op == "ReduceMax" || op == "ReduceMin";
    if ((x.type() == ElementType::kBool && !of_order) ||
        (element_count(x.shape) == 0 && element_count(shape) != 0 && !has_neutral(op))) {
        return std::nullopt;
    }
    const Constant rows = transpose(x, reduced_last(x.shape, axes));
    Constant result = Constant::zeros(x.type(), shape);
    const bool known = rows.visit([&](const auto &elements) {
        using T = ElementOf<decltype(elements)>;
        using A = std::conditional_t<kIsFloating<T>, double, int64_t>;
        Reduction<A> reduction = nullptr;
        if constexpr (kIsFloating<T>) {
            reduction = find(floating_reductions(), op);
        } else {
            reduction = find(integer_reductions(), op);
        }
        if (reduction != nullptr) reduce_rows(reduction, elements, result.values<T>());
        return reduction != nullptr;
    });
    return known ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace sepconv
