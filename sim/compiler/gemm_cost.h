// What a tiling of a matrix product or convolution costs.
#pragma once

#include "hw_models/gemm.h"
#include "hw_models/hardware_config.h"
#include "sim/compiler/energy_rates.h"
#include "sim/compiler/mapping.h"

namespace qsim {

/// With P tiles of pixels and T column tiles, each load and store as often as the loop order asks for:
///
///   occupied_cycles = P * T * cycles of a column tile (gemm_cost.cpp, by dataflow)
///   exposed_bytes   = first input tile (with one slot: all input tiles) + first weights + last output
/// With `rates` also its energy.
[[nodiscard]] MappingCost gemm_cost(const GemmProblem& problem, const GemmMapping& mapping,
                                    const HardwareConfig& hardware, const MappingLimits& limits,
                                    const EventRates* rates = nullptr);

}  // namespace qsim
