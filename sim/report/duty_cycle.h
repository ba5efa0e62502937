// Energy at so many inferences a second: what a run takes, and what the chip takes while it waits.
#pragma once

#include <cstdint>

#include "sim/report/summary.h"

namespace qsim {

/// Adds the duty cycle at `rate` inferences a second (`batch` of them in a run), and the terms of idle
/// cycles. Of several inferences the last one is the run. Throws InputError where the chip does not reach the
/// rate.
void add_duty_cycle(RunSummary& summary, const RunResult& result, const EnergyModel& model,
                    std::int64_t batch, double rate);

}  // namespace qsim
