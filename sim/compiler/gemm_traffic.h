// What a tiling of a matrix product or convolution moves to and from DRAM.
#pragma once

#include "hw_models/core/nest_cursor.h"
#include "hw_models/gemm.h"
#include "hw_models/hardware_config.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/mapping_cost.h"

namespace qsim {

/// The channels of a row: what loads and stores move, how often, and through how many slots. `cursor` is of
/// problem and mapping.
[[nodiscard]] RowCost gemm_traffic(const GemmProblem& problem, const GemmMapping& mapping,
                                   const GemmCursor& cursor, const HardwareConfig& hardware,
                                   const MappingLimits& limits);

}  // namespace qsim
