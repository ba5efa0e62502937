// Weights and biases of one layer: white paper, sections 2.1 to 2.2.3.
#pragma once

#include <cstddef>
#include <span>

#include "quantization/range_setting.h"
#include "workloads/graph/graph.h"
#include "workloads/graph/scheme.h"

namespace qsim {

struct WeightFormat {
  WeightScheme scheme;
  RangeRule ranges = RangeMethod::min_max;
  bool is_power_of_two = false;
};

/// Integers of float weights [out_channels, ..] on the grid of each slice (choose_weight_grid): all weights,
/// an output channel (dimension 0), or a group of input channels of a kernel tap (group_size_of). Scales of
/// groups are multiples, by integers of 8 bits, of their channel's. Where the bias of a channel would leave
/// 31 bits, its weight scale is raised to |bias| / (s_x 2^30): its weights are too small to show beside it.
/// `bias` may be nullptr. `fractions`, where they are given, times its limits is the range of each slice, in
/// their order.
[[nodiscard]] Tensor quantize_weights(const Tensor& weights, const Tensor* bias, float input_scale,
                                      const WeightFormat& format, std::span<const float> fractions = {});

/// Weights of a slice that has a grid: all, an output channel's, or a group's.
[[nodiscard]] std::size_t slice_elements(const Tensor& weights, const WeightScheme& scheme);

/// Real values of integer weights [out_channels, ..]: w = s m (q - z), with m of their group.
[[nodiscard]] Tensor dequantized_weights(const Tensor& weights);

/// b_int[n] = clamp(rne(b[n] / (s_x s_w[n]))) in `type` (I32 or I64), the accumulators' scale.
[[nodiscard]] Tensor quantize_bias(const Tensor& bias, float input_scale, const Quantization& weights,
                                   ElementType type);

/// A constant operand of an elementwise operation on a grid of its own.
[[nodiscard]] Tensor quantize_constant(const Tensor& constant, const Quantization& grid);

}  // namespace qsim
