#include "sim/energy/events.h"

#include <cstddef>
#include <stdexcept>

#include "hw_models/dataflow/dataflow_table.h"

namespace qsim {

namespace {

std::string width_suffix(int weight_bits, int activation_bits) {
  return "_w" + std::to_string(weight_bits) + "a" + std::to_string(activation_bits);
}

}  // namespace

ShownEvent mac_event(int weight_bits, int activation_bits, std::optional<Dataflow> dataflow) {
  const std::string name = "macs" + width_suffix(weight_bits, activation_bits);
  if (!dataflow) return ShownEvent(name);
  return ShownEvent(name + "_" + dataflow_names()[static_cast<std::size_t>(*dataflow)]);
}

ShownEvent weight_register_event(int weight_bits) {
  return ShownEvent("weight_register_writes_w" + std::to_string(weight_bits));
}

ShownEvent activation_register_event(int activation_bits) {
  return ShownEvent("activation_register_writes_a" + std::to_string(activation_bits));
}

ShownEvent requantization_event(arithmetic::RoundingProfile profile) {
  return ShownEvent(std::string("requantizations_") + arithmetic::rounding_profile_name(profile));
}

ShownEvent cycle_event() {
  return ShownEvent("cycles");
}

ShownEvent compute_cycle_event() {
  return ShownEvent("compute_cycles");
}

ShownEvent idle_cycle_event() {
  return ShownEvent("idle_cycles");
}

ShownEvent cycle_event(int weight_bits, int activation_bits) {
  return ShownEvent(cycle_event().name() + width_suffix(weight_bits, activation_bits));
}

ShownEvent compute_cycle_event(int weight_bits, int activation_bits) {
  return ShownEvent(compute_cycle_event().name() + width_suffix(weight_bits, activation_bits));
}

EventCounts counter_events(const Activity& activity, std::int64_t cycles) {
  EventCounts events;
  for (const EventRow& row : kEvents) events[std::string(row.name)] = activity[row.event];
  events[cycle_event().name()] = cycles;
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
  events[compute_cycle_event().name()] =
      layer.cycles_breakdown[static_cast<std::size_t>(CycleClass::compute)];
  if (layer.is_array_built_for_it) {
    events[cycle_event(layer.weight_bits, layer.activation_bits).name()] = layer.cycles;
    events[compute_cycle_event(layer.weight_bits, layer.activation_bits).name()] =
        events[compute_cycle_event().name()];
  }
  if (macs != 0)
    events[mac_event(layer.weight_bits, layer.activation_bits, layer.chosen_dataflow).name()] = macs;
  if (register_writes != 0) events[weight_register_event(layer.weight_bits).name()] = register_writes;
  if (activation_writes != 0)
    events[activation_register_event(layer.activation_bits).name()] = activation_writes;
  if (requantizations != 0) events[requantization_event(*layer.rounding_profile).name()] = requantizations;
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
