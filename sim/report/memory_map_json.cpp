#include "sim/report/memory_map_json.h"

#include <algorithm>

#include "base/json_reader.h"

namespace qsim {

using Json = nlohmann::ordered_json;

namespace {

Json buffer_json(const BufferMap& buffer, const std::vector<std::string>& rows) {
  Json json;
  json["capacity_bytes"] = buffer.capacity_bytes;
  json["peak_bytes"] = buffer.peak_bytes;
  json["peak_row"] = rows.empty() ? Json(nullptr) : Json(rows[buffer.peak_row]);
  json["ranges"] = Json::array();
  for (const MemoryRange& range : buffer.ranges) {
    json["ranges"].push_back({{"name", range.name},
                              {"use", std::string(memory_use_name(range.use))},
                              {"address", range.address},
                              {"bytes", range.bytes},
                              {"slots", range.slots},
                              {"first_row", range.first_row},
                              {"last_row", range.last_row},
                              {"part", range.part}});
  }
  return json;
}

BufferMap read_buffer(JsonObject buffer, const std::vector<std::string>& rows) {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;
  BufferMap map;
  map.capacity_bytes = buffer.integer("capacity_bytes", 0, kMost);
  map.peak_bytes = buffer.integer("peak_bytes", 0, kMost);
  const Json* peak = buffer.raw("peak_row");
  if (peak != nullptr && peak->is_string())
    map.peak_row = static_cast<std::size_t>(std::ranges::find(rows, peak->get<std::string>()) - rows.begin());
  const Json* ranges = buffer.raw("ranges");
  if (ranges == nullptr || !ranges->is_array()) {
    buffer.problem("ranges", "a list of ranges");
    return map;
  }
  std::vector<std::string> uses;
  for (const MemoryUseRow& use : kMemoryUses) uses.emplace_back(use.name);
  const std::int64_t last = std::max<std::int64_t>(0, std::ssize(rows) - 1);
  for (std::size_t i = 0; i < ranges->size(); ++i) {
    JsonObject json((*ranges)[i], buffer.path_of("ranges[" + std::to_string(i) + "]"), buffer.problems());
    MemoryRange range;
    range.name = json.string("name");
    range.use = static_cast<MemoryUse>(json.choice("use", uses));
    range.address = json.integer("address", 0, kMost);
    range.bytes = json.integer("bytes", 0, kMost);
    range.slots = json.integer("slots", 0, kMost);
    range.first_row = static_cast<std::size_t>(json.integer("first_row", 0, last));
    range.last_row = static_cast<std::size_t>(json.integer("last_row", 0, last));
    range.part = static_cast<std::size_t>(json.integer("part", 0, kMost));
    map.ranges.push_back(std::move(range));
  }
  return map;
}

}  // namespace

Json memory_map_json(const MemoryMap& map) {
  Json json;
  json["rows"] = map.rows;
  json["activation_buffer"] = buffer_json(map.activation_buffer, map.rows);
  json["weight_buffer"] = buffer_json(map.weight_buffer, map.rows);
  return json;
}

MemoryMap read_memory_map(const Json& json, const std::string& file, const std::string& place) {
  ProblemList problems(file, "write the report with qsim --report");
  JsonObject root(json, place, problems);
  MemoryMap map;
  const Json* rows = root.raw("rows");
  const auto is_text = [](const Json& row) { return row.is_string(); };
  if (rows == nullptr || !rows->is_array() || rows->empty() || !std::ranges::all_of(*rows, is_text)) {
    root.problem("rows", "the names of the rows");
  } else {
    for (const Json& row : *rows) map.rows.push_back(row.get<std::string>());
  }
  map.activation_buffer = read_buffer(root.object("activation_buffer"), map.rows);
  map.weight_buffer = read_buffer(root.object("weight_buffer"), map.rows);
  problems.throw_if_any();
  return map;
}

Json memory_map_json(const MemoryMap& map, const MemoryMapOf& of, const std::string& version) {
  Json json;
  json["schema_version"] = 1;
  json["qsim"] = {{"version", version}};
  json["hardware"] = of.hardware;
  json["workload"] = of.workload;
  json.update(memory_map_json(map));
  return json;
}

}  // namespace qsim
