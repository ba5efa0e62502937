#include "hw_models/arithmetic/block_functions.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>

#include "hw_models/arithmetic/mx_block.h"

namespace qsim::arithmetic {
namespace {

constexpr int kReciprocalBits = 15;

/// Channels [begin, begin + length) of every row.
struct Block {
  std::size_t begin = 0, length = 0;  ///< Of stored elements; the exponent lies behind them.
};

/// A block of results before they are elements.
struct BlockValues {
  std::array<std::int64_t, kMxBlock> v{};
  int unit = 0;  ///< v counts 2^unit.
};

std::int64_t aligned(std::int64_t m, int below) {
  const int shift = kMxGuardBits - below;
  if (shift >= 0) return m * (std::int64_t{1} << shift);
  return shift_right(m, std::min(-shift, 62), ShiftRounding::half_even);
}

/// R of n rows, and s.
struct Reciprocal {
  std::int64_t multiplier = 1;
  int shift = 0;

  explicit Reciprocal(std::int64_t n)
      : shift(kReciprocalBits + static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n - 1)))) {
    const std::int64_t power = std::int64_t{1} << shift;
    multiplier = (2 * power + n) / (2 * n);  // No tie: an odd n has none, and 2^s has 15 factors 2 more.
  }
};

BlockValues combine(const BlockFunction& function, const Block& block, std::span<const std::int64_t> in,
                    std::size_t stored) {
  const std::size_t exponent_at = block.begin + block.length;
  std::int64_t top = -kMxExponentLimit;
  for (std::size_t row = 0; row < in.size(); row += stored) top = std::max(top, in[row + exponent_at]);
  BlockValues values;
  values.unit = static_cast<int>(top) - kMxFractionBits - kMxGuardBits;
  for (std::size_t row = 0; row < in.size(); row += stored) {
    const int below = static_cast<int>(top - in[row + exponent_at]);
    for (std::size_t i = 0; i < block.length; ++i) {
      const std::int64_t a = aligned(in[row + block.begin + i], below);
      const bool takes = function.kind != BlockFunction::Kind::maximum || row == 0;
      values.v[i] = takes ? values.v[i] + a : std::max(values.v[i], a);
    }
  }
  if (function.kind != BlockFunction::Kind::mean) return values;
  const Reciprocal reciprocal(static_cast<std::int64_t>(in.size() / stored));
  for (std::int64_t& v : values.v) v *= reciprocal.multiplier;
  values.unit -= reciprocal.shift;
  return values;
}

std::int64_t in_units(float bound, int unit) {
  return static_cast<std::int64_t>(
      std::clamp(std::nearbyint(std::ldexp(static_cast<double>(bound), -unit)), -0x1p62, 0x1p62));
}

void store(const BlockFunction& function, const Block& block, BlockValues values,
           std::span<std::int64_t> out) {
  const std::int64_t low = in_units(function.low, values.unit);
  const std::int64_t high = in_units(function.high, values.unit);
  std::uint64_t largest = 0;
  for (std::size_t i = 0; i < block.length; ++i) {
    values.v[i] = std::clamp(values.v[i], low, high);
    largest = std::max(largest, magnitude(values.v[i]));
  }
  const MxScale scale = mx_scale(largest, values.unit + 2 * kMxFractionBits);
  for (std::size_t i = 0; i < block.length; ++i)
    out[block.begin + i] = mx_element_of(values.v[i], scale, ShiftRounding::half_even);
  out[block.begin + block.length] = scale.exponent;
}

}  // namespace

void evaluate_row(const BlockFunction& function, std::span<const std::int64_t> in,
                  std::span<std::int64_t> out, const RowParameters& /*parameters*/) {
  for (std::int64_t channel = 0; channel < function.channels; channel += kMxBlock) {
    const auto begin = static_cast<std::size_t>(mx_element(channel));
    const auto length = static_cast<std::size_t>(std::min(kMxBlock, function.channels - channel));
    const Block block{begin, length};
    store(function, block, combine(function, block, in, out.size()), out);
  }
}

RowWork row_work(const BlockFunction& function) {
  return {2 * function.rows + 2, function.kind == BlockFunction::Kind::mean ? 1 : 0, 0};
}

}  // namespace qsim::arithmetic
