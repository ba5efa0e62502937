// Why a network does not fit a chip's buffers, layer by layer, and the least that would do.
#pragma once

#include <cstddef>
#include <vector>

#include "base/error.h"
#include "hw_models/hardware_config.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapping_memo.h"
#include "sim/compiler/schedule.h"

namespace qsim {

/// A row and what it lacks.
struct RowMisfit {
  std::size_t row = 0;
  Problem problem;  ///< No file and place: the caller knows the node.
};

struct Misfits {
  std::vector<RowMisfit> rows;  ///< In the order of the rows.
  /// The chip with each field that a row lacks raised to the value that the problems name: the least with
  /// which all rows fit (and that the rules of the hardware file allow).
  HardwareConfig mended;
};

/// For a network that make_plan() has no plan for. A problem's `expected` has the least value that this row
/// needs, its `hint` the least for the network. Rows without nests are left out.
[[nodiscard]] Misfits find_misfits(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                                   const HardwareConfig& hardware, MappingMemo& mapper);

}  // namespace qsim
