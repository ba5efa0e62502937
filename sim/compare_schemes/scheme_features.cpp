#include "sim/compare_schemes/scheme_features.h"

#include <algorithm>

#include "base/error.h"
#include "sim/compare_schemes/model_bytes.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kNarrowestAccumulator = 8;

/// The scheme with a change in itself, its exceptions included.
template <typename Change>
Scheme changed(const Scheme& scheme, const Change& change, void (*change_layer)(LayerScheme&)) {
  Scheme other = scheme;
  change(other);
  for (auto& [name, layer] : other.layers) change_layer(layer);
  return other;
}

template <typename Has>
bool any_weights(const Scheme& scheme, const Has& has) {
  if (has(scheme.weights)) return true;
  return std::ranges::any_of(scheme.layers,
                             [&](const auto& layer) { return has(scheme.weights_of(layer.first)); });
}

void add_zero_points(const Scheme& scheme, std::vector<SchemeFeature>& features) {
  if (any_weights(scheme, [](const WeightScheme& weights) { return !weights.is_symmetric; })) {
    features.push_back(
        {"zero_points_of_weights",
         "an adder beside each column's accumulators sums the inputs (zero_point_input_adds); the "
         "requantizer subtracts z_w times the sum",
         changed(
             scheme, [](Scheme& s) { s.weights.is_symmetric = true; },
             [](LayerScheme& layer) { layer.weights_symmetric.reset(); }),
         {}});
  }
  if (!scheme.activations.is_symmetric.value_or(false)) {
    features.push_back(
        {"zero_points_of_activations",
         "z_x times the sum of the weights is folded into the bias that the accumulators start "
         "from: no event",
         changed(
             scheme, [](Scheme& s) { s.activations.is_symmetric = true; },
             [](LayerScheme& layer) { layer.activations_symmetric.reset(); }),
         {}});
  }
}

void add_scales(const Scheme& scheme, std::vector<SchemeFeature>& features) {
  const auto has = [&](Granularity granularity) {
    return any_weights(scheme,
                       [&](const WeightScheme& weights) { return weights.granularity == granularity; });
  };
  const auto with = [&](Granularity granularity) {
    return changed(
        scheme,
        [&](Scheme& s) {
          s.weights.granularity = granularity;
          s.weights.group_size = 0;
        },
        [](LayerScheme& layer) {
          layer.granularity.reset();
          layer.group_size = 0;
        });
  };
  if (has(Granularity::per_group)) {
    features.push_back(
        {"scales_of_groups",
         "each group's sum is multiplied before it joins the accumulator (group_multiplies); the "
         "multipliers are parameters",
         with(Granularity::per_channel),
         {}});
  }
  if (has(Granularity::per_channel)) {
    features.push_back({"scales_of_channels",
                        "a multiplier and a shift beside each bias: parameters read from DRAM and from the "
                        "weight buffer",
                        with(Granularity::per_tensor),
                        {}});
  }
  if (!scheme.is_power_of_two()) {
    features.push_back(
        {"multiplier",
         "a multiplication an output (requantizations_<profile>), against a shift",
         changed(
             scheme, [](Scheme& s) { s.scales = ScaleKind::power_of_two; }, [](LayerScheme&) {}),
         {}});
  }
}

void add_accumulators(const Scheme& scheme, const HardwareConfig& hardware, int accumulator_bits,
                      std::vector<SchemeFeature>& features) {
  const int product = hardware.mac_array.weight_bits + hardware.mac_array.activation_bits;
  const int enough = std::max({kNarrowestAccumulator, product, accumulator_bits});
  if (accumulator_bits == 0 || enough >= hardware.accumulators.width_bits) return;
  features.push_back({"wide_accumulators",
                      "reads and writes of " + std::to_string(hardware.accumulators.width_bits) +
                          " bits where " + std::to_string(enough) +
                          " hold every sum (accumulator_reads, accumulator_writes)",
                      scheme,
                      {set_of("accumulators.width_bits", enough)}});
}

Json energy_difference(const EnergyBreakdown& with, const EnergyBreakdown& without) {
  Json json = Json::object();
  for (std::size_t i = 0; i < kComponentCount; ++i) {
    if (with[i] != without[i]) json[component_name(static_cast<Component>(i))] = with[i] - without[i];
  }
  return json;
}

Json event_difference(const EventCounts& with, const EventCounts& without) {
  EventCounts difference = with;
  for (const auto& [name, count] : without) difference[name] -= count;
  Json json = Json::object();
  for (const auto& [name, count] : difference) {
    if (count != 0) json[name] = count;
  }
  return json;
}

Json area_difference(const CostRun& with, const CostRun& without) {
  const Json a = area_json(with);
  const Json b = area_json(without);
  return a.is_number() && b.is_number() ? Json(a.get<double>() - b.get<double>()) : Json(nullptr);
}

void add_differences(Json& json, const CostRun& with, std::int64_t bytes_with, const CostRun& without,
                     std::int64_t bytes_without) {
  const RowSummary& a = with.summary.totals;
  const RowSummary& b = without.summary.totals;
  json["cycles"] = with.result.total_cycles - without.result.total_cycles;
  json["energy_total_pj"] = a.energy_total_pj - b.energy_total_pj;
  json["energy_pj"] = energy_difference(a.energy_pj, b.energy_pj);
  json["dram_bytes"] = with.summary.dram_bytes - without.summary.dram_bytes;
  json["model_bytes"] = bytes_with - bytes_without;
  json["area_mm2"] = area_difference(with, without);
  json["events"] = event_difference(a.events, b.events);
  json["error"] = nullptr;
}

}  // namespace

std::vector<SchemeFeature> features_of(const Scheme& scheme, const HardwareConfig& hardware,
                                       int accumulator_bits) {
  std::vector<SchemeFeature> features;
  add_zero_points(scheme, features);
  add_scales(scheme, features);
  add_accumulators(scheme, hardware, accumulator_bits, features);
  return features;
}

Json features_json(const ComparedMachine& machine, const Scheme& scheme, const GraphWith& graph_with,
                   const Graph& graph, const CostRun& with, int accumulator_bits) {
  Json list = Json::array();
  for (const SchemeFeature& feature : features_of(scheme, with.hardware, accumulator_bits)) {
    Json json{{"feature", feature.name},
              {"meaning", feature.meaning},
              {"without", to_text(feature.without)},
              {"set", feature.sets}};
    try {
      const Graph other = feature.sets.empty() ? graph_with(feature.without) : graph;
      const CostRun without = run_without_values(machine, feature.sets, other);
      add_differences(json, with, model_bytes(graph), without, model_bytes(other));
    } catch (const InputError& error) {
      for (const char* key :
           {"cycles", "energy_total_pj", "energy_pj", "dram_bytes", "model_bytes", "area_mm2", "events"})
        json[key] = nullptr;
      json["error"] = error.what();
    }
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace qsim
