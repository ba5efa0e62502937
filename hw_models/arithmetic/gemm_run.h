// One call of gemm(): the choice of the path, and the blocks of rows that one worker computes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hw_models/arithmetic/gemm.h"
#include "hw_models/arithmetic/gemm_kernels.h"

namespace qsim::arithmetic {

/// What all workers of a call share.
class GemmRun {
 public:
  GemmRun(std::int64_t rows, const PackedWeights& weights, std::span<const std::int64_t> preload,
          const GemmOptions& options);

  /// Unsigned 16-bit operands: the call belongs to the scalar path.
  [[nodiscard]] bool needs_scalar() const {
    return !weights_.wide_.empty() || options_.activation_format.max() > 32767;
  }
  [[nodiscard]] AccumulatorStats run_scalar(const WideRowProducer& produce,
                                            const BlockConsumer& consume) const;

  /// Runs all blocks with options.threads workers. An exception of the producer or consumer ends the run and
  /// is thrown again here.
  [[nodiscard]] AccumulatorStats run(const RowProducer& produce, const BlockConsumer& consume);

 private:
  struct Buffers;
  void choose_steps();
  void choose_path();
  void choose_block_rows();
  void compute_chunk_offsets();
  [[nodiscard]] StepOperands operands(const Buffers& buffers, std::int64_t rows) const;
  [[nodiscard]] Buffers make_buffers() const;
  AccumulatorStats run_worker(std::int32_t worker, const RowProducer& produce, const BlockConsumer& consume);
  void pack_rows(Buffers& buffers, std::int64_t rows) const;
  /// False where the block left the accumulator's format: the wide path has to compute it.
  bool run_narrow(Buffers& buffers, std::int64_t rows, AccumulatorStats& stats) const;
  void split_rows(Buffers& buffers, const std::byte* in, std::int64_t rows) const;
  void run_wide(Buffers& buffers, std::int64_t rows, AccumulatorStats& stats) const;

  std::int64_t rows_;
  const PackedWeights& weights_;
  GemmOptions options_;
  std::span<const std::int64_t> preload_;
  StepKind kind_ = StepKind::int16;
  int activation_offset_ =
      0;  ///< Added to make signed 8-bit activations unsigned; chunk_offsets_ take it out.
  StepLayout layout_;
  WeightPanels repacked_;  ///< Where the packed panels have another layout.
  const WeightPanels* panels_ = nullptr;
  std::int64_t padded_columns_ = 0;
  std::vector<std::int32_t> chunk_offsets_;
  std::vector<std::int64_t> fitted_preload_;  ///< As the accumulators keep it, padded.
  std::vector<std::int32_t> narrow_preload_;
  AccumulatorStats preload_stats_;
  bool narrow_ = false;
  bool split_activations_ = false;  ///< Wide path: a = upper * 256 + lower keeps chunk sums in 32 bits.
  std::int64_t max_steps_ = 1;      ///< Wide path: steps whose sums fit 32 bits.
  std::int64_t block_rows_ = 8;
  std::atomic<std::int64_t> next_block_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace qsim::arithmetic
