#include "hw_models/arithmetic/gemm_run.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/parallel_blocks.h"
#include "hw_models/arithmetic/gemm_scalar.h"

namespace qsim::arithmetic {
namespace {

constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();

std::int64_t max_abs(const IntegerFormat& format) {
  return std::max(-format.min(), format.max());
}

std::int64_t round_up(std::int64_t x, std::int64_t multiple) {
  return (x + multiple - 1) / multiple * multiple;
}

}  // namespace

/// Memory of one worker. Rows are produced as int16; `steps` holds them in the kernels' layout where that
/// differs.
struct GemmRun::Buffers {
  std::int64_t row_stride = 0;  ///< In elements.
  std::vector<std::int16_t> rows;
  std::int64_t step_stride_bytes = 0;
  std::vector<std::byte> steps, lower_steps, upper_steps;
  std::vector<std::int32_t> narrow;
  std::vector<std::int64_t> wide;
};

GemmRun::GemmRun(std::int64_t rows, const PackedWeights& weights, std::span<const std::int64_t> preload,
                 const GemmOptions& options)
    : rows_(rows), weights_(weights), options_(options), preload_(preload) {
  if (options_.chunk_ends.empty()) {
    options_.chunk_ends.push_back(weights.depth());
  }
  if (needs_scalar()) {
    return;
  }
  choose_steps();
  choose_path();
  choose_block_rows();
}

/// 8-bit steps multiply unsigned by signed. Signed activations with signed weights become unsigned by an
/// offset of 128, whose share 128 * sum_k w is taken out chunk by chunk.
void GemmRun::choose_steps() {
  const IntegerFormat& a = options_.activation_format;
  const IntegerFormat& w = weights_.format_;
  const bool both_unsigned = a.max() > 127 && w.max() > 127;
  // The offsets of longer chunks would not fit 32 bits.
  const bool short_chunks = weights_.depth() <= 65536;
  const bool in_8bit_steps = has_8bit_steps() && a.bits <= 8 && w.bits <= 8 && !both_unsigned && short_chunks;
  if (in_8bit_steps) {
    kind_ = w.max() > 127 ? StepKind::s8_times_u8 : StepKind::u8_times_s8;
    activation_offset_ = kind_ == StepKind::u8_times_s8 && a.is_signed ? 128 : 0;
  }
  layout_ = StepLayout(options_.chunk_ends, in_8bit_steps ? 4 : 2);
  panels_ = &weights_.panels_;
  if (!layout_.plain || panels_->elements != layout_.elements) {
    repacked_ = WeightPanels(weights_.panels_, w.is_signed, layout_);
    panels_ = &repacked_;
  }
  padded_columns_ = panels_->groups * kGroupColumns;
  if (activation_offset_ != 0) {
    compute_chunk_offsets();
  }
}

/// -128 * sum of each column's weights in each chunk: the kernel multiplies them by a row of 128s.
void GemmRun::compute_chunk_offsets() {
  const auto chunks = static_cast<std::int64_t>(layout_.chunk_steps.size());
  const std::vector<std::byte> ones(static_cast<std::size_t>(layout_.steps * kStepBytes), std::byte{128});
  const std::vector<std::int32_t> zeros(static_cast<std::size_t>(padded_columns_), 0);
  chunk_offsets_.resize(static_cast<std::size_t>(chunks * padded_columns_));
  NarrowBlock block;
  block.operands = {StepKind::u8_times_s8,
                    ones.data(),
                    0,
                    1,
                    panels_->bytes.data(),
                    panels_->panel_bytes,
                    panels_->groups,
                    layout_.chunk_steps.data(),
                    1,
                    nullptr};
  block.preload = zeros.data();
  block.out_stride = padded_columns_;
  for (std::int64_t c = 0; c < chunks; ++c) {
    block.operands.chunk_steps = layout_.chunk_steps.data() + c;
    block.out = chunk_offsets_.data() + c * padded_columns_;
    run_narrow_block(block);
    block.operands.panels += layout_.chunk_steps[static_cast<std::size_t>(c)] * kGroupColumns * kStepBytes;
  }
  for (std::int32_t& offset : chunk_offsets_) {
    offset = -offset;
  }
}

void GemmRun::choose_path() {
  std::int64_t max_abs_preload = 0;
  for (const std::int64_t value : preload_) {
    fitted_preload_.push_back(accumulate(options_.accumulator, value, preload_stats_));
    max_abs_preload = std::max(max_abs_preload, std::abs(fitted_preload_.back()));
  }
  fitted_preload_.resize(static_cast<std::size_t>(padded_columns_), fitted_preload_.back());
  preload_stats_.overflows *= rows_;
  const std::int64_t max_a = max_abs(options_.activation_format);
  narrow_ =
      max_abs_preload <= kInt32Max && max_abs_preload + weights_.max_abs_column_sum_ * max_a <= kInt32Max;
  if (narrow_) {
    narrow_preload_.assign(fitted_preload_.begin(), fitted_preload_.end());
  }
  // A wide run splits activations of more than 8 bits where fewer than 64 products would fit 32 bits.
  const std::int64_t max_w = max_abs(weights_.format_);
  split_activations_ = kind_ == StepKind::int16 && kInt32Max / (max_a * max_w) < 64 && max_a > 255;
  const std::int64_t max_product = (split_activations_ || activation_offset_ != 0 ? 255 : max_a) * max_w;
  max_steps_ = std::max<std::int64_t>(1, kInt32Max / max_product / layout_.elements);
}

/// Half a megabyte of activations and a quarter of accumulators stay in the second-level cache.
void GemmRun::choose_block_rows() {
  const std::int64_t by_rows = (512 * 1024) / (2 * std::max<std::int64_t>(1, weights_.depth()));
  const std::int64_t by_accumulators = (256 * 1024) / (4 * padded_columns_);
  const std::int64_t share = (rows_ + options_.threads - 1) / std::max(1, options_.threads);
  const std::int64_t wanted =
      std::min(std::clamp<std::int64_t>(std::min(by_rows, by_accumulators), 32, 256), share);
  block_rows_ = round_up(wanted, 8);
}

GemmRun::Buffers GemmRun::make_buffers() const {
  Buffers buffers;
  // Strides of whole cache lines, and not of 1 KiB, which would crowd few sets of the first-level cache.
  const auto padded_stride = [](std::int64_t bytes) {
    const std::int64_t stride = round_up(bytes, 64);
    return stride % 1024 == 0 ? stride + 64 : stride;
  };
  buffers.row_stride = padded_stride(2 * std::max(weights_.depth(), 2 * layout_.steps)) / 2;
  buffers.rows.resize(static_cast<std::size_t>(block_rows_ * buffers.row_stride));
  if (kind_ == StepKind::int16 && layout_.plain) {
    buffers.step_stride_bytes = buffers.row_stride * 2;
  } else {
    buffers.step_stride_bytes = padded_stride(layout_.steps * kStepBytes);
    buffers.steps.resize(static_cast<std::size_t>(block_rows_ * buffers.step_stride_bytes));
  }
  if (narrow_) {
    buffers.narrow.resize(static_cast<std::size_t>(block_rows_ * padded_columns_));
  }
  return buffers;
}

/// Brings the produced rows into the kernels' steps, chunk by chunk.
void GemmRun::pack_rows(Buffers& buffers, std::int64_t rows) const {
  if (buffers.steps.empty()) {
    return;
  }
  const std::int64_t element_bytes = kStepBytes / layout_.elements;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int16_t* in = buffers.rows.data() + r * buffers.row_stride;
    std::byte* out = buffers.steps.data() + r * buffers.step_stride_bytes;
    if (layout_.plain) {
      narrow_to_bytes(in, weights_.depth(), activation_offset_, out);
      continue;
    }
    std::int64_t begin = 0;
    for (std::size_t c = 0; c < layout_.chunk_ends.size(); ++c) {
      const std::int64_t count = layout_.chunk_ends[c] - begin;
      if (element_bytes == 1) {
        narrow_to_bytes(in + begin, count, activation_offset_, out);
      } else {
        std::memcpy(out, in + begin, static_cast<std::size_t>(count * 2));
      }
      begin = layout_.chunk_ends[c];
      out += layout_.chunk_steps[c] * kStepBytes;
    }
  }
}

