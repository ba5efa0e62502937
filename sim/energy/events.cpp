#include "sim/energy/events.h"

#include <cstddef>
#include <stdexcept>

namespace qsim {

std::string mac_event(int weight_bits, int activation_bits) {
  return "macs_w" + std::to_string(weight_bits) + "a" + std::to_string(activation_bits);
}

std::string weight_register_event(int weight_bits) {
  return "weight_register_writes_w" + std::to_string(weight_bits);
}

std::string activation_register_event(int activation_bits) {
  return "activation_register_writes_a" + std::to_string(activation_bits);
}

std::string requantization_event(arithmetic::RoundingProfile profile) {
  return std::string("requantizations_") + arithmetic::rounding_profile_name(profile);
}

EventCounts counter_events(const Activity& activity, std::int64_t cycles) {
  EventCounts events;
  for (std::size_t i = 0; i < kEventCount; ++i) {
    events[std::string(event_name(static_cast<Event>(i)))] = activity.counts[i];
  }
  events["cycles"] = cycles;
  return events;
}

EventCounts layer_events(const LayerResult& layer) {
  EventCounts events = counter_events(layer.activity, layer.cycles);
  const std::int64_t macs = layer.activity[Event::macs];
  const std::int64_t register_writes = layer.activity[Event::weight_register_writes];
  const std::int64_t activation_writes = layer.activity[Event::activation_register_writes];
  const std::int64_t requantizations = layer.activity[Event::requantizations];
  if ((macs != 0 || register_writes != 0) && (layer.weight_bits <= 0 || layer.activation_bits <= 0)) {
    throw std::logic_error("row " + layer.name + " counts MACs but has no bit widths");
  }
  if (requantizations != 0 && !layer.rounding_profile) {
    throw std::logic_error("row " + layer.name + " counts requantizations but has no rounding profile");
  }
  if (macs != 0) events[mac_event(layer.weight_bits, layer.activation_bits)] = macs;
  if (register_writes != 0) events[weight_register_event(layer.weight_bits)] = register_writes;
  if (activation_writes != 0) events[activation_register_event(layer.activation_bits)] = activation_writes;
  if (requantizations != 0) events[requantization_event(*layer.rounding_profile)] = requantizations;
  return events;
}

EventCounts total_events(const RunResult& result) {
  EventCounts total = counter_events(Activity{}, 0);
  for (const LayerResult& layer : result.layers) {
    for (const auto& [name, count] : layer_events(layer)) total[name] += count;
  }
  return total;
}

}  // namespace qsim
