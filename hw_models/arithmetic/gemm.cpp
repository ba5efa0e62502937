#include "hw_models/arithmetic/gemm.h"

#include <algorithm>
#include <cstdlib>

#include "hw_models/arithmetic/gemm_run.h"

namespace qsim::arithmetic {

PackedWeights::PackedWeights(std::span<const std::int32_t> weights, std::int64_t columns, std::int64_t depth,
                             IntegerFormat format)
    : columns_(columns), depth_(depth), format_(format) {
  for (std::int64_t n = 0; n < columns; ++n) {
    std::int64_t sum = 0;
    for (const std::int32_t w :
         weights.subspan(static_cast<std::size_t>(n * depth), static_cast<std::size_t>(depth))) {
      sum += std::abs(w);
    }
    max_abs_column_sum_ = std::max(max_abs_column_sum_, sum);
  }
  if (format.max() > 32767) {
    wide_.assign(weights.begin(), weights.end());
  } else if (columns > 0) {
    panels_ = WeightPanels(weights, columns, depth, format.bits <= 8 && has_8bit_steps() ? 4 : 2);
  }
}

AccumulatorStats gemm(std::int64_t rows, const PackedWeights& weights, std::span<const std::int64_t> preload,
                      const GemmOptions& options, const RowProducer& produce, const BlockConsumer& consume) {
  if (rows == 0 || weights.columns() == 0) {
    return {};
  }
  GemmRun run(rows, weights, preload, options);
  if (!run.needs_scalar()) {
    return run.run(produce, consume);
  }
  std::vector<std::int16_t> narrow;
  const std::int64_t depth = weights.depth();
  const auto widened = [&](std::int64_t begin, std::int64_t count, std::int32_t* out,
                           std::int64_t /*stride*/) {
    narrow.resize(static_cast<std::size_t>(count * depth));
    produce(begin, count, 0, narrow.data(), depth);
    std::copy(narrow.begin(), narrow.end(), out);
  };
  return run.run_scalar(widened, consume);
}

AccumulatorStats gemm_wide(std::int64_t rows, const PackedWeights& weights,
                           std::span<const std::int64_t> preload, const GemmOptions& options,
                           const WideRowProducer& produce, const BlockConsumer& consume) {
  if (rows == 0 || weights.columns() == 0) {
    return {};
  }
  return GemmRun(rows, weights, preload, options).run_scalar(produce, consume);
}

}  // namespace qsim::arithmetic
