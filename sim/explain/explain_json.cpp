#include "sim/explain/explain_json.h"

#include "sim/report/json_blocks.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

double ratio(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

Json step_json(const StepRun& step, std::int64_t before, std::int64_t after) {
  Json json = {{"name", step.step.name}, {"set", step.step.sets}};
  if (!step.error.empty()) {
    json["cycles"] = nullptr;
    json["gain_cycles"] = nullptr;
    json["gain"] = nullptr;
    json["error"] = step.error;
    return json;
  }
  json["cycles"] = after;
  json["gain_cycles"] = before - after;
  json["gain"] = ratio(before - after, before);
  json["error"] = nullptr;
  return json;
}

Json layer_json(const ExplainResult& result, const SlowLayer& slow) {
  const LayerResult& layer = result.run.layers[slow.index];
  const Limits& limits = result.limits[slow.index];
  Json json = {{"name", layer.name},
               {"op", layer.op},
               {"cycles", layer.cycles},
               {"cycle_share", ratio(layer.cycles, result.run.total_cycles)},
               {"lost_cycles", slow.lost_cycles},
               {"limited_by", std::string(limit_name(limits.limited_by))},
               {"limit_cycles", limit_cycles_json(limits)}};
  json["steps"] = Json::array();
  for (const StepRun& step : result.steps) {
    if (!step.error.empty() || step.layer_cycles.empty()) continue;
    json["steps"].push_back(step_json(step, layer.cycles, step.layer_cycles[slow.index]));
  }
  return json;
}

}  // namespace

Json explain_json(const ExplainResult& result, const std::string& version) {
  Json json;
  json["schema_version"] = 1;
  json["qsim"] = {{"version", version}};
  json["hardware"] = hardware_json(result.run.hardware);
  json["workload"] = {{"name", result.run.workload_name}, {"source", base_name(result.run.workload_source)}};
  json["cycles"] = result.run.total_cycles;
  json["lost_cycles"] = result.lost_cycles;
  json["steps"] = Json::array();
  for (const StepRun& step : result.steps) {
    json["steps"].push_back(step_json(step, result.run.total_cycles, step.cycles));
  }
  json["layers"] = Json::array();
  for (const SlowLayer& slow : result.slow) json["layers"].push_back(layer_json(result, slow));
  json["remarks"] = Json::array();
  for (const EffectRemark& remark : result.remarks) {
    json["remarks"].push_back({{"field", remark.path},
                               {"value", remark.value},
                               {"enough", remark.enough ? Json(*remark.enough) : Json(nullptr)},
                               {"text", remark.text}});
  }
  return json;
}

}  // namespace qsim
