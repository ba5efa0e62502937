// The network as the arguments ask for it.
#pragma once

#include "sim/cli/network_options.h"
#include "sim/cli/shipped_files.h"
#include "workloads/graph.h"

namespace qsim::cli {

/// Read, brought to other bit widths, cut, batched and valid. Throws InputError.
[[nodiscard]] Graph prepare_graph(const NetworkOptions& options, const ShippedFiles& files);

}  // namespace qsim::cli
