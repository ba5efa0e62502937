// What the tensors of a float graph hold while it runs on calibration inputs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "quantization/range_setting.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Inputs to set ranges with.
struct CalibrationData {
  std::int64_t count = 0;
  /// Values of the graph's inputs, in their order, for item 0 to count - 1; the same at every call.
  std::function<std::vector<TensorData>(std::int64_t item)> inputs;
  std::string description;  ///< "200 images of cifar10:data_batch_1.bin"; ends up in the provenance.
  Range input_range = {};   ///< Where there are none (`count` 0): what every input of the network holds.
};

/// Least value of each channel (the last dimension) of some of the graph's tensors, in their order.
[[nodiscard]] std::vector<std::vector<float>> channel_minima(const Graph& graph,
                                                             const std::vector<TensorId>& tensors,
                                                             const CalibrationData& data, int threads);

/// Observed values of every float tensor that the graph computes or takes as input, by tensor id; of others
/// nothing. `with_spread`: a second run over the same inputs, for ranges that depend on more than limits. Of
/// `logits` whole rows are kept as well.
[[nodiscard]] std::vector<ObservedValues> observe(const Graph& graph, const CalibrationData& data,
                                                  bool with_spread, int threads, TensorId logits = kNoTensor);

}  // namespace qsim
