#include "hw_models/arithmetic/gemm_kernels.h"

#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hw_models/arithmetic/gemm_kernels.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "hw_models/arithmetic/gemm_tile-inl.h"
#include "hw_models/arithmetic/gemm_wide_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace qsim::arithmetic::HWY_NAMESPACE {

/// Tiles of kRows rows while they last, then smaller ones.
template <class Dot, int kRows, int kGroups>
void narrow_rows(const NarrowBlock& block, std::int64_t row, std::int64_t group, Extremes& extremes) {
  for (; row + kRows <= block.operands.row_count; row += kRows) {
    narrow_tile<Dot, kRows, kGroups>(block, row, group, extremes);
  }
  if constexpr (kRows > 1) {
    narrow_rows<Dot, kRows / 2, kGroups>(block, row, group, extremes);
  }
}

template <class Dot>
void narrow_block(NarrowBlock& block) {
  Extremes extremes;
  std::int64_t group = 0;
  for (; group + kTileGroups <= block.operands.group_count; group += kTileGroups) {
    narrow_rows<Dot, kTileRows, kTileGroups>(block, 0, group, extremes);
  }
  for (; group < block.operands.group_count; ++group) {
    narrow_rows<Dot, kTileRows, 1>(block, 0, group, extremes);
  }
  extremes.reduce(block.min, block.max);
}

template <class Dot>
void wide_block(WideBlock& block) {
  constexpr int kRows = kTileRows < 4 ? kTileRows : 4;
  for (std::int64_t group = 0; group < block.operands.group_count; ++group) {
    std::int64_t row = 0;
    for (; row + kRows <= block.operands.row_count; row += kRows) {
      wide_tile<Dot, kRows>(block, row, group);
    }
    for (; row < block.operands.row_count; ++row) {
      wide_tile<Dot, 1>(block, row, group);
    }
  }
}

void RunNarrowBlock(NarrowBlock& block) {
  if constexpr (kHas8BitSteps) {
    if (block.operands.kind == StepKind::u8_times_s8) {
      return narrow_block<DotU8S8>(block);
    }
    if (block.operands.kind == StepKind::s8_times_u8) {
      return narrow_block<DotS8U8>(block);
    }
  }
  narrow_block<DotInt16>(block);
}

void RunWideBlock(WideBlock& block) {
  if constexpr (kHas8BitSteps) {
    if (block.operands.kind == StepKind::u8_times_s8) {
      return wide_block<DotU8S8>(block);
    }
    if (block.operands.kind == StepKind::s8_times_u8) {
      return wide_block<DotS8U8>(block);
    }
  }
  wide_block<DotInt16>(block);
}

bool Has8BitSteps() {
  return kHas8BitSteps;
}

void NarrowToBytes(const std::int16_t* in, std::int64_t count, int offset, std::byte* out) {
  const hn::ScalableTag<std::int16_t> d16;
  const hn::Rebind<std::uint8_t, decltype(d16)> d8;
  const auto mask = hn::Set(d16, 0xFF);
  const auto shift = hn::Set(d16, static_cast<std::int16_t>(offset));
  auto* bytes = reinterpret_cast<std::uint8_t*>(out);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d16));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto low = hn::And(hn::Add(hn::LoadU(d16, in + i), shift), mask);
    hn::StoreU(hn::DemoteTo(d8, low), d8, bytes + i);
  }
  for (; i < count; ++i) {
    bytes[i] = static_cast<std::uint8_t>(in[i] + offset);
  }
}

}  // namespace qsim::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace qsim::arithmetic {

HWY_EXPORT(RunNarrowBlock);
HWY_EXPORT(RunWideBlock);
HWY_EXPORT(Has8BitSteps);
HWY_EXPORT(NarrowToBytes);

void run_narrow_block(NarrowBlock& block) {
  HWY_DYNAMIC_DISPATCH(RunNarrowBlock)(block);
}
void run_wide_block(WideBlock& block) {
  HWY_DYNAMIC_DISPATCH(RunWideBlock)(block);
}
bool has_8bit_steps() {
  return HWY_DYNAMIC_DISPATCH(Has8BitSteps)();
}
void narrow_to_bytes(const std::int16_t* in, std::int64_t count, int offset, std::byte* out) {
  HWY_DYNAMIC_DISPATCH(NarrowToBytes)(in, count, offset, out);
}

}  // namespace qsim::arithmetic
#endif
