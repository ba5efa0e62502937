#include "workloads/graph/chip_support.h"

#include "base/error.h"
#include "workloads/ops/definition.h"

namespace qsim {

std::string chip_obstacle(const Graph& graph, const Node& node) {
  const OpDefinition& row = definition(node.op);
  if (row.obstacle == nullptr || is_float_node(graph, node)) return "";  // The host computes float nodes.
  return row.obstacle(graph, node);
}

void require_chip_support(const Graph& graph, const Node& node) {
  const std::string obstacle = chip_obstacle(graph, node);
  if (obstacle.empty()) return;
  throw InputError({graph.source, node.place + " \"" + node.name + "\"",
                    std::string(op_name(graph, node)) + ": " + obstacle,
                    "an operation that the chip computes",
                    "quantize the operation, or run the network up to it with --until"});
}

}  // namespace qsim
