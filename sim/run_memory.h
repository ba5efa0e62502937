// What a run takes in memory, reckoned before it is allocated.
#pragma once

#include "sim/compiler/compile.h"
#include "sim/simulate.h"

namespace qsim {

/// Values of a run (workloads/graph/graph_memory.h); with Values::tile they also lie in the modelled memories
/// and are collected from there, 8 bytes an element. Throws InputError above kMaxRunBytes.
void check_value_memory(const Graph& graph, const SimulateOptions& options);

/// What the simulator keeps about rows and nests, `options.inferences` times. Throws as above.
void check_record_memory(const Graph& graph, const CompiledProgram& compiled, const SimulateOptions& options);

}  // namespace qsim
