// SCALE-Sim topology files as networks.
//
// Such a file has shapes and nothing else, and its layers do not read each other's results. The graph has an
// input, generated int8 weights (seed 1, as in workloads of JSON) and an output for every layer, so that the
// layers compute one after the other; what a last window lacks of the ifmap is zero padding at the bottom and
// right. Scales are such that outputs have a standard deviation of 32 steps where inputs are uniform.
#pragma once

#include <string>

#include "workloads/graph/graph.h"

namespace qsim {

struct WorkloadFormat;

/// Throws InputError with all problems of the file, each with its line.
[[nodiscard]] Graph read_scalesim(const std::string& path);

/// Its row of workload_format.h.
[[nodiscard]] const WorkloadFormat& scalesim_workload_format();

}  // namespace qsim
