// Bias correction: white paper, section 3.3.
#pragma once

#include <vector>

#include "quantization/channel_model.h"
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

/// The same without data, from what the channels of the layers' inputs hold (`models`, by tensor):
///
///   b'[n] = b[n] - sum_k (W^[n][k] - W[n][k]) E[x[k]]
///
/// over the taps k, depthwise ones too, a padded tap 0 (tap_means()). Layers whose inputs have no means keep
/// their biases. Returns how many were corrected.
int correct_biases(Graph& graph, const Quantizers& quantizers,
                   const std::vector<std::optional<ChannelModel>>& models);

}  // namespace qsim
