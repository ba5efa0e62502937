// The run as a trace that Perfetto (ui.perfetto.dev) and speedscope open.
#pragma once

#include <string>

#include "sim/report/summary.h"
#include "sim/result.h"

namespace qsim {

/// Chrome's trace format (an object with "traceEvents"): complete events ("X") on one track a unit, named by
/// layer and state; on the track "cycles" what each cycle of the run counts as; counters ("C") of DRAM
/// bandwidth, of the bytes of tiles in the buffers, and of `power` where it is made. Times are cycles, which
/// viewers show as microseconds.
[[nodiscard]] std::string trace_json(const RunResult& result, const PowerProfile& power = {});

}  // namespace qsim
