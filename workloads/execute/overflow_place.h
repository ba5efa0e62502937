// Where the accumulators of a layer overflow first.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "workloads/execute/execute.h"
#include "workloads/ops/run.h"

namespace qsim {

struct OverflowPlace {
  std::int64_t channel = 0;  ///< Output channel.
  std::vector<std::int64_t>
      position;             ///< In the output's other dimensions: of an image its number, row, column.
  std::int64_t update = 0;  ///< 0: the preload; then the chunks of the reduction, from 1.
  std::int64_t value = 0;   ///< What did not fit.
};

/// The first update that does not fit, pixel by pixel, in each channel by channel; none where all fit. Plain
/// loops: as slow as the layer is long until it is found. `node` is on the MAC array; `inputs` are its
/// operands.
[[nodiscard]] std::optional<OverflowPlace> first_overflow(const Graph& graph, const Node& node,
                                                          const MacContext& context, const Operands& inputs);

}  // namespace qsim
