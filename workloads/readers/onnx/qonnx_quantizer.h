// Quantizers of QONNX: Quant (IntQuant), BipolarQuant and Trunc, of the domains under which exporters write
// them. Each takes and gives floats; the integers between are what the chip computes with.
//
// Source: docs/qonnx-custom-ops of github.com/fastmachinelearning/qonnx, and its executor (version 1.0.0).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hw_models/arithmetic/rounding.h"
#include "workloads/readers/onnx/fold.h"
#include "workloads/readers/onnx/graph_builder.h"

namespace qsim::onnx_format {

[[nodiscard]] bool is_qonnx_domain(const std::string& domain);
/// Quant, IntQuant, BipolarQuant or Trunc.
[[nodiscard]] bool is_qonnx_quantizer(const OnnxNode& node);
/// Some node of the model is of QONNX.
[[nodiscard]] bool uses_qonnx(const OnnxModel& model);

/// q = round(clamp(x / divisor[i] + shift)), y = scale[i] * (q - zero_point); the divisor is the scale but of
/// Trunc, which leaves out lower bits.
struct QonnxQuantizer {
  int bits = 8;
  bool is_signed = true;
  std::vector<float> scales{1.0F};  ///< One, or one a slice of `axis`.
  int axis = -1;                    ///< Of the input's dimensions; -1 with one scale.
  std::int32_t zero_point = 0;
  double shift = 0.0;
  arithmetic::RoundingMode rounding = arithmetic::RoundingMode::half_even;
  std::int32_t low = 0, high = 0;
  float divisor = 1.0F;     ///< With one scale.
  int truncated_bits = -1;  ///< Of Trunc: divisor = scale of x * 2^truncated_bits.

  [[nodiscard]] Quantization quantization() const;
  [[nodiscard]] OnnxType type() const;
  /// round(v) + zero_point is the same as round(v + zero_point), halves to even: QuantizeLinear's rounding.
  [[nodiscard]] bool rounds_plainly() const;
};

/// Parameters of a quantizer whose input has `shape`. Throws InputError for parameters that are computed at
/// run time or have no integers: fractions of bits or zero points, several scales that do not lie along one
/// dimension, widths beyond `most_bits`. `has_signed_input`: of a Trunc that does not say whether its
/// integers are signed, and whose input has not been read.
[[nodiscard]] QonnxQuantizer qonnx_quantizer(GraphBuilder& builder, const OnnxNode& node, const Shape& shape,
                                             int most_bits, bool has_signed_input = true);

/// The quantizer's integers of a constant, in float32 as the executor of the package computes them.
[[nodiscard]] OnnxTensor quantized_constant(const QonnxQuantizer& quantizer, const OnnxTensor& values);

/// y = (q - zero_point) * scale in float32.
[[nodiscard]] OnnxTensor dequantized_constant(const Quantization& quantization, const OnnxTensor& integers);

}  // namespace qsim::onnx_format
