#include "workloads/execute/float/float_gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "workloads/execute/float/float_gemm.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "workloads/execute/float/float_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace qsim::HWY_NAMESPACE {

/// Tiles of kRows rows while they last, then smaller ones.
template <int kRows, int kPanels>
void multiply_rows(const FloatBlock& block, const float* panels, std::int64_t depth, std::int64_t row,
                   std::int64_t column) {
  for (; row + kRows <= block.row_count; row += kRows) {
    float_tile<kRows, kPanels>(block, panels, depth, row, column);
  }
  if constexpr (kRows > 1) multiply_rows<kRows / 2, kPanels>(block, panels, depth, row, column);
}

void MultiplyBlock(const FloatBlock& block, const float* panels, std::int64_t panel_count,
                   std::int64_t depth) {
  std::int64_t p = 0;
  for (; p + kFloatTilePanels <= panel_count; p += kFloatTilePanels) {
    multiply_rows<kFloatTileRows, kFloatTilePanels>(block, panels + p * depth * kFloatPanelColumns, depth, 0,
                                                    p * kFloatPanelColumns);
  }
  for (; p < panel_count; ++p) {
    multiply_rows<kFloatTileRows, 1>(block, panels + p * depth * kFloatPanelColumns, depth, 0,
                                     p * kFloatPanelColumns);
  }
}

}  // namespace qsim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace qsim {

HWY_EXPORT(MultiplyBlock);
void multiply(const FloatPanels& panels, const FloatBlock& block) {
  HWY_DYNAMIC_DISPATCH(MultiplyBlock)(block, panels.data(), panels.panels(), panels.depth());
}

FloatPanels::FloatPanels(std::int64_t columns, std::int64_t depth)
    : columns_(columns), depth_(depth), values_(static_cast<std::size_t>(padded_columns() * depth), 0.0F) {}

FloatPanels::FloatPanels(std::span<const float> weights, std::int64_t columns, std::int64_t depth)
    : FloatPanels(columns, depth) {
  for (std::int64_t n = 0; n < columns; ++n) {
    for (std::int64_t k = 0; k < depth; ++k) at(n, k) = weights[static_cast<std::size_t>(n * depth + k)];
  }
}

FloatPanels FloatPanels::from_transposed(std::span<const float> matrix, std::int64_t columns,
                                         std::int64_t depth) {
  FloatPanels panels(columns, depth);
  for (std::int64_t k = 0; k < depth; ++k) {
    for (std::int64_t n = 0; n < columns; ++n)
      panels.at(n, k) = matrix[static_cast<std::size_t>(k * columns + n)];
  }
  return panels;
}

}  // namespace qsim
#endif
