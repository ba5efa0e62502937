// Weights in the order in which the gemm kernels read them: panels of 16 columns, 32-bit steps along the
// depth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qsim::arithmetic {

/// Where the chunks of a reduction lie in steps of `elements` elements. A chunk takes whole steps.
struct StepLayout {
  int elements = 2;
  std::vector<std::int64_t> chunk_ends;   ///< In elements, ascending, the last one is the depth.
  std::vector<std::int64_t> chunk_steps;  ///< Steps of each chunk.
  std::int64_t steps = 0;                 ///< Their sum.
  bool plain = true;  ///< Element k lies in step k / elements: nothing is padded in between.

  StepLayout() = default;
  StepLayout(std::vector<std::int64_t> ends, int elements_per_step);
};

/// Panel g holds columns [16 g, 16 g + 16): [step][column][element]. Columns past the last one repeat it, so
/// that they add nothing new to the extremes; elements past the end of a chunk are zero.
struct WeightPanels {
  int elements = 0;  ///< Elements a step: 2 of int16, 4 of 8 bits, 0 for no panels.
  std::int64_t columns = 0;
  std::int64_t depth = 0;
  std::int64_t groups = 0;
  std::int64_t panel_bytes = 0;
  std::vector<std::byte> bytes;

  WeightPanels() = default;
  /// From row-major [columns][depth].
  WeightPanels(std::span<const std::int32_t> weights, std::int64_t columns, std::int64_t depth, int elements);
  /// Plain panels (with values of `is_signed`) rearranged for another layout.
  WeightPanels(const WeightPanels& plain, bool is_signed, const StepLayout& layout);

  /// Weight of plain panels.
  [[nodiscard]] std::int32_t at(std::int64_t column, std::int64_t k, bool is_signed) const;
};

}  // namespace qsim::arithmetic
