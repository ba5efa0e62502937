#include "sim/config/load_hardware.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/json_reader.h"
#include "sim/config/hardware_fields.h"
#include "sim/config/hardware_rules.h"
#include "sim/config/named_files.h"
#include "sim/config/write_hardware.h"

namespace qsim {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// Reads the fields that a file has over the values that are there (hardware_fields.h names the methods).
class Reader {
 public:
  explicit Reader(JsonObject root) { open_.push_back(std::move(root)); }

  void text(const std::string& key, std::string& value) {
    const std::string read = object().string(key, value);
    if (object().has(key) && read.empty() && object().json()[key].is_string()) {
      object().problem(key, "a name of at least one character");
    } else {
      value = read;
    }
  }
  void number(const std::string& key, double& value, double min, double max) {
    value = object().number(key, min, max, value);
  }
  template <typename Integer>
  void integer(const std::string& key, Integer& value, std::int64_t min, std::int64_t max) {
    value = static_cast<Integer>(object().integer(key, min, max, value));
  }
  /// value = JSON number x factor, a whole number up to what a decimal fraction loses in binary.
  void scaled(const std::string& key, std::int64_t& value, std::int64_t factor, std::int64_t min,
              std::int64_t max) {
    const auto unit = static_cast<double>(factor);
    const double present = static_cast<double>(value) / unit;
    const double read =
        object().number(key, static_cast<double>(min) / unit, static_cast<double>(max) / unit, present);
    if (read == present) return;
    const double product = read * unit;
    if (std::abs(product - std::round(product)) > 4 * std::numeric_limits<double>::epsilon() * product) {
      object().problem(key, "a multiple of " + Json(1.0 / unit).dump(), "round it");
      return;
    }
    value = std::llround(product);
  }
  void boolean(const std::string& key, bool& value) { value = object().boolean(key, value); }
  /// Numbers by name, none below 0; each takes the place of the one that is there.
  void values(const std::string& key, std::map<std::string, double>& values) {
    const Json* json = object().raw(key);
    if (json == nullptr) return;
    if (!json->is_object())
      return object().problem(key, "an object of numbers by key", R"(as in {"int8_multiply": 0.15})");
    JsonObject entries = object().object(key);
    for (const auto& [name, value] : json->items())
      values[name] = entries.number(name, 0.0, std::numeric_limits<double>::max());
  }
  template <typename Enum>
  void choice(const std::string& key, Enum& value, const std::vector<std::string>& names) {
    value = static_cast<Enum>(object().choice(key, names, names[static_cast<std::size_t>(value)]));
  }
  /// One value under `key`, or a list of different ones under `list_key`; what a file says takes the place of
  /// what others say under either key.
  template <typename Enum>
  void choice_or_list(const std::string& key, Enum& value, const std::string& list_key,
                      std::vector<Enum>& list, const std::vector<std::string>& names) {
    const Json* words = object().raw(list_key);
    if (words == nullptr) {
      if (object().has(key)) list.clear();
      return choice(key, value, names);
    }
    if (object().raw(key) != nullptr) {
      return object().problem(list_key, "nothing where " + key + " is given", "remove one of the two");
    }
    std::vector<Enum> read;
    for (const Json& word : words->is_array() ? *words : Json::array()) {
      const auto found = word.is_string() ? std::ranges::find(names, word.get<std::string>()) : names.end();
      if (found == names.end())
        return object().problem(list_key, list_of(names), "name " + names.front() + ", or leave the key out");
      const auto named = static_cast<Enum>(found - names.begin());
      if (std::ranges::find(read, named) != read.end())
        return object().problem(list_key, "each value once", "remove the second " + *found);
      read.push_back(named);
    }
    if (read.empty())
      return object().problem(list_key, list_of(names), "name " + names.front() + ", or leave the key out");
    value = read.front();
    list = std::move(read);
  }
  template <typename Enum>
  void choice_or_auto(const std::string& key, std::optional<Enum>& value,
                      const std::vector<std::string>& names) {
    const std::size_t present = value ? 1 + static_cast<std::size_t>(*value) : 0;
    const std::size_t index = object().choice(key, names, names[present]);
    value = index == 0 ? std::nullopt : std::optional<Enum>(static_cast<Enum>(index - 1));
  }
  /// A whole number, or "auto".
  void integer_or_auto(const std::string& key, std::optional<std::int64_t>& value, std::int64_t min,
                       std::int64_t max) {
    const Json* found = object().raw(key);
    if (found != nullptr && found->is_string()) {
      object().choice(key, {"auto"});
      value = std::nullopt;
    } else if (found != nullptr) {
      value = object().integer(key, min, max, min);
    }
  }
  void begin(const std::string& key) { open_.push_back(object().object(key)); }
  void end() {
    object().finish();
    open_.pop_back();
  }

