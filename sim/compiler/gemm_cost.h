// What a tiling of a matrix product or convolution costs.
#pragma once

#include "hw_models/gemm.h"
#include "hw_models/hardware_config.h"
#include "sim/compiler/energy_rates.h"
#include "sim/compiler/mapping.h"

namespace qsim {

/// The larger of what array, requantizer and accumulators (gemm_cycles.h), the memory (gemm_traffic.h) and
/// the turns of tiles in their slots take (RowCost), with what the row begins and ends with: the arrival of
/// its first operands, the draining of its last pass. docs/compiler.md says how each is derived. With `rates`
/// also its energy.
[[nodiscard]] MappingCost gemm_cost(const GemmProblem& problem, const GemmMapping& mapping,
                                    const HardwareConfig& hardware, const MappingLimits& limits,
                                    const EventRates* rates = nullptr);

}  // namespace qsim
