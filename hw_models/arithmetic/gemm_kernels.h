// The vector kernels behind gemm(): one call a block of rows, dispatched to the best instruction set.
//
// Operands lie in steps of 32 bits: two int16 or four 8-bit elements along the reduction. A lane of a vector
// is a column; one instruction adds the products of one step to 16 columns (AVX-512). Columns come in groups
// of 16, a group's panel is [step][column][element]. Chunks of the reduction are whole numbers of steps:
// where they are not, both operands are padded with zeros.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hw_models/arithmetic/accumulator.h"

namespace qsim::arithmetic {

inline constexpr std::int64_t kGroupColumns = 16;
inline constexpr std::int64_t kStepBytes = 4;

/// What the elements of a step are; the 8-bit kinds only where has_8bit_steps().
enum class StepKind {
  int16,        ///< 2 x int16 times 2 x int16
  u8_times_s8,  ///< 4 unsigned activations times 4 signed weights
  s8_times_u8,  ///< 4 signed activations times 4 unsigned weights
};

/// Operands of a block in steps.
struct StepOperands {
  StepKind kind = StepKind::int16;
  const std::byte* rows = nullptr;  ///< First step of row 0.
  std::int64_t row_stride_bytes = 0;
  std::int64_t row_count = 0;
  const std::byte* panels = nullptr;    ///< First step of column group 0.
  std::int64_t panel_stride_bytes = 0;  ///< From group to group.
  std::int64_t group_count = 0;
  const std::int64_t* chunk_steps = nullptr;  ///< Steps of each chunk.
  std::int64_t chunk_count = 0;
  /// Added at the start of each chunk, [chunk][group * 16 + column]; nullptr: nothing.
  const std::int32_t* chunk_offsets = nullptr;
};

/// 32-bit accumulators that cannot overflow.
struct NarrowBlock {
  StepOperands operands;
  const std::int32_t* preload = nullptr;  ///< [group * 16 + column]
  std::int32_t* out = nullptr;            ///< [row][group * 16 + column]
  std::int64_t out_stride = 0;
  std::int32_t min = 0, max = 0;  ///< Result: extremes after each chunk, preload excluded.
};
void run_narrow_block(NarrowBlock& block);

/// 64-bit accumulators of any format. A second set of rows holds the upper parts of activations that are
/// split as upper * 256 + lower.
struct WideBlock {
  StepOperands operands;
  const std::byte* upper_rows = nullptr;  ///< nullptr: not split.
  std::int64_t max_steps = 1;             ///< As many steps have sums that fit 32 bits.
  std::int64_t columns = 0;               ///< Overflows of padding columns do not count.
  const std::int64_t* preload = nullptr;
  std::int64_t* out = nullptr;
  std::int64_t out_stride = 0;
  AccumulatorFormat format;
  AccumulatorStats stats;  ///< Result, preload excluded.
};
void run_wide_block(WideBlock& block);

/// Whether the instruction set in use multiplies steps of four 8-bit elements.
[[nodiscard]] bool has_8bit_steps();
/// out[i] = low 8 bits of in[i] + offset.
void narrow_to_bytes(const std::int16_t* in, std::int64_t count, int offset, std::byte* out);

}  // namespace qsim::arithmetic
