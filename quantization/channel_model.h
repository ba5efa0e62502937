// What the tensors of a float network hold, by what its batch norms say, without data: white paper, sections
// 3.1 to 3.3.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "quantization/affine.h"
#include "quantization/clipped_normal.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Deviations that a range reaches to either side of a mean.
inline constexpr double kNormDeviations = 6.0;

/// Of one tensor.
struct ChannelModel {
  /// By channel (the last dimension); empty where only the range is known (the network's input, what a
  /// maximum pooling makes).
  std::vector<Moments> channels = {};
  /// q_min = min_k (mean_k - 6 deviation_k), q_max = max_k (mean_k + 6 deviation_k) of the normal variables
  /// before the activation, cut at its limits.
  Range range = {};
};

/// By tensor id; nothing where nothing is known. `input`: what every graph input holds.
///
/// * A node with a distribution: normal channels, cut by the fused activation (clipped_normal()).
/// * A layer without one: mean W E[x] + b and variance W^2 Var[x], inputs taken as independent and padded
/// taps
///   as 0, taken as normal.
/// * Sums, differences and products of two tensors, taken as independent; functions of one element;
///   concatenation of channels; average pooling, means, padding and data movement keep their input's.
/// * Functions of a fixed range have that.
[[nodiscard]] std::vector<std::optional<ChannelModel>> model_channels(const Graph& graph, const Range& input);

/// E of the taps that a layer's output channel n multiplies, [depth] from n * depth on: the means of their
/// channels times the part of the output's positions at which the tap lies inside the input. Empty where they
/// are unknown.
[[nodiscard]] std::vector<double> tap_means(const Graph& graph, const Node& layer, const ChannelModel& input);

/// Whether a node says what its channels hold.
[[nodiscard]] bool has_distributions(const Graph& graph);

}  // namespace qsim
