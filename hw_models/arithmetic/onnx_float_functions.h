// The float32 functions that ONNX Runtime's CPU kernels evaluate between DequantizeLinear and QuantizeLinear.
//
// The kernels approximate by polynomials with fused multiply-adds; the last bits of the result decide on
// which side of a rounding boundary a quantized value falls, so they are reproduced bit for bit. The formulas
// and coefficients are those of MLAS (logistic and tanh: Eigen's rational approximations).
#pragma once

namespace qsim::arithmetic {

/// Sigmoid, QLinearSigmoid.
[[nodiscard]] float onnx_logistic(float x);
/// Tanh.
[[nodiscard]] float onnx_tanh(float x);
/// Erf.
[[nodiscard]] float onnx_erf(float x);
/// Gelu, approximation "none": ((0.5 x) (erf(x sqrt(1/2)) + 1)).
[[nodiscard]] float onnx_gelu(float x);
/// Gelu, approximation "tanh".
[[nodiscard]] float onnx_gelu_tanh(float x);
/// max(min(alpha x + beta, 1), 0).
[[nodiscard]] float onnx_hard_sigmoid(float x, float alpha, float beta);

}  // namespace qsim::arithmetic
