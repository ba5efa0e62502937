// The simple memory: every request's time is decided when it arrives (dram_timing.h).
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "hw_models/hardware_config.h"
#include "hw_models/memory/dram_timing.h"
#include "hw_models/memory/memory_model.h"

namespace qsim {

/// Reads and writes share bandwidth, latency and outstanding requests, or writes have a channel of their own
/// (DramConfig::write_bandwidth_bytes_per_second). Each channel completes its requests in order.
class SimpleMemory : public MemoryModel {
 public:
  SimpleMemory(const DramConfig& config, std::int64_t clock_khz);

  [[nodiscard]] std::optional<std::int64_t> arrive(std::int64_t now, const MemoryRequest& request) override;
  [[nodiscard]] std::optional<std::int64_t> next() const override;
  [[nodiscard]] std::optional<MemoryEvent> take(std::int64_t now) override;

 private:
  struct Pending {
    std::int64_t done = 0;
    std::uint64_t id = 0;
  };
  struct Channel {
    DramTiming timing;
    std::deque<Pending> pending;
  };
  /// The channel whose request is complete first, of equal ones that which arrived first; nullptr: none.
  [[nodiscard]] const Channel* first() const;

  Channel reads_;  ///< And writes, where they share.
  std::optional<Channel> writes_;
};

}  // namespace qsim
