// Functions of one element: copy, table, quantize, dequantize.
#include <bit>
#include <cmath>

#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {
namespace {

float to_float(std::int64_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

std::int64_t evaluate_one(const CopyFunction& /*function*/, std::int64_t x) {
  return x;
}

std::int64_t evaluate_one(const TableFunction& function, std::int64_t x) {
  return function.table[static_cast<std::size_t>(x - function.input.min())];
}

std::int64_t evaluate_limited(const QuantizeFunction& function, float x) {
  const auto& [rounding, low, high] = *function.limits;
  float v = x * function.multiplier;
  v = v + function.offset;
  v = v / function.scale + static_cast<float>(function.zero_point);
  if (rounding == RoundingMode::sign) return v < 0.0F ? low : high;
  v = v >= static_cast<float>(low) ? v : static_cast<float>(low);
  v = v <= static_cast<float>(high) ? v : static_cast<float>(high);
  return static_cast<std::int64_t>(round_by(rounding, static_cast<double>(v)));
}

/// q = round(x / scale) + zero_point, limited to the format. The division is a true float32 division.
/// ONNX: round half to even; TFLite: half away from zero. Limits are applied before rounding, which gives the
/// same integers and keeps infinities in range; NaN becomes the lower limit. With limits of its own:
/// q = round(clamp((x * multiplier + offset) / scale + zero_point)).
std::int64_t evaluate_one(const QuantizeFunction& function, std::int64_t x) {
  if (function.limits) return evaluate_limited(function, to_float(x));
  const auto low = static_cast<float>(function.output.min() - function.zero_point);
  const auto high = static_cast<float>(function.output.max() - function.zero_point);
  float v = to_float(x) / function.scale;
  v = v >= low ? v : low;
  v = v <= high ? v : high;
  const float rounded = function.round_half_away ? std::round(v) : std::nearbyint(v);
  return static_cast<std::int64_t>(rounded) + function.zero_point;
}

/// x = (q - zero_point) * scale in float32.
std::int64_t evaluate_one(const DequantizeFunction& function, std::int64_t x) {
  const float value = static_cast<float>(x - function.zero_point) * function.scale;
  return static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(value));
}

}  // namespace

std::int64_t evaluate(const UnaryFunction& function, std::int64_t x) {
  return std::visit([x](const auto& f) { return evaluate_one(f, x); }, function);
}

}  // namespace qsim::arithmetic
