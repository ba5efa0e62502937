// Weights of a node on the MAC array in the order in which its reduction runs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "workloads/graph/conv_geometry.h"
#include "workloads/graph/tensor.h"

namespace qsim {

/// Values [out_channel][kh][kw][each of a tap] in the order of the geometry: a transposed kernel is turned.
template <typename Value>
[[nodiscard]] std::vector<Value> taps_turned(std::vector<Value> values, const ConvGeometry& g,
                                             std::int64_t each) {
  if (!g.is_turned) return values;
  for (auto kernel = values.begin(); kernel != values.end(); kernel += g.kernel_h * g.kernel_w * each) {
    const auto end = kernel + g.kernel_h * g.kernel_w * each;
    std::reverse(kernel, end);
    for (auto tap = kernel; tap != end; tap += each) std::reverse(tap, tap + each);
  }
  return values;
}

/// Weights [out_channel][kh][kw][channel] as rows of `g.depth()`: a transposed kernel turned, and, where
/// `part_channels` is not 0, the taps of one part's channels after those of the other (MacContext). Where
/// groups have multipliers the weights are multiplied by them: m * sum(w x) = sum((m w) x), so that the
/// accumulators see the same sums.
[[nodiscard]] std::vector<std::int32_t> weights_in_order(const Tensor& weights, const ConvGeometry& g,
                                                         std::int64_t part_channels);

/// Which tap (kh * kernel_w + kw) each step of the reduction takes, in the same order.
[[nodiscard]] std::vector<std::int64_t> taps_in_order(const ConvGeometry& g, std::int64_t part_channels);

/// One matrix of a product's second operand, [depth][columns] or, `transposed`, [columns][depth], as weights
/// [columns][depth].
[[nodiscard]] std::vector<std::int32_t> matrix_weights(const TensorData& operand, std::int64_t matrix,
                                                       std::int64_t depth, std::int64_t columns,
                                                       bool transposed);

}  // namespace qsim
