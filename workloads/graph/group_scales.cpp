#include "workloads/graph/group_scales.h"

#include <algorithm>
#include <cmath>

namespace qsim {
namespace {

/// Scales are float32, and so is the channel's: a quotient of two is off by two roundings.
constexpr double kExact = 0x1p-22;
/// Multipliers of the largest scale that are tried; beyond it only the largest of all.
constexpr std::int32_t kMostTried = 1023;

/// The multipliers with which the largest scale is `top` times the channel's.
ChannelGroups with_top(std::span<const float> scales, double largest, std::int32_t top) {
  ChannelGroups groups;
  groups.scale = static_cast<float>(largest / top);
  const auto unit = static_cast<double>(groups.scale);
  for (const float scale : scales) {
    const double ratio = static_cast<double>(scale) / unit;
    const auto multiplier =
        static_cast<std::int32_t>(std::clamp(std::nearbyint(ratio), 1.0, static_cast<double>(top)));
    groups.multipliers.push_back(multiplier);
    groups.error = std::max(groups.error, std::abs(multiplier / ratio - 1.0));
  }
  return groups;
}

}  // namespace

ChannelGroups fit_group_scales(std::span<const float> scales, int multiplier_bits) {
  const auto largest = static_cast<double>(*std::max_element(scales.begin(), scales.end()));
  const std::int32_t most = (1 << multiplier_bits) - 1;
  ChannelGroups best = with_top(scales, largest, most);
  for (std::int32_t top = 1; top <= std::min(most, kMostTried); ++top) {
    ChannelGroups groups = with_top(scales, largest, top);
    if (groups.error <= kExact) {
      groups.error = 0.0;
      return groups;
    }
    if (groups.error < best.error) best = std::move(groups);
  }
  if (best.error <= kExact) best.error = 0.0;
  return best;
}

void set_group_scales(Quantization& q, std::int64_t group_size, std::span<const float> scales,
                      std::int64_t channels, int multiplier_bits) {
  q.axis = 0;
  q.group_size = group_size;
  q.scales.clear();
  q.group_multipliers.clear();
  q.group_scale_error = 0.0;
  const std::size_t groups = scales.size() / static_cast<std::size_t>(channels);
  for (std::size_t n = 0; n < static_cast<std::size_t>(channels); ++n) {
    const ChannelGroups channel = fit_group_scales(scales.subspan(n * groups, groups), multiplier_bits);
    q.scales.push_back(channel.scale);
    q.group_multipliers.insert(q.group_multipliers.end(), channel.multipliers.begin(),
                               channel.multipliers.end());
    q.group_scale_error = std::max(q.group_scale_error, channel.error);
  }
}

}  // namespace qsim
