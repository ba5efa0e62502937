// The settings of a chip that `explain` tries: the next larger step of each, and those that may be too large.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hw_models/hardware_config.h"

namespace qsim {

/// One change of a chip, as --set takes it.
struct Step {
  std::string name;               ///< "twice the bandwidth"
  std::vector<std::string> sets;  ///< "dram.bandwidth_gb_per_s=25.6", all of them at once.
};

/// The next step of each setting that the chip has: twice as much, or a second buffer where there is one.
/// Whether the chip may have it (ranges, rules between fields) is not looked at.
[[nodiscard]] std::vector<Step> next_steps(const HardwareConfig& hardware);

/// A setting of which less may be enough.
struct Amount {
  std::string path;  ///< "weight_buffer.capacity_kib"
  std::int64_t value = 0;
};
[[nodiscard]] std::vector<Amount> amounts_of(const HardwareConfig& hardware);

/// "PATH=VALUE"
[[nodiscard]] std::string set_of(const std::string& path, std::int64_t value);

/// Bursts that have to be in flight for the memory's bus to be busy all the time: one takes the bus while
/// the others wait out their latency,
///
///   ceil((latency + b) / b),   b = burst_bytes / bandwidth in cycles
[[nodiscard]] std::int64_t requests_for_bandwidth(const HardwareConfig& hardware);

}  // namespace qsim
