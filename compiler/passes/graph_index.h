#ifndef SEPCONV_COMPILER_PASSES_GRAPH_INDEX_H_
#define SEPCONV_COMPILER_PASSES_GRAPH_INDEX_H_

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "compiler/graph.h"

namespace sepconv {

/// Who writes and reads each value of a graph, by index into its nodes. A snapshot.
class GraphIndex {
public:
    explicit GraphIndex(const Graph &graph);

    /// The node that produces the value, or -1.
    int producer(const std::string &value) const;
    /// The node that alone reads the value, once, if it is no output of the graph; or -1.
    int sole_reader(const std::string &value) const;
    /// Node inputs that read the value.
    size_t reads(const std::string &value) const { return readers(value).size(); }
    /// The nodes that read the value, one for each such input.
    const std::vector<int> &readers(const std::string &value) const;
    bool is_output(const std::string &value) const { return outputs_.count(value) != 0; }

private:
    std::unordered_map<std::string, int> producers_;
    std::unordered_map<std::string, std::vector<int>> readers_;
    std::unordered_set<std::string> outputs_;
};

/// `base`, or with underscores behind it a name that no value or constant has.
std::string unused_name(const Graph &graph, std::string base);

/// A constant's value if it has one element and is a float; else nothing.
const float *scalar_of(const Graph &graph, const std::string &value);

}  // namespace sepconv

#endif  // SEPCONV_COMPILER_PASSES_GRAPH_INDEX_H_
