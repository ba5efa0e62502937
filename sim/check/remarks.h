// What is worth knowing of a layer on a chip though it keeps nothing from running.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/schedule.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Multiplier cycles of wide operands, accumulators that could overflow, rounding that is not the model's
/// own. Nothing for rows of the vector unit.
[[nodiscard]] std::vector<std::string> remarks_of_row(const Graph& graph, const Schedule& schedule,
                                                      std::size_t row, const HardwareConfig& hardware);

}  // namespace qsim