 private:
  JsonObject& object() { return open_.back(); }

  static std::string list_of(const std::vector<std::string>& names) {
    std::string text = "a list of at least one of ";
    for (const std::string& name : names) text += (name == names.front() ? "" : ", ") + name;
    return text;
  }

  std::vector<JsonObject> open_;
};

std::vector<std::string> paths_of(const Json& resolved) {
  std::vector<std::string> paths;
  for (const auto& member : resolved.items()) {
    paths.push_back(member.key());
    if (!member.value().is_object()) continue;
    for (const auto& field : member.value().items()) paths.push_back(member.key() + "." + field.key());
  }
  return paths;
}

/// The value of a field as the resolved JSON has it; nullptr where there is none.
const Json* find_field(const Json& resolved, const std::string& path) {
  const Json* json = &resolved;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    if (!json->is_object()) return nullptr;
    const auto found = json->find(path.substr(begin, end - begin));
    if (found == json->end()) return nullptr;
    json = &*found;
    begin = end + 1;
  }
  return json;
}

/// One file of an `extends` chain.
struct HardwareFile {
  std::string path;
  Json json;
};

constexpr std::string_view kEnergyEntry = "energy.";
constexpr std::string_view kOverride = "energy_overrides.";

/// Gathers fields and problems from files and overrides.
class Loader {
 public:
  void read(const Json& json, const std::string& file, const std::string& energy_folder) {
    ProblemList problems(file);
    JsonObject root(json, "", problems);
    for (const char* key : {"$schema", "description", "extends"}) static_cast<void>(root.string(key, ""));
    read_sources(root);
    Reader reader(root);
    const std::string energy_before = hardware_.energy;
    visit_hardware_fields(hardware_, reader);
    reader.end();
    const bool new_path = hardware_.energy != energy_before && is_file_path(hardware_.energy);
    if (new_path) hardware_.energy = (fs::path(energy_folder) / hardware_.energy).lexically_normal().string();
    keep(problems);
  }

  void set(const std::string& argument) {
    const std::size_t equals = argument.find('=');
    std::string path = argument.substr(0, equals);
    if (equals == std::string::npos || path.empty()) {
      problems_.push_back(
          {"--set", "", '"' + argument + '"', "PATH=VALUE", "for example --set mac_array.rows=64"});
      return;
    }
    // "energy.KEY" is an entry of the energy table.
    if (path.starts_with(kEnergyEntry)) path.replace(0, kEnergyEntry.size(), kOverride);
    const std::vector<std::string> paths = hardware_field_paths();
    const bool is_entry = path.starts_with(kOverride) && path.size() > kOverride.size();
    if (!is_entry && std::find(paths.begin(), paths.end(), path) == paths.end()) {
      problems_.push_back({"--set", path, '"' + argument.substr(equals + 1) + '"',
                           "the path of a hardware field", path_hint(path, paths)});
      return;
    }
    Json value = override_value(argument.substr(equals + 1));
    const std::size_t dot = path.find('.');
    Json json = Json::object();
    if (dot == std::string::npos) {
      json[path] = std::move(value);
    } else {
      json[path.substr(0, dot)][path.substr(dot + 1)] = std::move(value);
    }
    overridden_.insert(path);
    read(json, "--set", "");
  }

  /// Rules between fields, then the result or every problem.
  HardwareConfig finish(const std::string& file) {
    std::set<std::string> unreadable;
    for (const Problem& problem : problems_) unreadable.insert(problem.place);
    for (Problem& problem : broken_hardware_rules(hardware_, unreadable)) {
      problem.file = overridden_.contains(problem.place) ? "--set" : file;
      problems_.push_back(std::move(problem));
    }
    if (!problems_.empty()) throw InputError(std::move(problems_));
    return std::move(hardware_);
  }

  HardwareConfig& hardware() { return hardware_; }

