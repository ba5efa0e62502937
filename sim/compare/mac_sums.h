// Sums of a node on the MAC array, exact or as a kernel that loses bits would have them, written for
// comparing and apart from the fast kernels.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

enum class PairSum {
  exact,
  /// Two neighbouring products of unsigned 8-bit activations and signed 8-bit weights are added with
  /// saturation to 16 bits before they reach the accumulator: VPMADDUBSW of x86, which kernels use where the
  /// processor lacks VNNI. Signed activations enter it as x + 128.
  saturated_to_16_bits,
};

/// True where `saturated_to_16_bits` is defined: operands of at most 8 bits, signed weights.
[[nodiscard]] bool has_saturated_pairs(const Graph& graph, const Node& node);

/// sum_k (x - z_x)(w - z_w) of every output element, in the output's order (channels last), without the bias.
/// The reduction runs over kernel rows, kernel columns, channels of the group; pairs are taken in that order.
/// `x` is the first input's value.
[[nodiscard]] std::vector<std::int64_t> mac_sums(const Graph& graph, const Node& node, const TensorData& x,
                                                 PairSum pairs);

/// The bias of an output channel; 0 without one.
[[nodiscard]] std::int64_t bias_of(const Graph& graph, const Node& node, std::int64_t channel);

}  // namespace qsim
