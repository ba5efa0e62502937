// Closed accounting: sums that must hold in every run, whatever the chip and the network.
#pragma once

#include "sim/report/summary.h"
#include "sim/result.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Checks the run against itself and against the graph that ran. Throws std::logic_error that names each sum
/// which does not hold, with both sides: a violation is a bug of the simulator, never of its input.
void check_accounting(const RunResult& result, const RunSummary& summary, const Graph& graph);

}  // namespace qsim
