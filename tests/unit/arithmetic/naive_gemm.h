// The matrix product as its definition says it: one loop, 64-bit integers.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/arithmetic/accumulator.h"

namespace qsim::arithmetic {

struct GemmCase {
  std::int64_t rows = 1, columns = 1, depth = 1;
  std::vector<std::int32_t> a;  ///< [rows][depth]
  std::vector<std::int32_t> w;  ///< [columns][depth]
  std::vector<std::int64_t> preload;
  std::vector<std::int64_t> chunk_ends;
  AccumulatorFormat accumulator;
};

struct GemmResult {
  std::vector<std::int64_t> out;
  AccumulatorStats stats;
};

/// The register's value and the statistics, written independently of accumulate(): modulo arithmetic in 128
/// bits.
inline std::int64_t fit(const AccumulatorFormat& format, std::int64_t value, AccumulatorStats& stats) {
  if (value < stats.min) stats.min = value;
  if (value > stats.max) stats.max = value;
  __extension__ using Int128 = __int128;
  const Int128 modulus = static_cast<Int128>(1) << format.width_bits;
  const Int128 half = modulus / 2;
  if (value >= -half && value < half) return value;
  ++stats.overflows;
  if (format.overflow == Overflow::saturate) {
    return static_cast<std::int64_t>(value < 0 ? -half : half - 1);
  }
  Int128 wrapped = (value + half) % modulus;
  if (wrapped < 0) wrapped += modulus;
  return static_cast<std::int64_t>(wrapped - half);
}

inline GemmResult naive_gemm(const GemmCase& c) {
  GemmResult result;
  for (std::int64_t r = 0; r < c.rows; ++r) {
    for (std::int64_t n = 0; n < c.columns; ++n) {
      std::int64_t accumulator = fit(c.accumulator, c.preload[static_cast<std::size_t>(n)], result.stats);
      std::int64_t k = 0;
      for (const std::int64_t end : c.chunk_ends) {
        std::int64_t sum = 0;
        for (; k < end; ++k) {
          sum += std::int64_t{c.a[static_cast<std::size_t>(r * c.depth + k)]} *
                 c.w[static_cast<std::size_t>(n * c.depth + k)];
        }
        accumulator = fit(c.accumulator, accumulator + sum, result.stats);
      }
      result.out.push_back(accumulator);
    }
  }
  return result;
}

}  // namespace qsim::arithmetic
