// Scales of groups as integer multiples of their channel's scale: what the accumulators can multiply by.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

/// s_g = m_g * s for the groups of one output channel.
struct ChannelGroups {
  float scale = 1.0F;                     ///< s
  std::vector<std::int32_t> multipliers;  ///< m_g, 1 to 2^bits - 1
  double error = 0.0;                     ///< max_g |m_g * s / s_g - 1|; 0 below the rounding of float32.
};

/// The smallest multipliers of at most `multiplier_bits` bits (1 to kMaxGroupMultiplierBits) that give the
/// scales (finite, above 0) to float32's rounding; where there are none, those that come closest.
[[nodiscard]] ChannelGroups fit_group_scales(std::span<const float> scales, int multiplier_bits);

/// Gives `q`, of weights with `channels` output channels, groups of `group_size` elements: `scales` has one
/// entry a group of the tensor. Sets scales (one an output channel), axis, group_size, group_multipliers and
/// group_scale_error; zero points are the caller's.
void set_group_scales(Quantization& q, std::int64_t group_size, std::span<const float> scales,
                      std::int64_t channels, int multiplier_bits);

}  // namespace qsim
