// The formulas of bit_width.h for one tensor.
#pragma once

#include "workloads/graph/graph.h"

namespace qsim {

/// The largest magnitude p of a width: 2^(bits-1) - 1 signed (1 for one bit, which holds -1 and +1), 2^bits -
/// 1 unsigned.
[[nodiscard]] std::int64_t largest_magnitude(int bits, bool is_signed);

/// rne(value * numerator / denominator) in integers; both are positive and below 2^16.
[[nodiscard]] std::int64_t rescale_rne(std::int64_t value, std::int64_t numerator, std::int64_t denominator);

/// Scale and zero point of `q` at another width.
[[nodiscard]] Quantization at_width(const Quantization& q, int bits);

/// A constant at another width: quantization, element type and values.
void requantize_constant(Tensor& tensor, int bits);

/// Weights, output channels first, of one bit: signs, and the mean magnitude in the scale.
void binarize_weights(Tensor& weights);

/// b' = rne(b * ratio[n]), ratio one or one an output channel, clamped to the bias's format.
void rescale_bias(Tensor& bias, const std::vector<double>& ratios);

}  // namespace qsim
