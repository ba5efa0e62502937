// Parameters of the vector functions as the TFLite reference kernels derive them from scales and zero points.
//
// What is computed in float32 and what in double follows the kernels' Prepare steps and shows in the results.
#pragma once

#include "hw_models/arithmetic/quantized_type.h"
#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {

/// ADD and SUB; inputs of at most 8 bits use left shift 20, wider ones 15. `pot_scale_int16` is the
/// operator's flag: with it, 16-bit tensors whose scales are powers of two take the shift-only form. The
/// kernels demand there that the output has the scale of one input, the other's being no larger; elsewhere
/// the flag is ignored.
[[nodiscard]] TfliteAddFunction make_tflite_add(const QuantizedType& a, const QuantizedType& b,
                                                const QuantizedType& output, const ClampLimits& limits,
                                                bool subtract, bool pot_scale_int16 = false);
[[nodiscard]] TfliteMulFunction make_tflite_mul(const QuantizedType& a, const QuantizedType& b,
                                                const QuantizedType& output, const ClampLimits& limits);
/// PRELU; the slope is a tensor of its own.
[[nodiscard]] TflitePReluFunction make_tflite_prelu(const QuantizedType& input, const QuantizedType& slope,
                                                    const QuantizedType& output);
[[nodiscard]] TfliteMeanFunction make_tflite_mean(const QuantizedType& input, const QuantizedType& output,
                                                  const ClampLimits& limits);
/// Output limits of a fused activation with real bounds [low, high] (infinities allowed):
/// zero_point + round(bound / scale), half away from zero, inside the format.
[[nodiscard]] ClampLimits activation_limits(const QuantizedType& output, float low, float high);

}  // namespace qsim::arithmetic