StepOperands GemmRun::operands(const Buffers& buffers, std::int64_t rows) const {
  StepOperands result;
  result.kind = kind_;
  result.rows =
      buffers.steps.empty() ? reinterpret_cast<const std::byte*>(buffers.rows.data()) : buffers.steps.data();
  result.row_stride_bytes = buffers.step_stride_bytes;
  result.row_count = rows;
  result.panels = panels_->bytes.data();
  result.panel_stride_bytes = panels_->panel_bytes;
  result.group_count = panels_->groups;
  result.chunk_steps = layout_.chunk_steps.data();
  result.chunk_count = static_cast<std::int64_t>(layout_.chunk_steps.size());
  result.chunk_offsets = chunk_offsets_.empty() ? nullptr : chunk_offsets_.data();
  return result;
}

bool GemmRun::run_narrow(Buffers& buffers, std::int64_t rows, AccumulatorStats& stats) const {
  NarrowBlock block;
  block.operands = operands(buffers, rows);
  block.preload = narrow_preload_.data();
  block.out = buffers.narrow.data();
  block.out_stride = padded_columns_;
  run_narrow_block(block);
  if (block.min < options_.accumulator.min() || block.max > options_.accumulator.max()) {
    return false;
  }
  stats.observe(block.min);
  stats.observe(block.max);
  return true;
}

