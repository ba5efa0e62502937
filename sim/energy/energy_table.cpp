#include "sim/energy/energy_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>

#include "base/json_reader.h"
#include "hw_models/dataflow/precision_style.h"
#include "sim/config/named_files.h"
#include "sim/energy/energy_keys.h"

namespace qsim {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Most tables that extend one another.
constexpr std::size_t kMaxChain = 16;

/// [[capacity in KiB, value], ...]: two or more, positive, capacities ascending.
std::vector<std::pair<double, double>> read_points(JsonObject& object) {
  std::vector<std::pair<double, double>> points;
  const Json* json = object.raw("points");
  bool good = json != nullptr && json->is_array() && json->size() >= 2;
  for (std::size_t i = 0; good && i < json->size(); ++i) {
    const Json& pair = (*json)[i];
    good = pair.is_array() && pair.size() == 2 && pair[0].is_number() && pair[1].is_number();
    if (!good) break;
    points.emplace_back(pair[0].get<double>(), pair[1].get<double>());
    const bool ascending = i == 0 || points[i].first > points[i - 1].first;
    good = ascending && points[i].first > 0 && points[i].second > 0;
  }
  if (!good) {
    object.problem("points", "two or more pairs [capacity in KiB, value], positive, capacities ascending",
                   "sort the pairs by capacity");
  }
  return points;
}

std::vector<std::string> required_key_names() {
  std::vector<std::string> names;
  for (const EnergyKey& key : required_energy_keys()) names.push_back(key.key);
  return names;
}

/// Nothing where the key is not one of the model's: its form is unknown then.
std::optional<EnergyEntry> read_entry(JsonObject& object) {
  const Json* json = object.raw("key");
  const std::optional<EnergyKey> known =
      json != nullptr && json->is_string() ? energy_key(json->get<std::string>()) : std::nullopt;
  if (!known) {
    static_cast<void>(object.choice("key", required_key_names()));
    return std::nullopt;
  }
  EnergyEntry entry;
  entry.key = known->key;
  if (known->is_curve) {
    entry.points = read_points(object);
  } else {
    entry.value = object.number("value", 0.0, std::numeric_limits<double>::max());
  }
  entry.unit = std::string(known->unit);
  static_cast<void>(object.choice("unit", {entry.unit}));
  const std::vector<std::string>& kinds = energy_entry_kinds();
  entry.kind = kinds[object.choice("kind", kinds)];
  entry.condition = object.string("condition", "");
  entry.source = object.string("source");
  object.finish();
  return entry;
}

/// The file's own entries, over those that are there.
void read_entries(JsonObject& root, EnergyTable& table) {
  const Json* entries = root.raw("entries");
  if (entries == nullptr || !entries->is_array()) {
    root.problem("entries", "a list of entries", "configs/energy/45nm.json is an example");
    return;
  }
  std::set<std::string> own;
  for (std::size_t i = 0; i < entries->size(); ++i) {
    JsonObject object((*entries)[i], "entries[" + std::to_string(i) + "]", root.problems());
    std::optional<EnergyEntry> entry = read_entry(object);
    if (!entry) continue;
    if (!own.insert(entry->key).second)
      object.problem("key", "each key once", "remove one of the two entries");
    table.entries[entry->key] = std::move(*entry);
  }
}

void check_complete(const EnergyTable& table, ProblemList& problems) {
  for (const EnergyKey& key : required_energy_keys()) {
    if (table.entries.contains(key.key)) continue;
    problems.add("entries", "", "an entry with the key \"" + key.key + '"',
                 R"(add one, or "extends": "45nm", which has one)");
  }
  // A curve is known by all that it is used for.
  for (const auto& [name, entry] : table.entries) {
    const std::string suffix = curve_key("", curve_parts().front());
    if (entry.points.empty() || !name.ends_with(suffix)) continue;
    const std::string curve = name.substr(0, name.size() - suffix.size());
    for (const std::string_view part : curve_parts()) {
      if (table.entries.contains(curve_key(curve, part))) continue;
      problems.add("entries", "", "an entry with the key \"" + curve_key(curve, part) + '"',
                   "a curve has reads, writes and areas");
    }
  }
}

/// Reads a file over what it extends.
void read_table(const std::string& path, const std::vector<std::string>& search_dirs,
                std::vector<std::string> chain, EnergyTable& table) {
  const Json json = parse_json_file(path);
  ProblemList problems(path, "configs/schemas/energy.schema.json describes every entry");
  JsonObject root(json, "", problems);
  const std::string base = root.string("extends", "");
  if (root.has("extends") && !base.empty()) {
    const std::string found = find_named_file(base, fs::path(path).parent_path().string(), search_dirs,
                                              {path, "extends", "an energy table"});
    chain.push_back(fs::weakly_canonical(path).string());
    const bool is_cycle = std::ranges::find(chain, fs::weakly_canonical(found).string()) != chain.end();
    if (is_cycle || chain.size() == kMaxChain) {
      throw InputError({path, "extends", '"' + base + '"',
                        is_cycle ? "a table that does not extend this one"
                                 : "a chain of at most " + std::to_string(kMaxChain) + " tables",
                        "remove \"extends\" from one of them"});
    }
    read_table(found, search_dirs, std::move(chain), table);
  }
  for (const char* key : {"$schema", "description"}) static_cast<void>(root.string(key, ""));
  const auto inherited = [](double value) {
    return value > 0.0 ? std::optional<double>(value) : std::nullopt;
  };
  table.name = root.string("name");
  table.technology_nm = root.number("technology_nm", 1.0, 1000.0, inherited(table.technology_nm));
  table.voltage_v = root.number("voltage_v", 0.1, 5.0, inherited(table.voltage_v));
  read_entries(root, table);
  if (problems.empty()) check_complete(table, problems);
  root.finish();
  problems.throw_if_any();
}

std::vector<std::string> names_of(const EnergyTable& table) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : table.entries) names.push_back(name);
  return names;
}

}  // namespace

