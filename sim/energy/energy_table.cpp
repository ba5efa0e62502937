#include "sim/energy/energy_table.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <stdexcept>

#include "base/json_reader.h"
#include "sim/config/named_files.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// A key of the model with the form that its entry must have.
struct KnownKey {
  const char* key;
  const char* unit;
  bool is_curve;
};

constexpr auto kKnownKeys = std::to_array<KnownKey>({
    {"int8_multiply", "pJ", false},
    {"int32_multiply", "pJ", false},
    {"int32_add", "pJ", false},
    {"fp32_multiply", "pJ", false},
    {"register_bit", "pJ", false},
    {"shift", "pJ", false},
    {"int32_compare", "pJ", false},
    {"sram_read_64bit", "pJ", true},
    {"sram_write_64bit", "pJ", true},
    {"dma_byte", "pJ", false},
    {"dma_request", "pJ", false},
    {"dram_bit", "pJ", false},
    {"command", "pJ", false},
    {"pe_leakage", "mW", false},
    {"sram_leakage_kib", "mW", false},
    {"other_leakage", "mW", false},
});

std::vector<std::string> known_key_names() {
  std::vector<std::string> names;
  names.reserve(kKnownKeys.size());
  for (const KnownKey& known : kKnownKeys) names.emplace_back(known.key);
  return names;
}

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

/// Nothing where the key is not one of the model's: its form is unknown then.
std::optional<EnergyEntry> read_entry(JsonObject& object) {
  const std::vector<std::string> names = known_key_names();
  const Json* key = object.raw("key");
  const std::size_t index = object.choice("key", names);
  if (key == nullptr || *key != names[index]) return std::nullopt;
  const KnownKey& known = kKnownKeys[index];
  EnergyEntry entry;
  entry.key = known.key;
  if (known.is_curve) {
    entry.points = read_points(object);
  } else {
    entry.value = object.number("value", 0.0, std::numeric_limits<double>::max());
  }
  static_cast<void>(object.choice("unit", {known.unit}));
  entry.unit = known.unit;
  const std::vector<std::string> kinds = {"measured", "computed", "derived", "assumed"};
  entry.kind = kinds[object.choice("kind", kinds)];
  entry.source = object.string("source");
  object.finish();
  return entry;
}

void read_entries(JsonObject& root, EnergyTable& table) {
  const Json* entries = root.raw("entries");
  if (entries == nullptr || !entries->is_array()) {
    root.problem("entries", "a list of entries", "configs/energy/45nm.json is an example");
    return;
  }
  for (std::size_t i = 0; i < entries->size(); ++i) {
    JsonObject object((*entries)[i], "entries[" + std::to_string(i) + "]", root.problems());
    const std::optional<EnergyEntry> entry = read_entry(object);
    if (entry && !table.entries.emplace(entry->key, *entry).second) {
      object.problem("key", "each key once", "remove one of the two entries");
    }
  }
  for (const std::string& key : known_key_names()) {
    if (table.entries.contains(key)) continue;
    root.problems().add("entries", "", "an entry with the key \"" + key + '"',
                        "configs/energy/45nm.json has one");
  }
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
  const Json json = parse_json_file(path);
  ProblemList problems(path, "configs/schemas/energy.schema.json describes every entry");
  JsonObject root(json, "", problems);
  EnergyTable table;
  for (const char* key : {"$schema", "description"}) static_cast<void>(root.string(key, ""));
  table.name = root.string("name");
  table.technology_nm = root.number("technology_nm", 1.0, 1000.0);
  table.voltage_v = root.number("voltage_v", 0.1, 5.0);
  read_entries(root, table);
  root.finish();
  problems.throw_if_any();
  return table;
}

double sram_access_pj(const EnergyEntry& curve, double capacity_bytes, double width_bits) {
  const double capacity_kib = capacity_bytes / 1024.0;
  // The segment that holds the capacity; the first or last one is continued beyond the curve.
  std::size_t right = 1;
  while (right + 1 < curve.points.size() && curve.points[right].first < capacity_kib) ++right;
  const auto& [x0, y0] = curve.points[right - 1];
  const auto& [x1, y1] = curve.points[right];
  const double slope = std::log(y1 / y0) / std::log(x1 / x0);
  const double word_pj = y0 * std::pow(capacity_kib / x0, slope);
  return word_pj * (0.3 + 0.7 * width_bits / 64.0);
}

}  // namespace qsim
