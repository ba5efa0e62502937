// Register tiles of the gemm kernels. Compiled once an instruction set, from gemm_kernels.cpp only.
#if defined(QSIM_GEMM_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef QSIM_GEMM_TILE_INL_H_
#undef QSIM_GEMM_TILE_INL_H_
#else
#define QSIM_GEMM_TILE_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "hw_models/arithmetic/gemm_kernels.h"

// Highway chooses this target only where the CPU has AVX-512 VNNI, but leaves its instructions out of the
// compiler's target. The rest of the list is Highway's own.
#if HWY_TARGET == HWY_AVX3_DL
#undef HWY_TARGET_STR
#define HWY_TARGET_STR \
  HWY_TARGET_STR_AVX3  \
  ",vpclmulqdq,avx512vbmi,avx512vbmi2,vaes,avxvnni,avx512bitalg,avx512vpopcntdq,avx512vnni"
#endif

HWY_BEFORE_NAMESPACE();
namespace qsim::arithmetic::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D32 = hn::CappedTag<std::int32_t, 16>;
using D16 = hn::Repartition<std::int16_t, D32>;
using V32 = hn::Vec<D32>;

inline constexpr int kLanes = HWY_MIN(HWY_LANES(std::int32_t), 16);
inline constexpr int kGroupVectors = static_cast<int>(kGroupColumns) / kLanes;

// Accumulators and operands of a tile fill the registers: 8 x 3 of 32 with 512 bits, 4 x 2 of 16 with 256.
// Without vectors a row of 16 is a tile.
#if HWY_TARGET <= HWY_AVX3
inline constexpr int kTileRows = 8;
inline constexpr int kTileGroups = 3;
#elif HWY_TARGET == HWY_SCALAR
inline constexpr int kTileRows = 1;
inline constexpr int kTileGroups = 1;
#else
inline constexpr int kTileRows = 4;
inline constexpr int kTileGroups = 1;
#endif

#if HWY_TARGET <= HWY_AVX3_DL
inline constexpr bool kHas8BitSteps = true;
#else
inline constexpr bool kHas8BitSteps = false;
#endif

/// sum + a0*b0 + a1*b1 in each lane, int16 elements. -32768 * -32768 * 2 wraps to -2^31; the callers see to
/// it that no sum leaves 32 bits.
struct DotInt16 {
  static HWY_INLINE V32 add(V32 sum, V32 a, V32 b) {
#if HWY_TARGET <= HWY_AVX3_DL
    asm("vpdpwssd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
    return sum;
#elif HWY_TARGET == HWY_AVX3
    return V32{_mm512_add_epi32(sum.raw, _mm512_madd_epi16(a.raw, b.raw))};
#elif HWY_TARGET == HWY_AVX2
    return V32{_mm256_add_epi32(sum.raw, _mm256_madd_epi16(a.raw, b.raw))};
#elif HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_SSSE3
    return V32{_mm_add_epi32(sum.raw, _mm_madd_epi16(a.raw, b.raw))};
#else
    const V32 odd = hn::Mul(hn::ShiftRight<16>(a), hn::ShiftRight<16>(b));
    const V32 even =
        hn::Mul(hn::ShiftRight<16>(hn::ShiftLeft<16>(a)), hn::ShiftRight<16>(hn::ShiftLeft<16>(b)));
    return hn::Add(sum, hn::Add(even, odd));
#endif
  }
};

/// sum + the four products of unsigned a and signed b; nothing saturates. Only where kHas8BitSteps.
struct DotU8S8 {
  static HWY_INLINE V32 add(V32 sum, V32 a, V32 b) {
#if HWY_TARGET <= HWY_AVX3_DL
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
#else
    static_cast<void>(a);
    static_cast<void>(b);
#endif
    return sum;
  }
};

struct DotS8U8 {
  static HWY_INLINE V32 add(V32 sum, V32 a, V32 b) { return DotU8S8::add(sum, b, a); }
};

/// Running minimum and maximum of everything a block computes.
struct Extremes {
  V32 low;
  V32 high;

