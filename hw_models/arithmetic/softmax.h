// Softmax of one row as the two runtimes compute it.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/arithmetic/quantized_type.h"
#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {

/// TFLite SOFTMAX, int8 in and int8 out (scale 1/256, zero point -128) or int16 in and out (scale 1/32768).
struct TfliteSoftmaxFunction {
  IntegerFormat input{};
  IntegerFormat output{};
  std::int32_t input_multiplier = 0, input_left_shift = 0, diff_min = 0;  ///< int8: PreprocessSoftmaxScaling.
};

/// ONNX Runtime QLinearSoftmax, inputs of at most 8 bits: exponentials from a table. An input at the top of
/// its format reads the last entry; formula above the evaluation.
struct OnnxTableSoftmaxFunction {
  IntegerFormat input{};
  IntegerFormat output{};
  std::vector<float> exponentials;  ///< Entry [max - min - i]: i below the largest input.
  float output_factor = 256.0F;     ///< floor(1 / output scale)
  std::int32_t output_zero_point = 0;
};

/// Softmax as a dequantize, float32 softmax and quantize would compute it.
struct OnnxSoftmaxFunction {
  float input_scale = 1.0F, output_scale = 1.0F;
  std::int32_t input_zero_point = 0, output_zero_point = 0;
  IntegerFormat output{};
};

/// Inputs of at most 8 bits: output scale 1 / 2^bits at the format's minimum; wider ones: 1/32768 at zero.
[[nodiscard]] TfliteSoftmaxFunction make_tflite_softmax(const QuantizedType& input,
                                                        const IntegerFormat& output, float beta);

/// QLinearSoftmax over rows of `length`; the input has at most 8 bits.
[[nodiscard]] OnnxTableSoftmaxFunction make_onnx_table_softmax(const QuantizedType& input,
                                                               const QuantizedType& output,
                                                               std::int64_t length);

// Functions of a row (vector_functions.h).
void evaluate_row(const TfliteSoftmaxFunction& f, std::span<const std::int64_t> in,
                  std::span<std::int64_t> out, const RowParameters& parameters);
void evaluate_row(const OnnxTableSoftmaxFunction& f, std::span<const std::int64_t> in,
                  std::span<std::int64_t> out, const RowParameters& parameters);
void evaluate_row(const OnnxSoftmaxFunction& f, std::span<const std::int64_t> in, std::span<std::int64_t> out,
                  const RowParameters& parameters);
/// A difference, a sum, an exponential, a product.
template <typename Function>
requires(std::is_same_v<Function, TfliteSoftmaxFunction> ||
         std::is_same_v<Function, OnnxTableSoftmaxFunction> || std::is_same_v<Function, OnnxSoftmaxFunction>)
    [[nodiscard]] RowWork row_work(const Function& /*function*/) {
  return {.adds = 2, .multiplies = 1, .lookups = 1};
}

}  // namespace qsim::arithmetic
