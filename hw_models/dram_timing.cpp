#include "hw_models/dram_timing.h"

#include <algorithm>
#include <numeric>

namespace qsim {

namespace {

std::int64_t cycles_up(std::int64_t ticks, std::int64_t ticks_per_cycle) {
  return (ticks + ticks_per_cycle - 1) / ticks_per_cycle;
}

}  // namespace

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
  burst_ticks_ = cycles_numerator * (burst_bytes_ / reduce);
  latency_ticks_ = config.latency_cycles * ticks_per_cycle_;
}

DramService DramTiming::serve(std::int64_t arrival_cycle, std::int64_t address, std::int64_t bytes,
                              std::int64_t earliest_done_cycle) {
  const std::int64_t first = address / burst_bytes_;
  const std::int64_t last = (address + bytes - 1) / burst_bytes_;
  const std::int64_t arrival = arrival_cycle * ticks_per_cycle_;
  for (std::int64_t burst = first; burst <= last; ++burst) {
    const std::int64_t request = std::max({arrival, last_request_, done_[next_]});
    const std::int64_t done = std::max(std::max(request + latency_ticks_, last_done_) + burst_ticks_,
                                       earliest_done_cycle * ticks_per_cycle_);
    last_request_ = request;
    last_done_ = done;
    done_[next_] = done;
    next_ = next_ + 1 == done_.size() ? 0 : next_ + 1;
  }
  return {cycles_up(last_request_, ticks_per_cycle_), cycles_up(last_done_, ticks_per_cycle_),
          last - first + 1};
}

}  // namespace qsim
