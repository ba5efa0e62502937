#include "sim/explain/roofline_json.h"

namespace qsim {

using Json = nlohmann::ordered_json;

Json roofline_json(const Roofline& roofline, const std::string& version) {
  Json json;
  json["schema_version"] = 1;
  json["qsim"] = {{"version", version}};
  json["hardware"] = roofline.hardware;
  json["workload"] = roofline.workload;
  json["dram_bytes_per_cycle"] = roofline.dram_bytes_per_cycle;
  json["peaks"] = Json::array();
  for (const RooflinePeak& peak : roofline.peaks) {
    json["peaks"].push_back({{"weight_bits", peak.weight_bits},
                             {"activation_bits", peak.activation_bits},
                             {"macs_per_cycle", peak.macs_per_cycle}});
  }
  json["layers"] = Json::array();
  for (const RooflinePoint& point : roofline.points) {
    json["layers"].push_back(
        {{"name", point.name},
         {"op", point.op},
         {"weight_bits", point.weight_bits},
         {"activation_bits", point.activation_bits},
         {"macs", point.macs},
         {"cycles", point.cycles},
         {"dram_bytes", point.dram_bytes},
         {"macs_per_dram_byte", point.macs_per_dram_byte ? Json(*point.macs_per_dram_byte) : Json(nullptr)},
         {"peak_macs_per_cycle", point.peak_macs_per_cycle},
         {"ceiling_macs_per_cycle", point.ceiling_macs_per_cycle},
         {"macs_per_cycle", point.macs_per_cycle},
         {"ceiling_share", point.ceiling_share},
         {"limited_by", std::string(limit_name(point.limited_by))}});
  }
  return json;
}

}  // namespace qsim
