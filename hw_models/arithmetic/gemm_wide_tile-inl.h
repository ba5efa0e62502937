// The wide path's tiles: chunk sums in 32-bit registers, accumulators of any format in 64 bits. Compiled once
// an instruction set, from gemm_kernels.cpp only.
#if defined(QSIM_GEMM_WIDE_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef QSIM_GEMM_WIDE_TILE_INL_H_
#undef QSIM_GEMM_WIDE_TILE_INL_H_
#else
#define QSIM_GEMM_WIDE_TILE_INL_H_
#endif

#include <algorithm>
#include <limits>

#include "hw_models/arithmetic/gemm_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace qsim::arithmetic::HWY_NAMESPACE {

using D64 = hn::ScalableTag<std::int64_t>;
using V64 = hn::Vec<D64>;

/// What the updates of a tile saw, and how the accumulators are fitted.
struct WideUpdates {
  V64 low, high;
  std::int64_t overflows = 0;

  WideUpdates()
      : low(hn::Set(D64(), std::numeric_limits<std::int64_t>::max())),
        high(hn::Set(D64(), std::numeric_limits<std::int64_t>::min())) {}

  void merge_into(AccumulatorStats& stats) const {
    const D64 d;
    stats.merge({hn::GetLane(hn::MinOfLanes(d, low)), hn::GetLane(hn::MaxOfLanes(d, high)), overflows});
  }
};

/// Adds a chunk's sums to 16 accumulators: 64 bits, observed, then fitted to the register. Overflows count in
/// the first `columns` of them.
HWY_INLINE void update_wide(const std::int64_t* sums, const AccumulatorFormat& format, std::int64_t columns,
                            std::int64_t* accumulators, WideUpdates& updates) {
  const D64 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const int unused_bits = 64 - format.width_bits;
  for (std::int64_t i = 0; i < kGroupColumns; i += lanes) {
    const V64 value = hn::Add(hn::LoadU(d, accumulators + i), hn::LoadU(d, sums + i));
    updates.low = hn::Min(updates.low, value);
    updates.high = hn::Max(updates.high, value);
    V64 kept = hn::ShiftRightSame(hn::ShiftLeftSame(value, unused_bits), unused_bits);
    const auto overflowed = hn::Ne(kept, value);
    if (HWY_UNLIKELY(!hn::AllFalse(d, overflowed))) {
      const auto counted =
          hn::FirstN(d, static_cast<std::size_t>(std::clamp<std::int64_t>(columns - i, 0, lanes)));
      updates.overflows += static_cast<std::int64_t>(hn::CountTrue(d, hn::And(counted, overflowed)));
      if (format.overflow == Overflow::saturate) {
        kept = hn::Min(hn::Max(value, hn::Set(d, format.min())), hn::Set(d, format.max()));
      }
    }
    hn::StoreU(kept, d, accumulators + i);
  }
}

/// The sums of kRows x 16 columns over `steps` steps times 2^shift, added to `sums`; 32 bits for max_steps at
/// a time.
template <class Dot, int kRows>
HWY_INLINE void add_chunk_sums(const std::byte* row, std::int64_t row_stride, const std::byte* panel,
                               std::int64_t steps, std::int64_t max_steps, int shift,
                               std::int64_t (&sums)[kRows][kGroupColumns]) {
  const D32 d;
  const D64 d64;
  const hn::Rebind<std::int32_t, D64> half;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d64));
  while (steps > 0) {
    const std::int64_t part = std::min(steps, max_steps);
    Tile<kRows, 1> tile;
    tile.for_each([&](V32& acc, auto, auto) QSIM_UNROLLED { acc = hn::Zero(d); });
    tile.template add_chunk<Dot>(row, row_stride, panel, 0, part);
    std::int32_t narrow[kRows][kGroupColumns];
    tile.for_each([&](V32& acc, auto r, auto v)
                      QSIM_UNROLLED { hn::StoreU(acc, d, narrow[r] + v * kLanes); });
    for (int r = 0; r < kRows; ++r) {
      for (std::int64_t n = 0; n < kGroupColumns; n += lanes) {
        const V64 sum = hn::ShiftLeftSame(hn::PromoteTo(d64, hn::LoadU(half, narrow[r] + n)), shift);
        hn::StoreU(hn::Add(hn::LoadU(d64, sums[r] + n), sum), d64, sums[r] + n);
      }
    }
    row += part * kStepBytes;
    panel += part * kGroupColumns * kStepBytes;
    steps -= part;
  }
}

/// kRows x 16 accumulators of any format, chunk by chunk.
template <class Dot, int kRows>
HWY_NOINLINE void wide_tile(WideBlock& block, std::int64_t first_row, std::int64_t group) {
  const StepOperands& operands = block.operands;
  const std::int64_t stride = operands.row_stride_bytes;
  const std::int64_t first_column = group * kGroupColumns;
  std::int64_t byte = first_row * stride;
  const std::byte* panel = operands.panels + group * operands.panel_stride_bytes;
  std::int64_t* out = block.out + first_row * block.out_stride + first_column;
  for (int r = 0; r < kRows; ++r) {
    std::copy_n(block.preload + first_column, kGroupColumns, out + r * block.out_stride);
  }
  WideUpdates updates;
  for (std::int64_t c = 0; c < operands.chunk_count; ++c) {
    const std::int64_t steps = operands.chunk_steps[c];
    std::int64_t sums[kRows][kGroupColumns] = {};
    if (operands.chunk_offsets != nullptr) {
      const std::int32_t* offsets =
          operands.chunk_offsets + c * operands.group_count * kGroupColumns + first_column;
      for (int r = 0; r < kRows; ++r) {
        std::copy_n(offsets, kGroupColumns, sums[r]);
      }
    }
    add_chunk_sums<Dot, kRows>(operands.rows + byte, stride, panel, steps, block.max_steps, 0, sums);
    if (block.upper_rows != nullptr) {
      add_chunk_sums<Dot, kRows>(block.upper_rows + byte, stride, panel, steps, block.max_steps, 8, sums);
    }
    for (int r = 0; r < kRows; ++r) {
      update_wide(sums[r], block.format, block.columns - first_column, out + r * block.out_stride, updates);
    }
    byte += steps * kStepBytes;
    panel += steps * kGroupColumns * kStepBytes;
  }
  updates.merge_into(block.stats);
}

}  // namespace qsim::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
