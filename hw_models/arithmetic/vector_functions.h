// What the vector unit computes, as plain parameter structs and one evaluation function each.
//
// The layer-level executor and the tile-level vector unit call the same functions, so that they cannot
// differ. Integers travel as int64; a float32 element travels as its bit pattern in the low 32 bits.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "hw_models/arithmetic/integer_format.h"

namespace qsim::arithmetic {

// ---- one input, element by element ----------------------------------------------------------------------

struct CopyFunction {};

/// Any function of one integer of at most 16 bits, tabulated: entry [x - format.min()].
struct TableFunction {
  IntegerFormat input{};
  std::vector<std::int32_t> table;
};

/// float32 to integer: the formulas of the two runtimes stand above the evaluation.
struct QuantizeFunction {
  float scale = 1.0F;
  std::int32_t zero_point = 0;
  IntegerFormat output{};
  bool round_half_away = false;  ///< TFLite rounds half away from zero, ONNX half to even.
};

/// Integer to float32: (q - zero_point) * scale.
struct DequantizeFunction {
  float scale = 1.0F;
  std::int32_t zero_point = 0;
};

using UnaryFunction = std::variant<CopyFunction, TableFunction, QuantizeFunction, DequantizeFunction>;
[[nodiscard]] std::int64_t evaluate(const UnaryFunction& function, std::int64_t x);

// ---- two inputs, element by element ---------------------------------------------------------------------

/// TFLite ADD / SUB of int8 (left_shift 20) and int16 (left_shift 15) general case:
/// see the reference kernels; formula above the evaluation. Where `power_of_two_scales` is set (int16 models
/// whose ADD has pot_scale_int16 and whose scales are powers of two, zero points 0), only the input shifts
/// are used.
struct TfliteAddFunction {
  bool power_of_two_scales = false;
  bool subtract = false;
  std::int32_t left_shift = 20;
  std::int32_t input1_offset = 0, input1_multiplier = 0, input1_shift = 0;
  std::int32_t input2_offset = 0, input2_multiplier = 0, input2_shift = 0;
  std::int32_t output_offset = 0, output_multiplier = 0, output_shift = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// TFLite MUL of int8 and int16.
struct TfliteMulFunction {
  std::int32_t input1_offset = 0, input2_offset = 0, output_offset = 0;
  std::int32_t output_multiplier = 0, output_shift = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// ONNX Runtime QLinearAdd (subtract: b enters with the opposite sign); float32 with fma.
struct OnnxAddFunction {
  bool subtract = false;
  float scale_a = 1.0F, scale_b = 1.0F, scale_c = 1.0F;
  std::int32_t zero_a = 0, zero_b = 0, zero_c = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// ONNX Runtime QLinearMul.
struct OnnxMulFunction {
  float scale_a = 1.0F, scale_b = 1.0F, scale_c = 1.0F;
  std::int32_t zero_a = 0, zero_b = 0, zero_c = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

using BinaryFunction = std::variant<TfliteAddFunction, TfliteMulFunction, OnnxAddFunction, OnnxMulFunction>;
[[nodiscard]] std::int64_t evaluate(const BinaryFunction& function, std::int64_t a, std::int64_t b);

// ---- a window (pooling, mean) ---------------------------------------------------------------------------

/// What a window of elements has gathered; padding is left out of it.
struct WindowState {
  std::int64_t sum = 0;
  std::int64_t maximum = 0;
  std::int64_t count = 0;
  void add(std::int64_t x) {
    maximum = (count == 0 || x > maximum) ? x : maximum;
    sum += x;
    ++count;
  }
};

struct MaxPoolFunction {
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// TFLite AVERAGE_POOL_2D: (sum +- count/2) / count, truncated, clamped; scales of input and output are
/// equal.
struct TfliteAveragePoolFunction {
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// TFLite MEAN of int8 / int16 with the scales of input and output; formula above the evaluation.
struct TfliteMeanFunction {
  std::int32_t input_zero_point = 0, output_zero_point = 0;
  std::int32_t multiplier = 0, shift = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// ONNX Runtime QLinearGlobalAveragePool.
struct OnnxGlobalAveragePoolFunction {
  float input_scale = 1.0F, output_scale = 1.0F;
  std::int32_t input_zero_point = 0, output_zero_point = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

using WindowFunction = std::variant<MaxPoolFunction, TfliteAveragePoolFunction, TfliteMeanFunction,
                                    OnnxGlobalAveragePoolFunction>;
[[nodiscard]] std::int64_t evaluate(const WindowFunction& function, const WindowState& window);

// ---- a row (softmax) ------------------------------------------------------------------------------------

/// TFLite SOFTMAX, int8 in and int8 out (scale 1/256, zero point -128) or int16 in and out (scale 1/32768).
struct TfliteSoftmaxFunction {
  IntegerFormat input{};
  IntegerFormat output{};
  std::int32_t input_multiplier = 0, input_left_shift = 0, diff_min = 0;  ///< int8: PreprocessSoftmaxScaling.
};

/// Softmax as a dequantize, float32 softmax and quantize would compute it.
struct OnnxSoftmaxFunction {
  float input_scale = 1.0F, output_scale = 1.0F;
  std::int32_t input_zero_point = 0, output_zero_point = 0;
  IntegerFormat output{};
};

using RowFunction = std::variant<TfliteSoftmaxFunction, OnnxSoftmaxFunction>;
/// One row; `in` and `out` have the same length.
void evaluate(const RowFunction& function, std::span<const std::int64_t> in, std::span<std::int64_t> out);

}  // namespace qsim::arithmetic
