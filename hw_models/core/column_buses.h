// The buses that take sums which stay in the PEs to the accumulators.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hw_models/core/pass_timing.h"

namespace qsim {

/// Sums that stay leave one after the other over the bus of their column: short reductions wait until those
/// of the passes before have left, those of each group for the buses of its own columns. Passes in flight are
/// of one nest, whose groups have the same columns in each pass. Cycles of the run.
class ColumnBuses {
 public:
  /// The first cycle from `now` on in which a pass of `groups` may begin.
  [[nodiscard]] std::int64_t earliest_begin(std::int64_t now, std::int64_t groups, const PassTiming& pass) {
    free_from_.resize(std::max(free_from_.size(), static_cast<std::size_t>(groups)));
    std::int64_t begin = now;
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::int64_t first_sum = pass.first_sum_cycle + g * pass.group_cycles;
      begin = std::max(begin, free_from_[static_cast<std::size_t>(g)] - first_sum);
    }
    return begin;
  }

  /// The pass's last step has entered in cycle `last_step`; earliest_begin() was asked for it.
  void occupy(std::int64_t last_step, std::int64_t groups, const PassTiming& pass) {
    const std::int64_t first_sum = last_step - pass.last_step_cycle + pass.first_sum_cycle;
    for (std::int64_t g = 0; g < groups; ++g) {
      free_from_[static_cast<std::size_t>(g)] = first_sum + g * pass.group_cycles + pass.bus_cycles;
    }
  }

 private:
  std::vector<std::int64_t> free_from_;  ///< By group, the bus of its first column.
};

}  // namespace qsim
