// The network that schemes are held against: the float one, or the quantized one as it was read.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/execute/execute.h"
#include "workloads/graph/graph.h"
#include "workloads/graph/quantize_value.h"

namespace qsim {

/// A value of input `from` of the reference as input `to` of a scheme's network: unchanged where both have
/// the same type and grid, else through the real values and quantize_value().
[[nodiscard]] TensorData input_value(const TensorData& value, const Tensor& from, const Tensor& to);

/// Computes a graph's outputs, input after input. Sums of integers are exact (64 bits), rounding is the
/// graph's own.
class ReferenceNetwork {
 public:
  /// `graph` is valid and outlives this.
  explicit ReferenceNetwork(const Graph& graph);
  /// The outputs in their order and in the model's layout; `inputs` in the order of graph.inputs.
  [[nodiscard]] std::vector<std::vector<float>> run(const std::vector<TensorData>& inputs);

 private:
  const Graph& graph_;
  std::vector<std::size_t> last_reader_;  ///< By tensor.
  Executor executor_;
};

/// Elements of each output.
[[nodiscard]] std::vector<std::int64_t> output_sizes(const Graph& graph);

/// Sums of squares of an output over inputs, and what they say.
struct OutputError {
  double signal = 0.0;  ///< sum r^2 of the reference r
  double noise = 0.0;   ///< sum (r - y)^2
};
/// In decibels, 10 log10(signal / noise); absent where there is no noise.
[[nodiscard]] std::optional<double> sqnr_db(const OutputError& error);

}  // namespace qsim
