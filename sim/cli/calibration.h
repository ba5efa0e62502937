// Calibration inputs as the arguments ask for them.
#pragma once

#include "quantization/calibrate.h"
#include "sim/cli/network_options.h"
#include "sim/cli/shipped_files.h"
#include "workloads/graph/graph.h"

namespace qsim::cli {

/// Without inputs: what the network's input holds by the preprocessing, pixels from 0 to 255 before it.
[[nodiscard]] CalibrationData no_calibration(const CalibrationOptions& options, const ShippedFiles& files);

/// Inputs to set the ranges of a float graph with: images of a data set (FORMAT:PATH, with the
/// preprocessing), FILE.npy (one input, or several one behind the other), a folder of such files, or without
/// an argument seeded ones, which a quantized graph has too. Throws InputError where they do not fit the
/// graph's only input.
[[nodiscard]] CalibrationData make_calibration(const Graph& graph, const CalibrationOptions& options,
                                               const ShippedFiles& files);

}  // namespace qsim::cli
