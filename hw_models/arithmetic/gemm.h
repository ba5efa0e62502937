// Exact integer matrix product with the accumulator bank's view of it.
//
//   acc[r][n] = preload[n] + sum_k a[r][k] * w[n][k]
//
// The reduction runs over k ascending in chunks; a chunk's sum is exact; after each chunk the accumulator is
// updated, observed and, where it does not fit, overflows as its format says (docs/arithmetic.md).
// The preload is an update too: it is observed, and fitted to the accumulator, once an output element.
//
// Operands have 1 to 16 bits. Three paths give the same results:
//   narrow  32-bit accumulators in registers, extremes taken after each chunk, while the bound
//           max|preload| + max_n sum_k |w[n][k]| * max|a| fits 32 bits; a block whose extremes turn out to
//           leave the accumulator's format is computed again on the wide path
//   wide    chunk sums in 32 bits, accumulators in 64, each update observed and fitted
//   scalar  unsigned 16-bit operands, which int16 does not hold: 64-bit loops
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/arithmetic/integer_format.h"
#include "hw_models/arithmetic/weight_panels.h"

namespace qsim::arithmetic {

/// Weights of one matrix product, [columns][depth], rearranged for the kernels.
class PackedWeights {
 public:
  /// `weights` is row-major [columns][depth] with values inside `format`.
  PackedWeights(std::span<const std::int32_t> weights, std::int64_t columns, std::int64_t depth,
                IntegerFormat format);

  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] std::int64_t depth() const { return depth_; }

 private:
  friend class GemmRun;
  std::int64_t columns_;
  std::int64_t depth_;
  IntegerFormat format_;
  std::int64_t max_abs_column_sum_ = 0;  ///< max over columns of sum_k |w|: bounds every partial sum.
  WeightPanels panels_;             ///< Plain steps of the kernels' preferred kind; empty if wide_ is not.
  std::vector<std::int32_t> wide_;  ///< Row-major copy where 16 signed bits are not enough.
};

/// Rows [row_begin, row_begin + rows) of the left operand, written to `rows_out` with `row_stride` elements
/// from row to row, depth elements each (what lies between rows is not to be written). This is where a
/// convolution gathers its taps.
using RowProducer = std::function<void(std::int64_t row_begin, std::int64_t rows, std::int32_t worker,
                                       std::int16_t* rows_out, std::int64_t row_stride)>;
/// The same for unsigned 16-bit operands, which int16 does not hold.
using WideRowProducer = std::function<void(std::int64_t row_begin, std::int64_t rows, std::int32_t* rows_out,
                                           std::int64_t row_stride)>;

/// A finished block of accumulators; exactly one of the pointers is set. Element (r, n) at [r * stride + n].
struct AccumulatorBlock {
  std::int64_t row_begin = 0;
  std::int64_t rows = 0;
  const std::int32_t* narrow = nullptr;
  const std::int64_t* wide = nullptr;
  std::int64_t stride = 0;
};
using BlockConsumer = std::function<void(const AccumulatorBlock&)>;

struct GemmOptions {
  IntegerFormat activation_format{8, true};
  AccumulatorFormat accumulator{};
  /// Ends of the chunks of the reduction, ascending, the last one = depth. Empty: one chunk.
  std::vector<std::int64_t> chunk_ends;
  int threads = 1;  ///< Row blocks are shared out; producer and consumer are called concurrently if > 1.
};

/// Runs the product over `rows` rows. `preload` has one entry a column. Returns what the accumulators saw.
AccumulatorStats gemm(std::int64_t rows, const PackedWeights& weights, std::span<const std::int64_t> preload,
                      const GemmOptions& options, const RowProducer& produce, const BlockConsumer& consume);
AccumulatorStats gemm_wide(std::int64_t rows, const PackedWeights& weights,
                           std::span<const std::int64_t> preload, const GemmOptions& options,
                           const WideRowProducer& produce, const BlockConsumer& consume);

}  // namespace qsim::arithmetic
