// The network as the arguments ask for it.
#pragma once

#include "sim/cli/network_options.h"
#include "sim/cli/shipped_files.h"
#include "workloads/graph/graph.h"
#include "workloads/readers/load.h"

namespace qsim::cli {

/// The shapes of --shape, each as "NAME=1,3,224,224". Throws InputError.
[[nodiscard]] InputShapes parse_shapes(const std::vector<std::string>& arguments);

/// Read, brought to other bit widths (a float network: quantized), cut, batched and valid. Throws InputError.
/// Of `arrays` those are read that an ONNX model needs as constants.
[[nodiscard]] Graph prepare_graph(const NetworkOptions& options, const ShippedFiles& files,
                                  const InputArrays& arrays = {});

}  // namespace qsim::cli
