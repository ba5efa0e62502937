#include "hw_models/arithmetic/gemm_scalar.h"

#include <algorithm>

namespace qsim::arithmetic {
namespace {

std::int64_t run_element(const ScalarGemm& gemm, const std::int32_t* a, std::int64_t n,
                         AccumulatorStats& stats) {
  const std::int32_t* w = gemm.weights.data() + n * gemm.depth;
  std::int64_t accumulator = accumulate(gemm.accumulator, gemm.preload[static_cast<std::size_t>(n)], stats);
  std::int64_t k = 0;
  for (const std::int64_t end : gemm.chunk_ends) {
    std::int64_t sum = 0;
    for (; k < end; ++k) {
      sum += std::int64_t{a[k]} * w[k];
    }
    accumulator = accumulate(gemm.accumulator, accumulator + sum, stats);
  }
  return accumulator;
}

}  // namespace

AccumulatorStats run_scalar_gemm(const ScalarGemm& gemm, const WideRowProducer& produce,
                                 const BlockConsumer& consume) {
  constexpr std::int64_t kBlockRows = 32;
  AccumulatorStats stats;
  std::vector<std::int32_t> a(static_cast<std::size_t>(kBlockRows * gemm.depth));
  std::vector<std::int64_t> out(static_cast<std::size_t>(kBlockRows * gemm.columns));
  for (std::int64_t begin = 0; begin < gemm.rows; begin += kBlockRows) {
    const std::int64_t rows = std::min(kBlockRows, gemm.rows - begin);
    produce(begin, rows, a.data(), gemm.depth);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t n = 0; n < gemm.columns; ++n) {
        out[static_cast<std::size_t>(r * gemm.columns + n)] =
            run_element(gemm, a.data() + r * gemm.depth, n, stats);
      }
    }
    consume({begin, rows, nullptr, out.data(), gemm.columns});
  }
  return stats;
}

}  // namespace qsim::arithmetic
