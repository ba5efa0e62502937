// Chooses between mappings of rows by what comes before and behind them.
#pragma once

#include <optional>
#include <vector>

#include "sim/compiler/objective.h"
#include "sim/compiler/row_mapper.h"

namespace qsim {

/// Each row alone was mapped as if the rows before left it some time of the bus for its weights. What they
/// leave, and what it leaves to the rows behind, is known once all are mapped (RowSequence): each row takes
/// the rival that costs the least there, together with the rows that follow next. False where none does.
bool choose_in_sequence(std::vector<std::optional<RowMapping>>& rows, const CostMeasure& measure);

}  // namespace qsim
