#include "sim/energy/event_rates.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qsim {
namespace {

constexpr std::array<const char*, 3> kObjectives = {"latency", "energy", "edp"};

/// A run of one row of this precision that has counted whatever there is.
RunResult one_row(const RowPrecision& precision, bool has_several_dataflows, bool is_built_for_layer) {
  RunResult run;
  LayerResult& row = run.layers.emplace_back();
  row.weight_bits = precision.weight_bits;
  row.activation_bits = precision.activation_bits;
  row.rounding_profile = precision.rounding_profile;
  row.is_array_built_for_it = precision.weight_bits > 0 && is_built_for_layer;
  if (has_several_dataflows) row.chosen_dataflow = precision.dataflow;
  if (precision.weight_bits > 0) row.activity.counts.fill(1);
  return run;
}

/// Counters that are told apart have a name of their own for each precision.
EventRates rates_of(const EnergyModel& model, const RowPrecision& precision) {
  const RunResult run = one_row(precision, model.has_several_dataflows(), model.is_built_for_layer());
  const std::vector<EnergyTerm> terms = model.terms(run);
  EventRates rates;
  const auto rate = [&](Event event, const std::string& shown) {
    for (const EnergyTerm& term : terms) {
      if (term.event.name() == shown) rates.event_pj[static_cast<std::size_t>(event)] += term.unit_pj;
    }
  };
  for (const EventRow& row : kEvents) rate(row.event, std::string(row.name));
  if (precision.weight_bits > 0) {
    const std::optional<Dataflow> chosen = run.layers[0].chosen_dataflow;
    rate(Event::macs, mac_event(precision.weight_bits, precision.activation_bits, chosen).name());
    rate(Event::weight_register_writes, weight_register_event(precision.weight_bits).name());
    rate(Event::activation_register_writes, activation_register_event(precision.activation_bits).name());
  }
  if (precision.rounding_profile)
    rate(Event::requantizations, requantization_event(*precision.rounding_profile).name());
  const int weight_bits = precision.weight_bits;
  const int activation_bits = precision.activation_bits;
  const auto is_of = [](const EnergyTerm& term, const ShownEvent& all, const ShownEvent& own) {
    return term.event.name() == all.name() || term.event.name() == own.name();
  };
  for (const EnergyTerm& term : terms) {
    if (is_of(term, cycle_event(), cycle_event(weight_bits, activation_bits))) rates.cycle_pj += term.unit_pj;
    // A full array has so many MACs in a cycle of its own.
    if (weight_bits > 0 &&
        is_of(term, compute_cycle_event(), compute_cycle_event(weight_bits, activation_bits))) {
      rates.event_pj[static_cast<std::size_t>(Event::macs)] +=
          term.unit_pj / model.macs_per_cycle(precision.weight_bits, precision.activation_bits);
    }
  }
  return rates;
}

}  // namespace

EnergyRates event_rates(const EnergyModel& model) {
  return [kept = std::make_shared<const EnergyModel>(model)](const RowPrecision& precision) {
    return rates_of(*kept, precision);
  };
}

std::unique_ptr<const Mapper> cost_mapper(Objective objective, const EnergyModel& model) {
  return std::make_unique<CostMapper>(objective, event_rates(model));
}

const char* objective_name(Objective objective) {
  return kObjectives[static_cast<std::size_t>(objective)];
}

Objective objective_of(std::string_view name) {
  std::size_t index = 0;
  while (index + 1 < kObjectives.size() && name != kObjectives[index]) ++index;
  return static_cast<Objective>(index);
}

}  // namespace qsim
