// What a row counts, as it is estimated before anything is placed: for its energy.
#pragma once

#include "hw_models/activity.h"
#include "hw_models/core/nest_cursor.h"
#include "hw_models/gemm.h"
#include "hw_models/hardware_config.h"
#include "sim/compiler/mapping_cost.h"

namespace qsim {

/// Events of a product whose loads and stores are `traffic`; `cursor` is of problem and mapping. Tiles are
/// taken to be of average size where words of ports are rounded up.
[[nodiscard]] Activity gemm_events(const GemmProblem& problem, const GemmMapping& mapping,
                                   const GemmCursor& cursor, const HardwareConfig& hardware,
                                   const RowCost& traffic);

/// Adds those of loads and stores alone. Requests are counted as if runs were long: they cost a thousandth of
/// what their bytes do.
void add_transfer_events(Activity& events, const RowCost& traffic, const HardwareConfig& hardware);

}  // namespace qsim
