// The parts of a batch behind the first one (batch_parts.h).
#pragma once

#include <cstdint>
#include <vector>

#include "sim/compiler/compile.h"
#include "sim/compiler/lower.h"

namespace qsim {

/// Adds to the program's nests, those of the first part, the same for the other parts: under rows of their
/// own, with each graph input and output `part_strides` (by storage; 0: at the same place) further on in
/// DRAM.
void repeat_for_parts(const Graph& graph, const std::vector<LoweredRow>& lowered,
                      const std::vector<std::int64_t>& part_strides, CompiledProgram& out);

/// Lets the weights of each part wait until the part before has retired: then each takes the time of the
/// first.
void hold_weights_between_parts(Program& program);

}  // namespace qsim
