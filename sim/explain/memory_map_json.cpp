#include "sim/explain/memory_map_json.h"

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

}  // namespace

Json memory_map_json(const MemoryMap& map, const MemoryMapOf& of, const std::string& version) {
  Json json;
  json["schema_version"] = 1;
  json["qsim"] = {{"version", version}};
  json["hardware"] = of.hardware;
  json["workload"] = of.workload;
  json["rows"] = map.rows;
  json["activation_buffer"] = buffer_json(map.activation_buffer, map.rows);
  json["weight_buffer"] = buffer_json(map.weight_buffer, map.rows);
  return json;
}

}  // namespace qsim