/// a = (a >> 8) * 256 + (a & 255); both parts stay int16.
void GemmRun::split_rows(Buffers& buffers, const std::byte* in, std::int64_t rows) const {
  const auto bytes = static_cast<std::size_t>(rows * buffers.step_stride_bytes);
  buffers.lower_steps.resize(bytes);
  buffers.upper_steps.resize(bytes);
  for (std::size_t i = 0; i < bytes; i += 2) {
    std::int16_t a = 0;
    std::memcpy(&a, in + i, 2);
    const auto lower = static_cast<std::int16_t>(a & 255);
    const auto upper = static_cast<std::int16_t>(a >> 8);
    std::memcpy(buffers.lower_steps.data() + i, &lower, 2);
    std::memcpy(buffers.upper_steps.data() + i, &upper, 2);
  }
}

void GemmRun::run_wide(Buffers& buffers, std::int64_t rows, AccumulatorStats& stats) const {
  buffers.wide.resize(static_cast<std::size_t>(block_rows_ * padded_columns_));
  WideBlock block;
  block.operands = operands(buffers, rows);
  if (split_activations_) {
    split_rows(buffers, block.operands.rows, rows);
    block.operands.rows = buffers.lower_steps.data();
    block.upper_rows = buffers.upper_steps.data();
  }
  block.max_steps = max_steps_;
  block.columns = weights_.columns();
  block.preload = fitted_preload_.data();
  block.out = buffers.wide.data();
  block.out_stride = padded_columns_;
  block.format = options_.accumulator;
  run_wide_block(block);
  stats.merge(block.stats);
}

AccumulatorStats GemmRun::run_worker(std::int32_t worker, const RowProducer& produce,
                                     const BlockConsumer& consume) {
  AccumulatorStats stats;
  Buffers buffers = make_buffers();
  bool narrow = narrow_;
  while (!stop_.load(std::memory_order_relaxed)) {
    const std::int64_t begin = next_block_.fetch_add(1) * block_rows_;
    if (begin >= rows_) {
      break;
    }
    const std::int64_t rows = std::min(block_rows_, rows_ - begin);
    produce(begin, rows, worker, buffers.rows.data(), buffers.row_stride);
    pack_rows(buffers, rows);
    narrow = narrow && run_narrow(buffers, rows, stats);
    if (narrow) {
      consume({begin, rows, buffers.narrow.data(), nullptr, padded_columns_});
    } else {
      run_wide(buffers, rows, stats);
      consume({begin, rows, nullptr, buffers.wide.data(), padded_columns_});
    }
  }
  return stats;
}

AccumulatorStats GemmRun::run(const RowProducer& produce, const BlockConsumer& consume) {
  const std::int64_t blocks = (rows_ + block_rows_ - 1) / block_rows_;
  const auto workers = static_cast<std::size_t>(std::clamp<std::int64_t>(options_.threads, 1, blocks));
  std::vector<AccumulatorStats> stats(workers);
  for_each_block(static_cast<std::int64_t>(workers), static_cast<int>(workers), [&](std::int64_t worker) {
    try {
      stats[static_cast<std::size_t>(worker)] =
          run_worker(static_cast<std::int32_t>(worker), produce, consume);
    } catch (...) {
      stop_ = true;
      throw;
    }
  });
  AccumulatorStats result = preload_stats_;
  for (const AccumulatorStats& seen : stats) result.merge(seen);
  return result;
}

AccumulatorStats GemmRun::run_scalar(const WideRowProducer& produce, const BlockConsumer& consume) const {
  std::vector<std::int32_t> weights = weights_.wide_;
  if (weights.empty()) {
    weights.reserve(static_cast<std::size_t>(weights_.columns() * weights_.depth()));
    for (std::int64_t n = 0; n < weights_.columns(); ++n) {
      for (std::int64_t k = 0; k < weights_.depth(); ++k) {
        weights.push_back(weights_.panels_.at(n, k, weights_.format_.is_signed));
      }
    }
  }
  return run_scalar_gemm({rows_, weights_.columns(), weights_.depth(), weights, preload_, options_.chunk_ends,
                          options_.accumulator},
                         produce, consume);
}

}  // namespace qsim::arithmetic
