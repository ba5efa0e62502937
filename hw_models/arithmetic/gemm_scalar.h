// The plain loops of gemm(), for operands that int16 does not hold.
#pragma once

#include "hw_models/arithmetic/gemm.h"

namespace qsim::arithmetic {

/// One matrix product whose operands are read as [row][depth] and [column][depth] integers.
struct ScalarGemm {
  std::int64_t rows = 0, columns = 0, depth = 0;
  std::span<const std::int32_t> weights;
  std::span<const std::int64_t> preload;
  std::span<const std::int64_t> chunk_ends;
  AccumulatorFormat accumulator;
};

AccumulatorStats run_scalar_gemm(const ScalarGemm& gemm, const WideRowProducer& produce,
                                 const BlockConsumer& consume);

}  // namespace qsim::arithmetic
