// When bursts come back from the memory: bandwidth, latency, whole bursts, a window of outstanding requests.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/hardware_config.h"

namespace qsim {

/// Timing of one request that may take several bursts.
struct DramService {
  std::int64_t accepted_cycle = 0;  ///< The last burst's request has been taken; the next request may follow.
  std::int64_t done_cycle = 0;      ///< The last burst's data has been transferred.
  std::int64_t bursts = 0;          ///< Whole aligned bursts that the request touches.
};

/// The simple memory. Burst i (all requests together, in order of arrival) is requested when it has arrived,
/// the previous one has been requested, and fewer than `outstanding_requests` are in flight; its data takes
/// the bus after the latency and after its predecessor's:
///
///   request(i) = max(arrival(i), request(i-1), done(i - outstanding))
///   done(i)    = max(request(i) + latency, done(i-1)) + burst_bytes / bandwidth, and not before
///   `earliest_done`
///
/// Bus time is kept in exact fractions of a cycle; what leaves is rounded up to whole cycles.
class DramTiming {
 public:
  DramTiming(const DramConfig& config, std::int64_t clock_khz);

  [[nodiscard]] DramService serve(std::int64_t arrival_cycle, std::int64_t address, std::int64_t bytes,
                                  std::int64_t earliest_done_cycle = 0);

 private:
  /// 1/ticks_per_cycle of a core cycle each. A bandwidth that has no divisor in common with the clock makes
  /// 10^14 of them a cycle: 64 bits would hold less than 10^5 cycles.
  __extension__ using Ticks = __int128;
  [[nodiscard]] std::int64_t cycles_up(Ticks ticks) const;

  std::int64_t burst_bytes_;
  Ticks ticks_per_cycle_;
  Ticks burst_ticks_;  ///< Bus time of a burst.
  Ticks latency_ticks_;
  Ticks last_request_ = 0;
  Ticks last_done_ = 0;
  std::vector<Ticks> done_;  ///< Ring of the last `outstanding` completions.
  std::size_t next_ = 0;
};

}  // namespace qsim
