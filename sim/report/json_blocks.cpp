#include "sim/report/json_blocks.h"

#include <cmath>
#include <filesystem>

#include "sim/config/named_files.h"
#include "sim/config/write_hardware.h"

namespace qsim {

using Json = nlohmann::ordered_json;

std::string base_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

Json energy_json(const EnergyBreakdown& energy) {
  Json json = Json::object();
  for (std::size_t i = 0; i < kComponentCount; ++i)
    json[component_name(static_cast<Component>(i))] = energy[i];
  return json;
}

Json traffic_json(const TrafficBytes& traffic) {
  Json json = Json::object();
  for (std::size_t i = 0; i < kTrafficCount; ++i) json[traffic_name(static_cast<Traffic>(i))] = traffic[i];
  return json;
}

Json cycles_json(const CycleBreakdown& cycles) {
  Json json = Json::object();
  for (std::size_t i = 0; i < kCycleClassCount; ++i) {
    json[std::string(cycle_class_name(static_cast<CycleClass>(i)))] = cycles[i];
  }
  return json;
}

Json limit_cycles_json(const Limits& limits) {
  Json json = Json::object();
  for (std::size_t i = 0; i < kLimitCount; ++i) {
    json[std::string(limit_name(static_cast<Limit>(i)))] = std::llround(limits.cycles[i]);
  }
  return json;
}

Json bits_or_null(int bits) {
  return bits > 0 ? Json(bits) : Json(nullptr);
}

Json accumulator_json(const LayerResult& layer) {
  if (layer.accumulator_bits == 0) return nullptr;
  Json json = {{"min", nullptr}, {"max", nullptr}, {"bits_used", nullptr}};
  json["worst_min"] = nullptr;
  json["worst_max"] = nullptr;
  json["bits_worst_case"] = nullptr;
  if (layer.accumulator_worst_case) {
    json["worst_min"] = layer.accumulator_worst_case->min;
    json["worst_max"] = layer.accumulator_worst_case->max;
    json["bits_worst_case"] = layer.accumulator_worst_case->bits();
  }
  json["bits_any_weights"] = bits_or_null(layer.accumulator_bits_any_weights);
  json["overflows"] = nullptr;
  if (layer.accumulator && layer.accumulator->min <= layer.accumulator->max) {
    json["min"] = layer.accumulator->min;
    json["max"] = layer.accumulator->max;
    json["bits_used"] = arithmetic::signed_bits(layer.accumulator->min, layer.accumulator->max);
    json["overflows"] = layer.accumulator->overflows;
  }
  return json;
}

Json totals_json(const RunResult& result, const RunSummary& summary) {
  const double total = summary.totals.energy_total_pj;
  return {{"cycles", result.total_cycles},
          {"latency_s", summary.latency_s},
          {"inferences_per_second", summary.inferences_per_second},
          {"macs", result.macs},
          {"mac_utilization", summary.totals.mac_utilization},
          {"peak_macs_per_cycle", result.peak_macs_per_cycle},
          {"energy_total_pj", total},
          {"energy_low_pj", summary.uncertainty.low_pj(total)},
          {"energy_high_pj", summary.uncertainty.high_pj(total)},
          {"assumed_share", total > 0.0 ? summary.uncertainty.energy_pj / total : 0.0},
          {"power_w", summary.power_w},
          {"dram_bytes", summary.dram_bytes},
          {"dram_bus_bytes", summary.dram_bus_bytes},
          {"area_mm2", total_mm2(summary.area_mm2)}};
}

Json area_json(const AreaBreakdown& area_mm2) {
  Json json = Json::object();
  for (std::size_t i = 0; i < kComponentCount; ++i) {
    if (area_mm2[i] > 0.0) json[component_name(static_cast<Component>(i))] = area_mm2[i];
  }
  return json;
}

Json hardware_json(const HardwareConfig& hardware) {
  Json json = hardware_to_json(hardware);
  json["mac_array"]["adder_tree_cycles"] = hardware.mac_array.tree_cycles();
  if (is_file_path(hardware.energy)) json["energy"] = base_name(hardware.energy);
  return json;
}

}  // namespace qsim
