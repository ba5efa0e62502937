#include "sim/cli/truncate_graph.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json_reader.h"

namespace qsim::cli {

void truncate_graph(Graph& graph, const std::string& node) {
  const auto last = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                 [&](const Node& candidate) { return candidate.name == node; });
  if (last == graph.nodes.end()) {
    std::vector<std::string> names;
    for (const Node& candidate : graph.nodes) names.push_back(candidate.name);
    const std::string nearest = nearest_name(node, names);
    throw InputError(
        {"--until", "", '"' + node + '"', "the name of a node of " + graph.name,
         nearest.empty() ? "the rows of a report show the names" : "did you mean " + nearest + "?"});
  }
  graph.outputs = last->outputs;
  graph.nodes.erase(last + 1, graph.nodes.end());

  std::set<TensorId> needed(graph.outputs.begin(), graph.outputs.end());
  std::vector<Node> kept;
  std::reverse(graph.nodes.begin(), graph.nodes.end());
  for (Node& candidate : graph.nodes) {
    const bool is_needed = std::any_of(candidate.outputs.begin(), candidate.outputs.end(),
                                       [&](TensorId id) { return needed.contains(id); });
    if (!is_needed) continue;
    needed.insert(candidate.inputs.begin(), candidate.inputs.end());
    kept.push_back(std::move(candidate));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  std::erase_if(graph.inputs, [&](TensorId id) { return !needed.contains(id); });
}

}  // namespace qsim::cli
