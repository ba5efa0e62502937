// When the cycles of one pass of the MAC array fall: closed forms (docs/timing.md draws them).
#pragma once

#include <cstdint>

#include "hw_models/core/commands.h"
#include "hw_models/core/operand_reads.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// Relative to the cycle in which the first step of the stream enters. Two steps lie as many cycles apart as
/// a multiplier needs for one product, or more where the read ports take longer for the step before, or the
/// accumulators for its sums.
struct PassTiming : PassCycles {
  /// Filling the PEs with what stays: a line a cycle (DataflowModel::lines, edge tiles too), or slower where
  /// the read port is. 0 where sums stay.
  std::int64_t load_cycles = 0;
  BufferRead weights, activations;  ///< What the pass reads by address.
  /// Of the stream, that the ports of each buffer need.
  std::int64_t weight_port_cycles = 0, activation_port_cycles = 0;
};

/// What a pass takes with ports that are never slower than the array; anything longer is waiting for ports.
struct PortlessCycles {
  std::int64_t load_cycles = 0;      ///< Filling the PEs: a line a cycle.
  std::int64_t step_cycles = 0;      ///< From a step to the next one, or to the next pass.
  std::int64_t last_step_cycle = 0;  ///< From the first step to the last one.
};
[[nodiscard]] PortlessCycles portless_cycles(const MacArrayConfig& array, const MacTile& tile,
                                             std::int64_t update_cycles);

[[nodiscard]] PassTiming pass_timing(const MacArrayConfig& array, const MacTile& tile,
                                     const ArrayPorts& ports);

}  // namespace qsim
