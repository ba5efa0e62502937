#include "hw_models/arithmetic/depthwise_kernel.h"

#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "hw_models/arithmetic/depthwise_kernel.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include <algorithm>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace qsim::arithmetic::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Channels [channel, channel + lanes of D) of one pixel.
template <class D>
HWY_INLINE void run_channels(D d, const DepthwiseBlock& block, const std::int16_t* const* taps,
                             std::int64_t channel, std::int32_t* out, hn::Vec<D>& low, hn::Vec<D>& high) {
  const hn::Rebind<std::int16_t, D> d16;
  auto sum = hn::LoadU(d, block.preload + channel);
  std::int64_t t = 0;
  for (std::int64_t c = 0; c < block.chunk_count; ++c) {
    for (; t < block.chunk_ends[c]; ++t) {
      const auto a = hn::PromoteTo(d, hn::LoadU(d16, taps[t] + channel));
      const auto w = hn::PromoteTo(d, hn::LoadU(d16, block.weights + t * block.channels + channel));
      sum = hn::Add(sum, hn::Mul(a, w));
    }
    low = hn::Min(low, sum);
    high = hn::Max(high, sum);
  }
  hn::StoreU(sum, d, out + channel);
}

/// All pixels, channels [begin, end) in vectors of D.
template <class D>
void run_vectors(D d, DepthwiseBlock& block, std::int64_t begin, std::int64_t end) {
  auto low = hn::Set(d, std::numeric_limits<std::int32_t>::max());
  auto high = hn::Set(d, std::numeric_limits<std::int32_t>::min());
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t p = 0; p < block.pixels; ++p) {
    const std::int16_t* const* taps = block.pixel_taps + p * block.taps;
    for (std::int64_t channel = begin; channel < end; channel += lanes) {
      run_channels(d, block, taps, channel, block.out + p * block.channels, low, high);
    }
  }
  block.min = std::min(block.min, hn::GetLane(hn::MinOfLanes(d, low)));
  block.max = std::max(block.max, hn::GetLane(hn::MaxOfLanes(d, high)));
}

void RunDepthwiseBlock(DepthwiseBlock& block) {
  block.min = std::numeric_limits<std::int32_t>::max();
  block.max = std::numeric_limits<std::int32_t>::min();
  const hn::ScalableTag<std::int32_t> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t whole = block.channels / lanes * lanes;
  if (whole > 0) {
    run_vectors(d, block, 0, whole);
  }
  if (whole < block.channels) {
    run_vectors(hn::CappedTag<std::int32_t, 1>(), block, whole, block.channels);
  }
}

}  // namespace qsim::arithmetic::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace qsim::arithmetic {

HWY_EXPORT(RunDepthwiseBlock);
void run_depthwise_block(DepthwiseBlock& block) {
  HWY_DYNAMIC_DISPATCH(RunDepthwiseBlock)(block);
}

}  // namespace qsim::arithmetic
#endif
