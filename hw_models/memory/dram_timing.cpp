#include "hw_models/memory/dram_timing.h"

#include <algorithm>
#include <numeric>

namespace qsim {

std::int64_t DramTiming::cycles_up(Ticks ticks) const {
  return static_cast<std::int64_t>((ticks + ticks_per_cycle_ - 1) / ticks_per_cycle_);
}

DramTiming::DramTiming(const DramConfig& config, std::int64_t clock_khz)
    : burst_bytes_(config.burst_bytes), done_(static_cast<std::size_t>(config.outstanding_requests), 0) {
  // Core cycles a burst = burst_bytes * clock_hz / bandwidth, an exact fraction: numerator ticks of
  // 1/denominator cycle.
  const std::int64_t clock_hz = clock_khz * 1000;
  const std::int64_t shared = std::gcd(clock_hz, config.bandwidth_bytes_per_second);
  const std::int64_t cycles_numerator = clock_hz / shared;
  const std::int64_t denominator = config.bandwidth_bytes_per_second / shared;
  const std::int64_t reduce = std::gcd(burst_bytes_, denominator);
  ticks_per_cycle_ = denominator / reduce;
  burst_ticks_ = Ticks{cycles_numerator} * (burst_bytes_ / reduce);
  latency_ticks_ = config.latency_cycles * ticks_per_cycle_;
}

DramService DramTiming::serve(std::int64_t arrival_cycle, std::int64_t address, std::int64_t bytes,
                              std::int64_t earliest_done_cycle) {
  const std::int64_t first = address / burst_bytes_;
  const std::int64_t last = (address + bytes - 1) / burst_bytes_;
  const Ticks arrival = arrival_cycle * ticks_per_cycle_;
  for (std::int64_t burst = first; burst <= last; ++burst) {
    const Ticks request = std::max({arrival, last_request_, done_[next_]});
    const Ticks done = std::max(std::max(request + latency_ticks_, last_done_) + burst_ticks_,
                                earliest_done_cycle * ticks_per_cycle_);
    last_request_ = request;
    last_done_ = done;
    done_[next_] = done;
    next_ = next_ + 1 == done_.size() ? 0 : next_ + 1;
  }
  return {cycles_up(last_request_), cycles_up(last_done_), last - first + 1};
}

}  // namespace qsim