  Extremes()
      : low(hn::Set(D32(), std::numeric_limits<std::int32_t>::max())),
        high(hn::Set(D32(), std::numeric_limits<std::int32_t>::min())) {}
  void reduce(std::int32_t& min, std::int32_t& max) const {
    const D32 d;
    min = hn::GetLane(hn::MinOfLanes(d, low));
    max = hn::GetLane(hn::MaxOfLanes(d, high));
  }
};

/// One 32-bit step in every lane.
HWY_INLINE V32 broadcast_step(const std::byte* p) {
  std::int32_t step = 0;
  std::memcpy(&step, p, sizeof step);
  return hn::Set(D32(), step);
}

/// Panel vector `v` of the step at `panel`, kGroups panels of `stride` bytes.
template <int kGroups>
HWY_INLINE V32 load_panel(const std::byte* panel, std::int64_t stride, int v) {
  const std::int64_t offset = (v / kGroupVectors) * stride + (v % kGroupVectors) * kLanes * kStepBytes;
  return hn::LoadU(D32(), reinterpret_cast<const std::int32_t*>(panel + offset));
}

// The loops over a tile's registers are unrolled by templates: with constant indices the compiler keeps the
// arrays in registers at any optimization level.
#define QSIM_UNROLLED __attribute__((always_inline))

template <class Function, int... kIndex>
HWY_INLINE void unroll(const Function& function, std::integer_sequence<int, kIndex...> /*indices*/) {
  (function(std::integral_constant<int, kIndex>()), ...);
}
/// function(0), function(1), ... function(kCount - 1) with constant arguments.
template <int kCount, class Function>
HWY_INLINE void unroll(const Function& function) {
  unroll(function, std::make_integer_sequence<int, kCount>());
}

/// kRows x kGroups * 16 accumulators in registers.
template <int kRows, int kGroups>
struct Tile {
  static constexpr int kVectors = kGroups * kGroupVectors;
  V32 acc[kRows][kVectors];

  template <class Function>
  HWY_INLINE void for_each(const Function& function) {
    unroll<kRows>([&](auto r) QSIM_UNROLLED {
      unroll<kVectors>([&](auto v) QSIM_UNROLLED { function(acc[r][v], r, v); });
    });
  }

  /// Adds the steps of one chunk, at least one. `row` and `panel` are at its first step.
  template <class Dot>
  HWY_INLINE void add_chunk(const std::byte* row, std::int64_t row_stride, const std::byte* panel,
                            std::int64_t panel_stride, std::int64_t steps) {
    do {
      V32 b[kVectors];
      unroll<kVectors>([&](auto v) QSIM_UNROLLED { b[v] = load_panel<kGroups>(panel, panel_stride, v); });
      unroll<kRows>([&](auto r) QSIM_UNROLLED {
        const V32 a = broadcast_step(row + r * row_stride);
        unroll<kVectors>([&](auto v) QSIM_UNROLLED { acc[r][v] = Dot::add(acc[r][v], a, b[v]); });
      });
      row += kStepBytes;
      panel += kGroupColumns * kStepBytes;
    } while (--steps > 0);
  }
};

/// One tile over the whole reduction; after each chunk the accumulators join the extremes.
template <class Dot, int kRows, int kGroups>
HWY_NOINLINE void narrow_tile(const NarrowBlock& block, std::int64_t first_row, std::int64_t first_group,
                              Extremes& extremes) {
  const D32 d;
  const StepOperands& operands = block.operands;
  const std::int64_t first_column = first_group * kGroupColumns;
  const std::byte* row = operands.rows + first_row * operands.row_stride_bytes;
  const std::byte* panel = operands.panels + first_group * operands.panel_stride_bytes;
  const std::int32_t* offsets =
      operands.chunk_offsets == nullptr ? nullptr : operands.chunk_offsets + first_column;
  const std::int32_t* preload = block.preload + first_column;
  Tile<kRows, kGroups> tile;
  tile.for_each([&](V32& acc, auto, auto v) QSIM_UNROLLED { acc = hn::LoadU(d, preload + v * kLanes); });
  V32 low = extremes.low;
  V32 high = extremes.high;
  for (std::int64_t c = 0; c < operands.chunk_count; ++c) {
    if (offsets != nullptr) {
      tile.for_each([&](V32& acc, auto, auto v)
                        QSIM_UNROLLED { acc = hn::Add(acc, hn::LoadU(d, offsets + v * kLanes)); });
      offsets += operands.group_count * kGroupColumns;
    }
    const std::int64_t steps = operands.chunk_steps[c];
    tile.template add_chunk<Dot>(row, operands.row_stride_bytes, panel, operands.panel_stride_bytes, steps);
    row += steps * kStepBytes;
    panel += steps * kGroupColumns * kStepBytes;
    tile.for_each([&](V32& acc, auto, auto) QSIM_UNROLLED {
      low = hn::Min(low, acc);
      high = hn::Max(high, acc);
    });
  }
  extremes.low = low;
  extremes.high = high;
  std::int32_t* out = block.out + first_row * block.out_stride + first_column;
  tile.for_each([&](V32& acc, auto r, auto v)
                    QSIM_UNROLLED { hn::StoreU(acc, d, out + r * block.out_stride + v * kLanes); });
}

}  // namespace qsim::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