 private:
  /// "sources" says where numbers come from, {"mac_array.rows": "..."}: words about fields and sections.
  static void read_sources(JsonObject& root) {
    const Json* sources = root.raw("sources");
    if (sources == nullptr) return;
    if (!sources->is_object()) {
      root.problem("sources", "an object of texts by field",
                   R"(as in {"mac_array.rows": "data sheet, page 3"})");
      return;
    }
    static const Json fields = hardware_to_json(HardwareConfig{});
    JsonObject entries = root.object("sources");
    for (const auto& [field, text] : sources->items()) {
      static_cast<void>(entries.raw(field));
      if (!text.is_string()) entries.problem(field, "a text");
      if (find_field(fields, field) == nullptr)
        entries.problem(field, "the path of a field or a section", path_hint(field, paths_of(fields)));
    }
  }

  /// A JSON value, or else the words themselves.
  static Json override_value(const std::string& text) {
    try {
      return parse_json_text(text, "--set");
    } catch (const InputError&) {
      return text;
    }
  }

  static std::string path_hint(const std::string& path, const std::vector<std::string>& paths) {
    std::string nearest = nearest_name(path, paths);
    // "rows" for "mac_array.rows": the last part alone.
    for (const std::string& known : paths) {
      if (nearest.empty() && known.ends_with("." + path)) nearest = known;
    }
    return nearest.empty() ? "a path is a section and a key, as in mac_array.rows"
                           : "did you mean " + nearest + "?";
  }

  /// Adds the default as the remedy where a problem has none.
  void keep(const ProblemList& problems) {
    try {
      problems.throw_if_any();
    } catch (const InputError& error) {
      static const Json defaults = hardware_to_json(HardwareConfig{});
      for (Problem problem : error.problems()) {
        const Json* value = find_field(defaults, problem.place);
        if (problem.hint.empty() && value != nullptr && value->is_primitive()) {
          problem.hint = "the default is " + value->dump();
        }
        problems_.push_back(std::move(problem));
      }
    }
  }

  HardwareConfig hardware_;
  std::set<std::string> overridden_;
  std::vector<Problem> problems_;
};

/// Most files that extend one another.
constexpr std::size_t kMaxChain = 64;

/// The same for all names of a file.
std::string identity_of(const std::string& path) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(path, error);
  return error ? path : canonical.string();
}

/// What the file extends, the outermost base first, and the file itself last.
std::vector<HardwareFile> read_chain(const std::string& name_or_path,
                                     const std::vector<std::string>& search_dirs) {
  std::vector<HardwareFile> chain;
  const std::string what = "a hardware configuration";
  std::string path = find_named_file(name_or_path, "", search_dirs, {"--hw", "", what});
  std::string cycle = path;
  std::set<std::string> seen{identity_of(path)};
  while (true) {
    chain.push_back({path, parse_json_file(path)});
    const Json& json = chain.back().json;
    const auto extends = json.is_object() ? json.find("extends") : json.end();
    if (extends == json.end() || !extends->is_string()) {
      std::reverse(chain.begin(), chain.end());
      return chain;
    }
    const auto base = extends->get<std::string>();
    path = find_named_file(base, fs::path(chain.back().path).parent_path().string(), search_dirs,
                           {chain.back().path, "extends", what});
    cycle += " -> " + path;
    if (!seen.insert(identity_of(path)).second) {
      throw InputError({chain.back().path, "extends", '"' + base + '"',
                        "a file that does not extend this one", "the cycle is " + cycle});
    }
    if (chain.size() == kMaxChain) {
      throw InputError({chain.back().path, "extends", '"' + base + '"',
                        "a chain of at most " + std::to_string(kMaxChain) + " files",
                        "merge some of them into one"});
    }
  }
}

}  // namespace

std::vector<std::string> hardware_field_paths() {
  std::vector<std::string> paths = paths_of(hardware_to_json(HardwareConfig{}));
  // A key that stands where another does not.
  HardwareConfig several;
  several.mac_array.dataflows = {several.mac_array.dataflow};
  for (std::string& path : paths_of(hardware_to_json(several))) {
    if (std::ranges::find(paths, path) == paths.end()) paths.push_back(std::move(path));
  }
  return paths;
}

HardwareConfig load_hardware(const std::string& name_or_path, const std::vector<std::string>& sets,
                             const std::vector<std::string>& search_dirs) {
  const std::vector<HardwareFile> chain = read_chain(name_or_path, search_dirs);
  Loader loader;
  for (const HardwareFile& file : chain) {
    // A file without a name is called after itself, not after what it extends.
    loader.hardware().name = fs::path(file.path).stem().string();
    loader.read(file.json, file.path, fs::path(file.path).parent_path().string());
  }
  for (const std::string& argument : sets) loader.set(argument);
  return loader.finish(chain.back().path);
}

}  // namespace qsim
