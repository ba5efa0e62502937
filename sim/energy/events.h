// The events that a report shows: the modules' counters, and the same counts told apart where the unit energy
// depends on a row's precision or rounding profile.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "sim/result.h"

namespace qsim {

/// Event name -> count, sorted by name.
using EventCounts = std::map<std::string, std::int64_t>;

/// "macs_w8a8": MACs of 8-bit weights and activations.
[[nodiscard]] std::string mac_event(int weight_bits, int activation_bits);
/// "weight_register_writes_w8"
[[nodiscard]] std::string weight_register_event(int weight_bits);
/// "activation_register_writes_a8"
[[nodiscard]] std::string activation_register_event(int activation_bits);
/// "requantizations_float32"
[[nodiscard]] std::string requantization_event(arithmetic::RoundingProfile profile);

/// Every counter under its event_name(), zeros included, and `cycles`.
[[nodiscard]] EventCounts counter_events(const Activity& activity, std::int64_t cycles);
/// counter_events of a row, and the counts by precision and profile. Throws std::logic_error where a row
/// counts MACs without bits or requantizations without a profile.
[[nodiscard]] EventCounts layer_events(const LayerResult& layer);
/// Sum over all rows.
[[nodiscard]] EventCounts total_events(const RunResult& result);

}  // namespace qsim
