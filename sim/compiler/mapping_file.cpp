#include "sim/compiler/mapping_file.h"

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_reader.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRemedy = "docs/mapping.md has the keys of a mapping";
constexpr int kReportVersion = 2;

/// Reads the values of a mapping, keys of members and numbers of elements joined by points.
class ValueReader {
 public:
  explicit ValueReader(ProblemList& problems) : problems_(problems) {}

  GivenMapping read(const Json& json, const std::string& place) {
    given_.clear();
    if (json.is_object()) {
      read_members(json, "", place);
    } else {
      problems_.add(place, written_value(json), "an object, the mapping of a layer");
    }
    return std::move(given_);
  }

 private:
  void read_members(const Json& json, const std::string& key, const std::string& place) {
    for (const auto& [name, value] : json.items()) {
      read_value(value, key.empty() ? name : key + "." + name, place + "." + name);
    }
  }

  void read_value(const Json& json, const std::string& key, const std::string& place) {
    if (json.is_object()) return read_members(json, key, place);
    if (json.is_array()) {
      for (std::size_t i = 0; i < json.size(); ++i)
        read_value(json[i], key + "." + std::to_string(i), place + "[" + std::to_string(i) + "]");
      return;
    }
    if (json.is_string()) {
      given_[key] = {json.get<std::string>(), place};
    } else if (json.is_number_integer() &&
               (!json.is_number_unsigned() || json.get<std::uint64_t>() <= kMost) &&
               json.get<std::int64_t>() >= 0) {
      given_[key] = {json.get<std::int64_t>(), place};
    } else {
      problems_.add(place, written_value(json), "a whole number from 0, or a word");
    }
  }

  /// Far above any size that is legal, far below what overflows a product of sizes.
  static constexpr std::uint64_t kMost = 1ULL << 40;

  ProblemList& problems_;
  GivenMapping given_;
};

void read_report(const Json& json, MappingFile& file, ProblemList& problems) {
  const Json& version = json["schema_version"];
  if (version != kReportVersion) {
    problems.add("schema_version", written_value(version), std::to_string(kReportVersion),
                 "run the network again: reports of other versions have other mappings");
    return;
  }
  ValueReader reader(problems);
  for (std::size_t i = 0; i < json["layers"].size(); ++i) {
    const Json& layer = json["layers"][i];
    const std::string place = "layers[" + std::to_string(i) + "]";
    if (!layer.is_object() || !layer.contains("name") || !layer["name"].is_string() ||
        !layer.contains("mapping")) {
      problems.add(place, {}, "a row of a report, with name and mapping");
      continue;
    }
    file.layers[layer["name"].get<std::string>()].push_back(
        reader.read(layer["mapping"], place + ".mapping"));
  }
}

void read_named(const Json& json, const std::string& key, ProblemList& problems,
                const std::function<void(const std::string&, GivenMapping)>& keep) {
  if (!json.is_object()) return problems.add(key, written_value(json), "an object of mappings by name");
  ValueReader reader(problems);
  for (const auto& [name, mapping] : json.items()) keep(name, reader.read(mapping, key + "." + name));
}

}  // namespace

GivenMapping values_of(const Json& mapping) {
  ProblemList problems("");
  return ValueReader(problems).read(mapping, "");
}

MappingFile parse_mappings(const Json& json, const std::string& file) {
  MappingFile found;
  found.file = file;
  ProblemList problems(file, kRemedy);
  const bool is_report = json.is_object() && json.contains("schema_version") && json.contains("layers") &&
                         json["layers"].is_array();
  if (is_report) {
    read_report(json, found, problems);
  } else {
    JsonObject root(json, "", problems);
    if (const Json* layers = root.raw("layers")) {
      read_named(*layers, "layers", problems, [&](const std::string& name, GivenMapping mapping) {
        found.layers[name].push_back(std::move(mapping));
      });
    }
    if (const Json* operations = root.raw("operations")) {
      read_named(*operations, "operations", problems, [&](const std::string& name, GivenMapping mapping) {
        found.operations[name] = std::move(mapping);
      });
    }
    root.finish();
  }
  problems.throw_if_any();
  return found;
}

MappingFile read_mapping_file(const std::string& path) {
  return parse_mappings(parse_json_file(path), path);
}

}  // namespace qsim
