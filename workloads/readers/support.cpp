#include "workloads/readers/support.h"

#include <algorithm>
#include <set>
#include <utility>

#include "workloads/graph/graph_check.h"
#include "workloads/readers/support_parts.h"

namespace qsim {
namespace {

bool touches(const Node& node, const std::set<TensorId>& tensors) {
  const auto is_one = [&](TensorId id) { return tensors.count(id) != 0; };
  return std::ranges::any_of(node.inputs, is_one) || std::ranges::any_of(node.outputs, is_one);
}

/// Where a node of the graph came from.
struct Origin {
  std::size_t entry;    ///< Index in the survey's nodes; their number where it is none of them.
  bool is_own = false;  ///< It computes what the entry computes; others prepare operands.
};

/// The graph of the nodes that nothing is known against, and the survey's entry of each.
class GraphCut {
 public:
  GraphCut(WorkloadSurvey& survey, Graph graph) : survey_(survey), graph_(std::move(graph)) {
    origins_.resize(graph_.nodes.size(), {survey.nodes.size()});
    for (std::size_t i = 0; i < survey.nodes.size(); ++i) {
      if (survey.nodes[i].graph_node) origins_[*survey.nodes[i].graph_node] = {i, true};
      for (const std::size_t inserted : survey.nodes[i].inserted_nodes) origins_[inserted] = {i, false};
    }
  }

  /// Cuts out nodes with problems or with tensors of which too little is known.
  void cut_incomplete(const std::set<TensorId>& unknown) {
    std::vector<bool> keeps(graph_.nodes.size());
    for (std::size_t n = 0; n < keeps.size(); ++n) {
      const bool has_problems = origins_[n].entry == survey_.nodes.size() || !entry(n).problems.empty();
      const bool is_hidden = touches(graph_.nodes[n], unknown);
      if (!has_problems && is_hidden) {
        entry(n).remarks.emplace_back(
            "checked as far as its tensors are known; a problem elsewhere hides their shapes or values");
      }
      keeps[n] = !has_problems && !is_hidden;
    }
    const bool has_gaps =
        !survey_.problems.empty() || std::ranges::count(keeps, false) > 0 ||
        std::ranges::any_of(survey_.nodes, [](const auto& node) { return !node.problems.empty(); });
    if (has_gaps) cut(keeps);
  }

  /// Adds validate()'s problems to the nodes that they stop, and cuts those out, until it finds none.
  void cut_invalid() {
    while (true) {
      std::vector<bool> keeps(graph_.nodes.size(), true);
      for (GraphProblem& found : find_graph_problems(graph_)) {
        for (const std::size_t n : found.nodes) {
          keeps[n] = false;
          entry(n).problems.push_back(found.problem);
        }
        // Of a graph with gaps the wiring as a whole says nothing.
        if (found.nodes.empty() && !is_cut_) survey_.problems.push_back(std::move(found.problem));
      }
      if (std::ranges::count(keeps, false) == 0) break;
      cut(keeps);
    }
    if (!survey_.problems.empty() && !is_cut_) cut(std::vector<bool>(graph_.nodes.size(), true));
  }

  /// Hands the graph over and notes where its nodes are.
  void finish() {
    for (NodeSupport& node : survey_.nodes) {
      node.graph_node.reset();
      node.inserted_nodes.clear();
    }
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      NodeSupport& support = entry(n);
      const bool is_own = origins_[n].is_own || !support.graph_node;
      if (is_own && support.graph_node) support.inserted_nodes.push_back(*support.graph_node);
      is_own ? static_cast<void>(support.graph_node = n) : support.inserted_nodes.push_back(n);
    }
    survey_.graph = std::move(graph_);
  }

 private:
  NodeSupport& entry(std::size_t n) { return survey_.nodes[origins_[n].entry]; }

  /// Keeps some nodes alone. Tensors keep their ids; what the others computed becomes an input, and what no
  /// node that is left reads an output.
  void cut(const std::vector<bool>& keeps) {
    std::vector<Node> nodes;
    std::vector<Origin> origins;
    std::set<TensorId> made;
    std::set<TensorId> read;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!keeps[n]) continue;
      origins.push_back(origins_[n]);
      nodes.push_back(std::move(graph_.nodes[n]));
      made.insert(nodes.back().outputs.begin(), nodes.back().outputs.end());
      read.insert(nodes.back().inputs.begin(), nodes.back().inputs.end());
    }
    read.erase(kNoTensor);
    graph_.nodes = std::move(nodes);
    origins_ = std::move(origins);
    is_cut_ = true;
    graph_.inputs.clear();
    for (const TensorId id : read) {
      if (made.count(id) == 0 && !graph_.tensor(id).is_constant()) graph_.inputs.push_back(id);
    }
    const std::set<TensorId> declared(graph_.outputs.begin(), graph_.outputs.end());
    graph_.outputs.clear();
    for (const TensorId id : made) {
      if (declared.count(id) != 0 || read.count(id) == 0) graph_.outputs.push_back(id);
    }
  }

  WorkloadSurvey& survey_;
  Graph graph_;
  std::vector<Origin> origins_;  ///< By node of the graph.
  bool is_cut_ = false;
};

}  // namespace

bool WorkloadSurvey::is_supported() const {
  return problems.empty() && std::ranges::none_of(nodes, [](const NodeSupport& node) {
           return node.status == NodeStatus::unsupported;
         });
}

void finish_survey(WorkloadSurvey& survey, Graph graph, const std::vector<TensorId>& unknown) {
  GraphCut cut(survey, std::move(graph));
  cut.cut_incomplete({unknown.begin(), unknown.end()});
  cut.cut_invalid();
  cut.finish();
  for (NodeSupport& node : survey.nodes) {
    if (!node.problems.empty()) node.status = NodeStatus::unsupported;
  }
}

}  // namespace qsim
