#include "hw_models/memory/channel_order.h"

namespace qsim {

std::optional<std::size_t> ChannelChoice::next(
    const std::array<std::optional<std::int32_t>, kDmaChannels>& rows) const {
  if (fixed_order_ != nullptr) {
    const std::size_t channel = fixed_order_->at(served_);
    return rows.at(channel) ? std::optional(channel) : std::nullopt;
  }
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < kDmaChannels; ++i) {
    const std::size_t channel = (first_ + i) % kDmaChannels;
    if (rows[channel] && (!found || *rows[channel] < *rows[*found])) found = channel;
  }
  return found;
}

void ChannelChoice::serve(std::size_t channel) {
  first_ = (channel + 1) % kDmaChannels;
  ++served_;
  if (recorded_order_ != nullptr) recorded_order_->push_back(static_cast<std::uint8_t>(channel));
}

}  // namespace qsim
