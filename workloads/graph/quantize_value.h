// Real values of a tensor to stored integers, and back.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

/// clamp(rne(x / scale) + zero_point) to the format, x / scale and its rounding in float32 (to even). For
/// tensors with one scale; x is not a NaN.
[[nodiscard]] std::int64_t quantize_value(float x, const Quantization& quantization);

/// Real values of a tensor: floats as they are, integers as s (q - z), the product in double. Integers
/// without a grid count as what they are.
[[nodiscard]] std::vector<float> real_values(const TensorData& data,
                                             const std::optional<Quantization>& quantization);

}  // namespace qsim
