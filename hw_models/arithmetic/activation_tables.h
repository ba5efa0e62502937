// Functions of one quantized input as tables: what the runtimes compute, entry by entry.
//
// The inputs' formats have at most 16 bits.
#pragma once

#include <functional>

#include "hw_models/arithmetic/quantized_type.h"
#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {

// ---- as the TFLite reference kernels --------------------------------------------------------------------

/// LOGISTIC. At most 8 bits: float32 function, rounded half away from zero; wider: fixed point, where the
/// output has scale 1/32768 and both zero points are 0.
[[nodiscard]] TableFunction make_logistic_table(const QuantizedType& input, const QuantizedType& output);
/// TANH, like LOGISTIC.
[[nodiscard]] TableFunction make_tanh_table(const QuantizedType& input, const QuantizedType& output);
[[nodiscard]] TableFunction make_leaky_relu_table(const QuantizedType& input, const QuantizedType& output,
                                                  float alpha);
/// HARD_SWISH; at most 8 bits, and an output scale above 1/128 of the input's.
[[nodiscard]] TableFunction make_hard_swish_table(const QuantizedType& input, const QuantizedType& output);
/// GELU, with the error function or with the hyperbolic tangent. At most 8 bits: float32 function; wider:
/// samples of it with linear interpolation, where both zero points are 0.
[[nodiscard]] TableFunction make_gelu_table(const QuantizedType& input, const QuantizedType& output,
                                            bool approximate);
/// ELU with alpha 1; at most 8 bits.
[[nodiscard]] TableFunction make_elu_table(const QuantizedType& input, const QuantizedType& output);
/// RELU, RELU6, RELU_N1_TO_1: the real bounds of the activation, infinities allowed.
[[nodiscard]] TableFunction make_relu_table(const QuantizedType& input, const QuantizedType& output,
                                            float low, float high);
/// QUANTIZE from integer to integer; also the rescaling of CONCATENATION inputs.
[[nodiscard]] TableFunction make_requantize_table(const QuantizedType& input, const QuantizedType& output);

// ---- as ONNX Runtime ------------------------------------------------------------------------------------

/// Dequantize, float32 function, quantize: rne(f((q - zx) * sx) / sy) + zy, limited to the format.
[[nodiscard]] TableFunction make_onnx_table(const QuantizedType& input, const QuantizedType& output,
                                            const std::function<float(float)>& function);

}  // namespace qsim::arithmetic
