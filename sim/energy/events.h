// The events that a report shows: the modules' counters, and the same counts told apart where the unit energy
// depends on a row's precision or rounding profile.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sim/result.h"

namespace qsim {

/// Event name -> count, sorted by name.
using EventCounts = std::map<std::string, std::int64_t>;

/// Something that a report counts: a counter of the modules, a part of one, or cycles. It is made from an
/// Event or by the functions below, so that an energy term for an event that nothing counts does not compile.
class ShownEvent {
 public:
  ShownEvent(Event event)
      : name_(event_name(event)) {}  // NOLINT(google-explicit-constructor): terms name events

  [[nodiscard]] const std::string& name() const { return name_; }

  friend ShownEvent mac_event(int weight_bits, int activation_bits, std::optional<Dataflow> dataflow);
  friend ShownEvent weight_register_event(int weight_bits);
  friend ShownEvent activation_register_event(int activation_bits);
  friend ShownEvent requantization_event(arithmetic::RoundingProfile profile);
  friend ShownEvent cycle_event();
  friend ShownEvent compute_cycle_event();
  friend ShownEvent idle_cycle_event();
  friend ShownEvent cycle_event(int weight_bits, int activation_bits);
  friend ShownEvent compute_cycle_event(int weight_bits, int activation_bits);

 private:
  explicit ShownEvent(std::string name) : name_(std::move(name)) {}
  std::string name_;
};

/// "macs_w8a8": MACs of 8-bit weights and activations; of arrays that offer several dataflows, whose MACs
/// move different operands, "macs_w8a8_output_stationary".
[[nodiscard]] ShownEvent mac_event(int weight_bits, int activation_bits, std::optional<Dataflow> dataflow);
/// "weight_register_writes_w8"
[[nodiscard]] ShownEvent weight_register_event(int weight_bits);
/// "activation_register_writes_a8"
[[nodiscard]] ShownEvent activation_register_event(int activation_bits);
/// "requantizations_float32"
[[nodiscard]] ShownEvent requantization_event(arithmetic::RoundingProfile profile);
/// "cycles"
[[nodiscard]] ShownEvent cycle_event();
/// "compute_cycles": cycles in which the array issues MACs.
[[nodiscard]] ShownEvent compute_cycle_event();
/// "idle_cycles": cycles between inferences at a rate (docs/energy.md). No row has any.
[[nodiscard]] ShownEvent idle_cycle_event();
/// "cycles_w8a8", "compute_cycles_w8a8": of rows with products of these widths, where the array is built for
/// each (PrecisionModel::is_built_for_layer).
[[nodiscard]] ShownEvent cycle_event(int weight_bits, int activation_bits);
[[nodiscard]] ShownEvent compute_cycle_event(int weight_bits, int activation_bits);

/// Counters that are told apart too, and how the names of the parts go on behind theirs.
struct SplitEvent {
  Event event{};
  std::string_view suffix;
};
inline constexpr std::array<SplitEvent, 4> kSplitEvents{{{Event::macs, "_w"},
                                                         {Event::weight_register_writes, "_w"},
                                                         {Event::activation_register_writes, "_a"},
                                                         {Event::requantizations, "_"}}};

/// Every counter under its event_name(), zeros included, and `cycles`.
[[nodiscard]] EventCounts counter_events(const Activity& activity, std::int64_t cycles);
/// counter_events of a row, its compute_cycles, and the counts by precision and profile. Throws
/// std::logic_error where a row counts MACs without bits or requantizations without a profile.
[[nodiscard]] EventCounts layer_events(const LayerResult& layer);
/// Sum over all rows.
[[nodiscard]] EventCounts total_events(const RunResult& result);

}  // namespace qsim
