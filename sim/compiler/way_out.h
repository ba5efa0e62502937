// Rows of the vector unit that a product's outputs may go through on their way out of the requantizer.
#pragma once

#include <cstddef>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/schedule.h"

namespace qsim {

/// A product, and how many of the rows behind it run on its way out: rows product + 1 .. product + length.
struct WayOut {
  std::size_t product = 0;
  std::size_t length = 0;
  bool pools = false;  ///< The last of them takes windows.

  /// The first `rows` of it.
  [[nodiscard]] WayOut shortened(std::size_t rows) const { return {product, rows, pools && rows == length}; }

  friend bool operator==(const WayOut&, const WayOut&) = default;
};

/// The longest ways out that the machine has, by product. Each row on one follows the row before it and is
/// all that reads what that row makes, which is no output of the graph. With `requantizer.fused_add` rows
/// work element by element, without broadcasting: functions of one element, and one addition, whose other
/// operand is there before the product begins. With `fused_pool` the last one may take maxima or averages of
/// integers over windows of rows and columns.
[[nodiscard]] std::vector<WayOut> find_ways_out(const Schedule& schedule,
                                                const std::vector<LoweredRow>& lowered,
                                                const HardwareConfig& hardware);

/// What is planned in place of the rows as they were: a product has the operations of its way out and writes
/// what the last one gives, and their rows have no problems of their own. An addend is the last of a
/// product's inputs.
struct JoinedRows {
  Schedule schedule;
  std::vector<LoweredRow> lowered;
};
[[nodiscard]] JoinedRows join_rows(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                                   const std::vector<WayOut>& ways_out);

}  // namespace qsim
