// Which tensors share a grid, and which grid each gets: white paper, section 2.3.
#pragma once

#include <optional>
#include <vector>

#include "quantization/quantize_graph.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Widths of nodes by name, default and check: throws InputError for a name of no node, with the nearest.
class NodeWidths {
 public:
  NodeWidths(const Graph& graph, const BitWidthOptions& options);

  [[nodiscard]] int weights(const Node& node) const;
  [[nodiscard]] int activations(const Node& node) const;
  [[nodiscard]] int inputs() const;  ///< Of graph inputs.

 private:
  const BitWidthOptions& options_;
};

/// The grid of every activation of a float graph, by tensor id.
[[nodiscard]] std::vector<std::optional<Quantization>> plan_grids(const Graph& graph,
                                                                  const std::vector<ObservedValues>& observed,
                                                                  const NodeWidths& widths,
                                                                  RangeMethod ranges);

}  // namespace qsim
