// Ranges of weights by what the layer then computes (SeqMSE): white paper digest, section 6.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "quantization/paired_run.h"
#include "quantization/quantize_weights.h"

namespace qsim {

/// Of one layer: what it reads, and what it is to compute.
struct OutputSamples {
  std::int64_t count = 0;
  /// Of each of its groups (of convolution) [depth][count]: operands of the quantized network.
  std::vector<std::vector<float>> inputs = {};
  /// [out_channels][count]: outputs of the float layer on float operands, without bias and activation.
  std::vector<std::vector<float>> targets = {};
};

/// Integers of the weights where the range of each slice (all weights, an output channel, a group) is k / 20
/// of its limits, k from 1 to 20, so that the output error is least:
///
///   sum over channels n and samples of (w^[n] x^ - y[n])^2
///
/// of equals the greatest k. Slices of a channel (groups) are searched one after the other with the others as
/// they are, until none moves.
[[nodiscard]] Tensor quantize_for_outputs(const Tensor& weights, const Tensor* bias, float input_scale,
                                          const WeightFormat& format, const OutputSamples& samples,
                                          int threads);

struct OutputRangeOptions {
  std::function<WeightFormat(const Node& layer)> format;
  std::uint64_t seed = 1;  ///< Of the samples.
  int threads = 1;         ///< Shows in no result.
};

/// Layer after layer, each on what those before make once they are quantized. At most 4,096 output pixels a
/// layer. Weights of one bit and transposed convolutions keep their integers. Returns the errors by node.
std::vector<NodeError> set_ranges_by_outputs(const Graph& graph, Quantizers& quantizers,
                                             const CalibrationData& data, std::int64_t inputs,
                                             const OutputRangeOptions& options);

}  // namespace qsim
