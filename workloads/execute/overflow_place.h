// Where the accumulators of a layer overflow first, found again with plain loops.
#pragma once

#include <optional>

#include "workloads/execute/execute.h"
#include "workloads/ops/run.h"

namespace qsim {

/// The first update that does not fit, pixel by pixel, in each channel by channel; none where all fit. Plain
/// loops: as slow as the layer is long until it is found. `node` is on the MAC array; `inputs` are its
/// operands.
[[nodiscard]] std::optional<arithmetic::OverflowPlace> first_overflow(const Graph& graph, const Node& node,
                                                                      const MacContext& context,
                                                                      const Operands& inputs);

}  // namespace qsim
