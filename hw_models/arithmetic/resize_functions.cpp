// Resizing: nearest and bilinear as the two runtimes compute them.
#include <bit>
#include <stdexcept>

#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {
namespace {

/// y2 x2 A + y2 x1 B + y1 x2 C + y1 x1 D, the products of the weights and each sum rounded to float32 in this
/// order; first weights belong to the first positions. `real` makes a float of a stored integer.
template <typename Real>
float blend(const ResizeTap& row, const ResizeTap& column, const ResizeNeighbours& x, const Real& real) {
  float sum = column.first_weight * row.first_weight * real(x.first_first);
  sum += column.second_weight * row.first_weight * real(x.first_second);
  sum += column.first_weight * row.second_weight * real(x.second_first);
  sum += column.second_weight * row.second_weight * real(x.second_second);
  return sum;
}

/// Of the integers as they are stored, the fraction dropped.
std::int64_t blend_float(const ResizeTap& row, const ResizeTap& column, const ResizeNeighbours& x) {
  return static_cast<std::int64_t>(
      blend(row, column, x, [](std::int64_t q) { return static_cast<float>(q); }));
}

/// Of what the integers stand for.
std::int64_t blend_reals(const ResizeFunction& function, const ResizeTap& row, const ResizeTap& column,
                         const ResizeNeighbours& x) {
  const DequantizeFunction& from = function.from;
  const float sum = blend(
      row, column, x, [&](std::int64_t q) { return static_cast<float>(q - from.zero_point) * from.scale; });
  return evaluate(function.to, std::bit_cast<std::uint32_t>(sum));
}

/// Columns only, with x2 = x1 = 1/2 between a position and itself.
std::int64_t blend_halves(const ResizeTap& column, const ResizeNeighbours& x) {
  return blend_float(column, {0, 0, 0.5F, 0.5F},
                     {x.first_first, x.first_first, x.first_second, x.first_second});
}

/// The same sum with weights in 1/1024, exact: in units of 2^-20.
std::int64_t blend_integer(const ResizeTap& row, const ResizeTap& column, const ResizeNeighbours& x) {
  const auto y1 = static_cast<std::int64_t>(row.first_weight);
  const auto y2 = static_cast<std::int64_t>(row.second_weight);
  const auto x1 = static_cast<std::int64_t>(column.first_weight);
  const auto x2 = static_cast<std::int64_t>(column.second_weight);
  return x1 * y1 * x.first_first + x2 * y1 * x.first_second + x1 * y2 * x.second_first +
         x2 * y2 * x.second_second;
}

}  // namespace

std::int64_t evaluate(const ResizeFunction& function, std::size_t row, std::size_t column,
                      std::int64_t channel, const ResizeNeighbours& x) {
  constexpr std::int64_t kUnit = std::int64_t{1} << 20;
  const ResizeTap& y_tap = function.rows[row];
  const ResizeTap& x_tap = function.columns[column];
  switch (function.arithmetic) {
    case ResizeArithmetic::nearest:
      return x.first_first;
    case ResizeArithmetic::float_truncated:
      return channel == function.halved_channel ? blend_halves(x_tap, x) : blend_float(y_tap, x_tap, x);
    case ResizeArithmetic::dequantized:
      return blend_reals(function, y_tap, x_tap, x);
    case ResizeArithmetic::integer_truncated:
      return blend_integer(y_tap, x_tap, x) / kUnit;
    case ResizeArithmetic::integer_rounded: {
      const std::int64_t sum = blend_integer(y_tap, x_tap, x);
      return (sum + (sum > 0 ? kUnit / 2 : -kUnit / 2)) / kUnit;
    }
  }
  throw std::logic_error("resize arithmetic out of range");
}

}  // namespace qsim::arithmetic
