// Real values of a tensor to stored integers.
#pragma once

#include <cstdint>

#include "workloads/graph/graph.h"

namespace qsim {

/// clamp(rne(x / scale) + zero_point) to the format, x / scale and its rounding in float32 (to even). For
/// tensors with one scale; x is not a NaN.
[[nodiscard]] std::int64_t quantize_value(float x, const Quantization& quantization);

}  // namespace qsim
