// Accumulators of any width.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace qsim::arithmetic {

/// What an accumulator does when a sum does not fit.
enum class Overflow {
  wrap,      ///< Keep the low bits (two's complement).
  saturate,  ///< Clamp to the nearest limit.
  trap,      ///< Count it and go on as wrap; the run ends with exit code 1 and names the place.
};

/// An accumulator register: signed, `width_bits` wide (8..64).
struct AccumulatorFormat {
  int width_bits = 32;
  Overflow overflow = Overflow::wrap;

  [[nodiscard]] constexpr std::int64_t min() const {
    return std::numeric_limits<std::int64_t>::min() >> (64 - width_bits);
  }
  [[nodiscard]] constexpr std::int64_t max() const {
    return std::numeric_limits<std::int64_t>::max() >> (64 - width_bits);
  }
};

/// What the accumulators of a layer saw: the values after each update, the preload included, before
/// overflow is handled.
struct AccumulatorStats {
  std::int64_t min = std::numeric_limits<std::int64_t>::max();
  std::int64_t max = std::numeric_limits<std::int64_t>::min();
  std::int64_t overflows = 0;
  std::int64_t rounded_sums = 0;  ///< Sums of block formats that lost bits below (mx_block.h).

  void observe(std::int64_t value) {
    min = std::min(min, value);
    max = std::max(max, value);
  }
  void merge(const AccumulatorStats& other) {
    min = std::min(min, other.min);
    max = std::max(max, other.max);
    overflows += other.overflows;
    rounded_sums += other.rounded_sums;
  }
};

/// Where the accumulators of a layer overflowed first.
struct OverflowPlace {
  std::int64_t channel = 0;  ///< Output channel.
  /// In the output's other dimensions: of an image its number, row, column.
  std::vector<std::int64_t> position;
  std::int64_t update = 0;  ///< 0: the preload; then the chunks of the reduction, from 1.
  std::int64_t value = 0;   ///< What did not fit.
};

/// `value` as the register keeps it; `stats` sees it before and counts an overflow.
[[nodiscard]] std::int64_t accumulate(const AccumulatorFormat& format, std::int64_t value,
                                      AccumulatorStats& stats);

/// Bits of the smallest two's complement register that holds [min, max].
[[nodiscard]] int signed_bits(std::int64_t min, std::int64_t max);

/// Limits of what an accumulator may be asked to hold.
struct AccumulatorRange {
  std::int64_t min = 0;
  std::int64_t max = 0;

  /// The narrowest accumulator that never overflows.
  [[nodiscard]] int bits() const { return signed_bits(min, max); }
};

}  // namespace qsim::arithmetic
