#include "workloads/graph/conv_geometry.h"

#include <stdexcept>

#include "workloads/ops/definition.h"

namespace qsim {

ConvGeometry conv_geometry(const Graph& graph, const Node& node) {
  const OpDefinition& row = definition(node.op);
  if (row.geometry == nullptr) throw std::logic_error("conv_geometry: node does not run on the MAC array");
  return row.geometry(graph, node);
}

}  // namespace qsim
