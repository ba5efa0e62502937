// Register tile of the float matrix product. Compiled once an instruction set, from float_gemm.cpp only.
#if defined(QSIM_FLOAT_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef QSIM_FLOAT_TILE_INL_H_
#undef QSIM_FLOAT_TILE_INL_H_
#else
#define QSIM_FLOAT_TILE_INL_H_
#endif

#include <hwy/highway.h>

#include <utility>

#include "workloads/execute/float/float_gemm.h"

HWY_BEFORE_NAMESPACE();
namespace qsim::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using DFloat = hn::CappedTag<float, kFloatPanelColumns>;
using VFloat = hn::Vec<DFloat>;

inline constexpr int kFloatLanes = HWY_MIN(HWY_LANES(float), static_cast<int>(kFloatPanelColumns));
inline constexpr int kPanelVectors = static_cast<int>(kFloatPanelColumns) / kFloatLanes;

// Accumulators and operands of a tile fill the registers: 8 x 2 of 32 with 512 bits, 4 x 2 of 16 with 256, 2
// x 4 of 16 with 128. Without vectors a row of 16 is a tile.
#if HWY_TARGET <= HWY_AVX3
inline constexpr int kFloatTileRows = 8;
inline constexpr int kFloatTilePanels = 2;
#elif HWY_TARGET <= HWY_AVX2
inline constexpr int kFloatTileRows = 4;
inline constexpr int kFloatTilePanels = 1;
#elif HWY_TARGET == HWY_SCALAR
inline constexpr int kFloatTileRows = 1;
inline constexpr int kFloatTilePanels = 1;
#else
inline constexpr int kFloatTileRows = 2;
inline constexpr int kFloatTilePanels = 1;
#endif

// The loops over a tile's registers are unrolled by templates: with constant indices the compiler keeps the
// arrays in registers at any optimization level.
#define QSIM_FLOAT_UNROLLED __attribute__((always_inline))

template <class Function, int... kIndex>
HWY_INLINE void unroll_float(const Function& function, std::integer_sequence<int, kIndex...> /*indices*/) {
  (function(std::integral_constant<int, kIndex>()), ...);
}
template <int kCount, class Function>
HWY_INLINE void unroll_float(const Function& function) {
  unroll_float(function, std::make_integer_sequence<int, kCount>());
}

/// kRows rows from `first_row` times kPanels panels from `panel`, whose first column is `column`. A product
/// is rounded before it is added (no fused multiply-add), as it is without such an instruction.
template <int kRows, int kPanels>
HWY_NOINLINE void float_tile(const FloatBlock& block, const float* panel, std::int64_t depth,
                             std::int64_t first_row, std::int64_t column) {
  constexpr int kVectors = kPanels * kPanelVectors;
  const DFloat d;
  const std::int64_t panel_stride = depth * kFloatPanelColumns;
  const float* row = block.rows + first_row * block.row_stride;
  VFloat acc[kRows][kVectors];
  unroll_float<kRows>([&](auto r) QSIM_FLOAT_UNROLLED {
    unroll_float<kVectors>([&](auto v) QSIM_FLOAT_UNROLLED {
      acc[r][v] = hn::LoadU(d, block.preload + column + v * kFloatLanes);
    });
  });
  for (std::int64_t k = 0; k < depth; ++k) {
    VFloat b[kVectors];
    unroll_float<kVectors>([&](auto v) QSIM_FLOAT_UNROLLED {
      b[v] = hn::LoadU(d, panel + (v / kPanelVectors) * panel_stride + (v % kPanelVectors) * kFloatLanes);
    });
    unroll_float<kRows>([&](auto r) QSIM_FLOAT_UNROLLED {
      const VFloat a = hn::Set(d, row[r * block.row_stride + k]);
      unroll_float<kVectors>([&](auto v)
                                 QSIM_FLOAT_UNROLLED { acc[r][v] = hn::Add(acc[r][v], hn::Mul(a, b[v])); });
    });
    panel += kFloatPanelColumns;
  }
  float* out = block.out + first_row * block.out_stride + column;
  unroll_float<kRows>([&](auto r) QSIM_FLOAT_UNROLLED {
    unroll_float<kVectors>([&](auto v) QSIM_FLOAT_UNROLLED {
      hn::StoreU(acc[r][v], d, out + r * block.out_stride + v * kFloatLanes);
    });
  });
}

}  // namespace qsim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