const EnergyEntry& EnergyTable::at(const std::string& key) const {
  const auto found = entries.find(key);
  if (found == entries.end()) throw std::logic_error("energy table " + name + " has no entry " + key);
  return found->second;
}

EnergyTable load_energy_table(const std::string& name_or_path, const std::vector<std::string>& search_dirs,
                              const std::string& hardware_file) {
  const std::string path =
      find_named_file(name_or_path, "", search_dirs, {hardware_file, "energy", "an energy table"});
  EnergyTable table;
  read_table(path, search_dirs, {}, table);
  return table;
}

EnergyTable chip_energy_table(const HardwareConfig& hardware, const std::vector<std::string>& search_dirs,
                              const std::string& hardware_file) {
  EnergyTable table = load_energy_table(hardware.energy, search_dirs, hardware_file);
  ProblemList problems(hardware_file);
  const std::vector<std::string> names = names_of(table);
  for (const auto& [key, value] : hardware.energy_overrides) {
    const auto found = table.entries.find(key);
    if (found == table.entries.end()) {
      const std::string nearest = nearest_name(key, names);
      problems.add("energy_overrides." + key, Json(value).dump(), "a key of the energy table " + table.name,
                   nearest.empty() ? "docs/energy.md lists them" : "did you mean " + nearest + "?");
      continue;
    }
    EnergyEntry& entry = found->second;
    entry.source = "energy_overrides, in place of " +
                   (entry.points.empty() ? Json(entry.value).dump() + " " + entry.unit : "the curve of") +
                   " " + table.name;
    entry.value = value;
    entry.points.clear();
    entry.kind = "override";
  }
  const auto check_curve = [&](const std::string& section, const std::string& curve) {
    if (table.entries.contains(curve_key(curve, curve_parts().front()))) return;
    problems.add(section + ".curve", '"' + curve + '"',
                 "the name of a curve of the energy table " + table.name, "\"sram\" is one");
  };
  const bool fuses = precision_model(hardware.mac_array).built(hardware.mac_array).fusion_units > 0.0;
  for (const char* key : {kFusionMultiplyKey, kFusionAreaKey}) {
    if (!fuses || table.entries.contains(key)) continue;
    problems.add("precision.style", "\"bit_fusion\"",
                 std::string("a style that the energy table ") + table.name +
                     " has entries for; it has no \"" + key + '"',
                 R"(add one to the table, or let it extend "45nm", which has one)");
  }
  check_curve("weight_buffer", hardware.weight_buffer.curve);
  check_curve("activation_buffer", hardware.activation_buffer.curve);
  check_curve("accumulators", hardware.accumulators.curve);
  problems.throw_if_any();
  return table;
}

double curve_value(const EnergyEntry& curve, double capacity_bytes) {
  if (curve.points.empty()) return curve.value;
  const double capacity_kib = capacity_bytes / 1024.0;
  // The segment that holds the capacity; the first or last one is continued beyond the curve.
  std::size_t right = 1;
  while (right + 1 < curve.points.size() && curve.points[right].first < capacity_kib) ++right;
  const auto& [x0, y0] = curve.points[right - 1];
  const auto& [x1, y1] = curve.points[right];
  const double slope = std::log(y1 / y0) / std::log(x1 / x0);
  return y0 * std::pow(capacity_kib / x0, slope);
}

bool is_beyond(const EnergyEntry& curve, double capacity_bytes) {
  if (curve.points.empty()) return false;
  const double capacity_kib = capacity_bytes / 1024.0;
  return capacity_kib < curve.points.front().first || capacity_kib > curve.points.back().first;
}

double sram_access_pj(const EnergyEntry& curve, double capacity_bytes, double width_bits) {
  return curve_value(curve, capacity_bytes) * (0.3 + 0.7 * width_bits / 64.0);
}

}  // namespace qsim
