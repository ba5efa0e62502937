// AdaRound over a network: white paper, section 3.4.
#pragma once

#include <cstdint>
#include <vector>

#include "quantization/method.h"
#include "quantization/paired_run.h"

namespace qsim {

struct AdaRoundOptions {
  int iterations = 2000;   ///< Steps a layer.
  std::uint64_t seed = 1;  ///< Samples and their order.
  int threads = 1;         ///< Shows in no result.
  RoundingTarget target = RoundingTarget::activation;
};

/// Chooses for each layer in turn which weights are rounded up (rounding_search.h): against what the float
/// layer makes of float inputs, behind its activation, from what the layers before make once they are
/// quantized; the options' target leaves out the latter two. The scales in `quantizers` stay; the integers of
/// its weights change by at most a step from nearest. Samples are output pixels of the inputs, at most 16,384
/// a layer and 2^26 numbers. Layers of one bit and transposed convolutions keep nearest. Returns the errors
/// by node after it.
std::vector<NodeError> round_adaptively(const Graph& graph, Quantizers& quantizers,
                                        const CalibrationData& data, std::int64_t inputs,
                                        const AdaRoundOptions& options);

}  // namespace qsim
