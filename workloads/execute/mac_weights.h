// Weights of a node on the MAC array in the order in which its reduction runs.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/graph/conv_geometry.h"
#include "workloads/graph/tensor.h"

namespace qsim {

/// Weights [out_channel][kh][kw][channel] as rows of `g.depth()`: a transposed kernel turned, and, where
/// `part_channels` is not 0, the taps of one part's channels after those of the other (MacContext).
[[nodiscard]] std::vector<std::int32_t> weights_in_order(const TensorData& weights, const ConvGeometry& g,
                                                         std::int64_t part_channels);

/// Which tap (kh * kernel_w + kw) each step of the reduction takes, in the same order.
[[nodiscard]] std::vector<std::int64_t> taps_in_order(const ConvGeometry& g, std::int64_t part_channels);

/// One matrix of a product's second operand, [depth][columns] or, `transposed`, [columns][depth], as weights
/// [columns][depth].
[[nodiscard]] std::vector<std::int32_t> matrix_weights(const TensorData& operand, std::int64_t matrix,
                                                       std::int64_t depth, std::int64_t columns,
                                                       bool transposed);

}  // namespace qsim
