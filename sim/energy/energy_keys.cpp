#include "sim/energy/energy_keys.h"

#include <algorithm>
#include <array>

#include "hw_models/hardware_config.h"

namespace qsim {
namespace {

struct PlainKey {
  std::string_view key;
  std::string_view unit;
};

constexpr auto kPlainKeys = std::to_array<PlainKey>({
    {"int8_multiply", "pJ"},
    {"int32_multiply", "pJ"},
    {"int32_add", "pJ"},
    {"fp32_multiply", "pJ"},
    {"register_bit", "pJ"},
    {"shift", "pJ"},
    {"int32_compare", "pJ"},
    {"dma_byte", "pJ"},
    {"dma_request", "pJ"},
    {"command", "pJ"},
    {"wire_bit_mm", "pJ/mm"},
    {"clock_bit", "pJ"},
    {"clock_tree_mm2", "pJ/mm2"},
    {"control_cycle", "pJ"},
    {"interface_power", "mW"},
    {"leakage_mm2", "mW/mm2"},
    {"pe_area", "um2"},
    {"pe_area_bit2", "um2"},
    {"int32_add_area", "um2"},
    {"int32_multiply_area", "um2"},
    {"register_bit_area", "um2"},
    {"shift_area", "um2"},
    {"int32_compare_area", "um2"},
    {"control_area", "mm2"},
    {"wire_pitch", "um"},
});

/// Of the fusion units that precision.style bit_fusion has; other chips need none.
constexpr auto kFusionKeys = std::to_array<PlainKey>({{kFusionMultiplyKey, "pJ"}, {kFusionAreaKey, "um2"}});

/// Of each memory, behind its name.
constexpr auto kMemoryKeys = std::to_array<PlainKey>({{"_activate", "pJ"},
                                                      {"_row", "B"},
                                                      {"_read_bit", "pJ"},
                                                      {"_write_bit", "pJ"},
                                                      {"_background", "mW/(GB/s)"}});

/// What a memory may have: without it, it waits as it runs.
constexpr PlainKey kSelfRefresh{"_self_refresh", "mW/(GB/s)"};

/// Of each curve, behind its name.
constexpr auto kCurveKeys =
    std::to_array<PlainKey>({{"read_64bit", "pJ"}, {"write_64bit", "pJ"}, {"area", "mm2"}});

std::vector<EnergyKey> all_required() {
  std::vector<EnergyKey> keys;
  for (const PlainKey& plain : kPlainKeys) keys.push_back({std::string(plain.key), plain.unit, false});
  for (const PlainKey& curve : kCurveKeys) keys.push_back({curve_key("sram", curve.key), curve.unit, true});
  for (const char* memory : kMemoryDeviceNames) {
    for (const PlainKey& key : kMemoryKeys)
      keys.push_back({std::string(memory).append(key.key), key.unit, false});
  }
  return keys;
}

}  // namespace

const std::vector<EnergyKey>& required_energy_keys() {
  static const std::vector<EnergyKey> keys = all_required();
  return keys;
}

std::optional<EnergyKey> energy_key(const std::string& key) {
  const auto& required = required_energy_keys();
  const auto found = std::ranges::find(required, key, &EnergyKey::key);
  if (found != required.end()) return *found;
  for (const char* memory : kMemoryDeviceNames) {
    if (key == std::string(memory).append(kSelfRefresh.key)) return EnergyKey{key, kSelfRefresh.unit, false};
  }
  for (const PlainKey& fusion : kFusionKeys) {
    if (key == fusion.key) return EnergyKey{key, fusion.unit, false};
  }
  for (const PlainKey& curve : kCurveKeys) {
    const std::string suffix = curve_key("", curve.key);
    // Areas of operators are numbers: no curve is called after one of them.
    if (key.size() > suffix.size() && key.ends_with(suffix)) return EnergyKey{key, curve.unit, true};
  }
  return std::nullopt;
}

std::string curve_key(const std::string& curve, std::string_view what) {
  return std::string(curve).append("_").append(what);
}

const std::vector<std::string_view>& curve_parts() {
  static const std::vector<std::string_view> parts = [] {
    std::vector<std::string_view> names;
    for (const PlainKey& curve : kCurveKeys) names.push_back(curve.key);
    return names;
  }();
  return parts;
}

const std::vector<std::string>& energy_entry_kinds() {
  static const std::vector<std::string> kinds = {"measured",     "published",    "computed", "derived",
                                                 "interpolated", "extrapolated", "assumed"};
  return kinds;
}

}  // namespace qsim
