// Which tensors share a grid, and which grid each gets: white paper, section 2.3.
#pragma once

#include <optional>
#include <vector>

#include "quantization/calibrate.h"
#include "workloads/graph/graph.h"
#include "workloads/graph/scheme.h"

namespace qsim {

/// The grid of every activation of a float graph, by tensor id. Of tensors that share a grid the widest
/// scheme.
[[nodiscard]] std::vector<std::optional<Quantization>> plan_grids(const Graph& graph,
                                                                  const std::vector<ObservedValues>& observed,
                                                                  const Scheme& scheme,
                                                                  const RangeRule& ranges);

}  // namespace qsim
