// Which of the DMA's channels goes next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace qsim {

enum class DmaChannel : std::uint8_t { weights, inputs, stores, count_ };
inline constexpr std::size_t kDmaChannels = static_cast<std::size_t>(DmaChannel::count_);

/// The channels of all requests of a run, one after the other.
using RequestOrder = std::vector<std::uint8_t>;

/// Without a given order: of the requests that are there, one of the earliest row (later layers' weights are
/// loaded ahead), and among those each channel in turn. With one (ChannelOrder::fixed): the channel whose
/// turn it is, as soon as it has a request.
class ChannelChoice {
 public:
  /// `fixed_order` and `recorded_order`, which gets the order of this run, may be absent.
  ChannelChoice(const RequestOrder* fixed_order, RequestOrder* recorded_order)
      : fixed_order_(fixed_order), recorded_order_(recorded_order) {}

  /// By channel, the row of the request that is there. Nothing: no channel may go.
  [[nodiscard]] std::optional<std::size_t> next(
      const std::array<std::optional<std::int32_t>, kDmaChannels>& rows) const;
  /// The channel's request goes.
  void serve(std::size_t channel);

 private:
  const RequestOrder* fixed_order_;
  RequestOrder* recorded_order_;
  std::size_t first_ = 0;   ///< The channel that is asked first.
  std::size_t served_ = 0;  ///< Requests.
};

}  // namespace qsim
