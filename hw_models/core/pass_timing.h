// When the cycles of one pass of the MAC array fall: closed forms (docs/timing.md draws them).
#pragma once

#include <cstdint>

#include "hw_models/core/commands.h"
#include "hw_models/core/operand_reads.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// Relative to the cycle in which the first step of the stream enters. S steps enter, each `interval` cycles
/// after the one before: the cycles that a multiplier needs for one product (MacArrayConfig::cycles_per_mac),
/// or more where the read ports take longer for the step before, or the accumulators for its sums. Where
/// reads take what their addresses take, intervals differ, and s*interval below stands for the sum of the
/// first s.
///
/// A systolic array of R x C PEs, r x c of them in use:
///
///   step s reaches PE (i, j) at s*interval + i + j
///   the last useful MAC is over after (S-1)*interval + (product - 1) + r + c - 1 cycles
///   the last sum has left the array after (S-1)*interval + (product - 1) + R + C - 1 cycles: an edge tile
///     drains through the whole array
///
/// Where sums stay in the PEs, those of column j finish row by row, one a cycle, and go to the accumulators
/// over the column's bus, one every `update` cycles (AccumulatorConfig::update_cycles): the last
/// of E pixels is there after (S-1)*interval + product + (E-1)*update + c - 1 cycles, if that is later (of G
/// groups side by side (G-1)*E later).
///
/// A dot-product array has no skew: a step reaches all PEs in the cycle in which it enters, and its sums are
/// in the accumulators `tree` cycles after their last product (MacArrayConfig::tree_cycles).
struct PassTiming {
  std::int64_t stream_cycles = 0;    ///< S * interval: the next pass may enter.
  std::int64_t last_step_cycle = 0;  ///< (S-1) * interval: the last step enters.
  std::int64_t compute_cycles = 0;   ///< Until the last useful MAC is over.
  std::int64_t drain_cycles = 0;     ///< Until the last sum is in the accumulators.
  /// Filling the PEs with what stays: a row of a systolic array a cycle, a column of a dot-product array a
  /// cycle (R or C cycles, edge tiles too), or slower where the read port is. 0 where outputs stay.
  std::int64_t load_cycles = 0;
  /// Where outputs stay the next pass waits until its sums do not meet those of this one. The columns of
  /// group g give sums in [first_sum_cycle + g * group_cycles, the same + bus_cycles), all shifted by the
  /// column in a systolic array and by the tree in a dot-product array:
  ///
  ///   systolic      first sum after the last product of the first PE, bus_cycles = E*update, group_cycles =
  ///                 E: a group's rows come after those of the groups before, and go over other buses
  ///   dot_product   sums with the last chunk of each pixel, bus_cycles = last sum + update - first sum
  std::int64_t first_sum_cycle = 0, bus_cycles = 0, group_cycles = 0;
  BufferRead weights, activations;  ///< What the pass reads by address.
};

/// Least cycles between two steps: of the multipliers and the accumulators.
[[nodiscard]] std::int64_t step_cycles(const MacArrayConfig& array, const MacTile& tile,
                                       const ArrayPorts& ports);

[[nodiscard]] PassTiming pass_timing(const MacArrayConfig& array, const MacTile& tile,
                                     const ArrayPorts& ports);

}  // namespace qsim
