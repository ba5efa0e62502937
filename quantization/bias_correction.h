// Bias correction: white paper, section 3.3.
#pragma once

#include <vector>

#include "quantization/paired_run.h"

namespace qsim {

/// Takes from each bias what quantization shifts its channel's mean by, layer after layer, with all layers
/// before quantized and corrected:
///
///   b'[n] = b[n] - (E[y^[n]] - E[y[n]])
///
/// over all inputs and positions, before the fused activation. Layers without a bias get one. Returns the
/// errors by node after it.
std::vector<NodeError> correct_biases(Graph& graph, const Quantizers& quantizers, const CalibrationData& data,
                                      std::int64_t inputs, int threads);

}  // namespace qsim
