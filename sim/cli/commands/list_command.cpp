#include "sim/cli/commands/list_command.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json_reader.h"
#include "sim/cli/output_files.h"
#include "sim/config/named_files.h"
#include "sim/config/write_hardware.h"
#include "workloads/readers/load.h"

namespace qsim::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ListOptions {
  bool json = false;
  std::string
      names;  ///< "hardware", "energy", "workloads", "preprocess" or "fields"; empty: everything, described.
};

using Listed = ListedWorkload;  // One thing that ships: its name and what it says of itself.

/// The file's own line about itself; a file that does not parse has none and shows so.
std::string description_of(const std::string& path) {
  try {
    const Json json = parse_json_file(path);
    const auto found = json.is_object() ? json.find("description") : json.end();
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
  } catch (const InputError& error) {
    return error.problems().front().to_string();
  }
}

std::vector<Listed> list_json_files(const std::vector<std::string>& folders, const std::string& what) {
  std::vector<Listed> listed;
  for (const std::string& name : list_named_files(folders)) {
    const std::string path = find_named_file(name, "", folders, {"list", "", what});
    listed.push_back({name, description_of(path)});
  }
  return listed;
}

Json to_json(const std::vector<Listed>& listed) {
  Json json = Json::array();
  for (const Listed& item : listed) json.push_back({{"name", item.name}, {"description", item.description}});
  return json;
}

std::string to_table(const std::string& heading, const std::vector<Listed>& listed) {
  std::string text = heading + "\n";
  for (const Listed& item : listed) text += fmt::format("  {:<20} {}\n", item.name, item.description);
  return listed.empty() ? text + "  none\n" : text;
}

std::string list_text(const ShippedFiles& files, bool as_json) {
  const std::vector<Listed> hardware = list_json_files(files.hardware, "a hardware configuration");
  const std::vector<Listed> energy = list_json_files(files.energy, "an energy table");
  const std::vector<Listed> workloads = list_workloads(files.workloads);
  const std::vector<Listed> preprocess = list_json_files(files.preprocess, "a preprocessing");
  if (as_json) {
    const Json json = {{"hardware", to_json(hardware)},
                       {"energy", to_json(energy)},
                       {"workloads", to_json(workloads)},
                       {"preprocess", to_json(preprocess)}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return to_table("hardware configurations (--hw)", hardware) +
         to_table("energy tables (\"energy\" of a configuration)", energy) +
         to_table("workloads (--workload)", workloads) +
         to_table("preprocessing of images (evaluate --preprocess)", preprocess);
}

/// "mac_array.rows" and so on: paths that --set takes. `path` is what stands before the keys of `json`.
void add_fields(const Json& json, const std::string& path, std::vector<std::string>& fields) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_object()) {
      add_fields(value, path + key + ".", fields);
    } else {
      fields.push_back(path + key);
    }
  }
}

/// For scripts and shells.
std::vector<std::string> plain_names(const std::string& of_what, const ShippedFiles& files) {
  if (of_what == "hardware") return list_named_files(files.hardware);
  if (of_what == "energy") return list_named_files(files.energy);
  if (of_what == "preprocess") return list_named_files(files.preprocess);
  std::vector<std::string> names;
  if (of_what == "workloads") {
    for (const Listed& workload : list_workloads(files.workloads)) names.push_back(workload.name);
  } else {
    add_fields(hardware_to_json({}), "", names);
  }
  return names;
}

int list(const ListOptions& options, const ShippedFiles& files) {
  if (!options.names.empty()) {
    std::string text;
    for (const std::string& name : plain_names(options.names, files)) text.append(name).append("\n");
    write_standard_output(text);
    return 0;
  }
  write_standard_output(list_text(files, options.json));
  return 0;
}

}  // namespace

Command list_command() {
  return CommandTable<ListOptions>(
             {.name = "list",
              .summary = "Lists what ships: hardware configurations, energy tables, workloads, preprocessing",
              .usage = {"[--json]", "--names hardware|energy|workloads|preprocess|fields"},
              .notes =
                  {"QSIM_PATH adds folders (separated by ':') that hold configs/ and workloads/models/."},
              .examples = {"qsim list"}})
      .add({.name = "json", .help = R"(as JSON: of each kind a list of {"name", "description"})"},
           &ListOptions::json)
      .add({.name = "names",
            .kind = ValueKind::choice,
            .value = "KIND",
            .choices = {"hardware", "energy", "workloads", "preprocess", "fields"},
            .excludes = {"json"},
            .excludes_because = "names are plain lines",
            .help = "only the names of one kind, a line each; fields are what --set takes"},
           &ListOptions::names)
      .runs(list);
}

}  // namespace qsim::cli
