// How many bytes the memory's bus carried when: the counters of a trace.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "hw_models/cycle.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// Bytes that were asked for (not whole bursts), by windows of equal length from cycle 0 on.
struct BusWindows {
  Cycle window_cycles = 1;
  std::vector<double> read_bytes, written_bytes;  ///< Of equal length; a request may lie in several windows.
};

/// Requests take the bus one after the other, at its full bandwidth and as late as their completion allows:
///
///   begin(i) = max(end(i-1), done(i) - bytes(i) / bandwidth),   end(i) = begin(i) + bytes(i) / bandwidth
///
/// done(i), rounded up to whole cycles, is less than a cycle after the true end, and so is end(i). No window
/// holds more than its length times the bandwidth, and the sum of all windows is the sum of all requests. The
/// windows double in length when there would be too many of them.
class BusTraffic {
 public:
  static constexpr std::size_t kMostWindows = 1024;

  /// Keeps nothing.
  BusTraffic() = default;
  BusTraffic(const DramConfig& config, std::int64_t clock_khz);

  /// Of one bus in the order of completion.
  void record(bool is_read, std::int64_t bytes, Cycle done);
  [[nodiscard]] const BusWindows& windows() const { return windows_; }

 private:
  void add(bool is_read, double begin, double end, double bytes);
  void double_windows();

  std::array<double, 2> bytes_per_cycle_{};  ///< Written, read.
  std::array<double, 2> end_{};              ///< When the bus is free again; of a shared one both are equal.
  bool is_shared_ = true;
  BusWindows windows_;
};

}  // namespace qsim
