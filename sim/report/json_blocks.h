// Parts of the JSON that reports of several kinds share; keys are the contract's (docs/report.md).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/report/summary.h"

namespace qsim {

/// Reports name files without their folders, so that they are the same wherever they are made.
[[nodiscard]] std::string base_name(const std::string& path);
[[nodiscard]] nlohmann::ordered_json energy_json(const EnergyBreakdown& energy);
/// Components that have an area, in mm2.
[[nodiscard]] nlohmann::ordered_json area_json(const AreaBreakdown& area_mm2);
/// {cycle class: cycles}
[[nodiscard]] nlohmann::ordered_json cycles_json(const CycleBreakdown& cycles);
[[nodiscard]] nlohmann::ordered_json limit_cycles_json(const Limits& limits);
[[nodiscard]] nlohmann::ordered_json traffic_json(const TrafficBytes& traffic);
/// null where the row has none.
[[nodiscard]] nlohmann::ordered_json bits_or_null(int bits);
/// What the row's accumulators saw; null without accumulators, nulls inside without values.
[[nodiscard]] nlohmann::ordered_json accumulator_json(const LayerResult& layer);
/// `totals` of the report.
[[nodiscard]] nlohmann::ordered_json totals_json(const RunResult& result, const RunSummary& summary);
/// The resolved chip; of a table's path the base name.
[[nodiscard]] nlohmann::ordered_json hardware_json(const HardwareConfig& hardware);

}  // namespace qsim
