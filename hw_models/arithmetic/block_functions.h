// Sums, maxima and means of blocks (mx_block.h), as functions of rows of the vector unit.
//
// A row is the stored channels of a pixel. `in` holds the rows that an output row is made of, one behind the
// other: both operands of a sum, or what a window reads (padding is left out). Block by block, with m[i] and
// e[i] of row i, E the largest e[i] and G guard bits:
//
//   a[i] = rne(m[i] * 2^(e[i] - E + G))           aligned; at most G bits below the largest's are kept
//   v    = sum of a[i]                            sum, in units of 2^(E - 6 - G)
//        = max of a[i]                            maximum
//        = R * sum of a[i]                        mean of n rows, in units of 2^(E - 6 - G - s)
//   s = 15 + ceil(log2 n),  R = rne(2^s / n)      of 16 bits at most; a power of two divides exactly
//
// v is limited by the fused activation, and 32 of them become a block: e = floor(log2(max |v|)), elements
// rounded half to even, as the specification's conversion does. Where exponents are at most G apart nothing
// but that is rounded, of a sum and a maximum.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {

inline constexpr int kMxGuardBits = 24;
/// Of a mean: 127 * 2^24 * 2^14 * 2^16 is below 2^62.
inline constexpr std::int64_t kMxMostMeanRows = 1 << 14;

struct BlockFunction {
  enum class Kind { sum, maximum, mean };
  Kind kind = Kind::sum;
  std::int64_t channels = 0;  ///< Of a row, without the exponents.
  std::int64_t rows = 1;      ///< Of `in`, at most.
  /// Of the fused activation, in real numbers.
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

/// `in`: whole rows, at least one; `out`: one.
void evaluate_row(const BlockFunction& function, std::span<const std::int64_t> in,
                  std::span<std::int64_t> out, const RowParameters& parameters);

/// Of each row an alignment and an addition (or comparison), of the result a comparison and a rounding shift.
[[nodiscard]] RowWork row_work(const BlockFunction& function);

}  // namespace qsim::arithmetic
