#include "sim/explain/explain_json.h"

#include "sim/report/json_blocks.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

double ratio(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

/// Cycles before and with a step: of the run, or of a layer.
Json gain_json(const StepRun& step, std::int64_t before, std::int64_t after) {
  const bool is_there = step.error.empty();
  Json json = {{"name", step.step.name}, {"set", step.step.sets}};
  json["cycles"] = is_there ? Json(after) : Json(nullptr);
  json["gain_cycles"] = is_there ? Json(before - after) : Json(nullptr);
  json["gain"] = is_there ? Json(ratio(before - after, before)) : Json(nullptr);
  json["error"] = is_there ? Json(nullptr) : Json(step.error);
  return json;
}

Json step_json(const ExplainResult& result, const StepRun& step) {
  Json json = gain_json(step, result.run.total_cycles, step.cycles);
  json["steady_state_cycles"] = step.steady_cycles ? Json(*step.steady_cycles) : Json(nullptr);
  json["command"] = command_with(result, step.step.sets);
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
    json["steps"].push_back(gain_json(step, layer.cycles, step.layer_cycles[slow.index]));
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
  json["command"] = result.command;
  json["cycles"] = result.run.total_cycles;
  json["steady_state_cycles"] =
      result.run.steady_state ? Json(result.run.steady_state->cycles) : Json(nullptr);
  json["lost_cycles"] = result.lost_cycles;
  json["steps"] = Json::array();
  for (const StepRun& step : result.steps) json["steps"].push_back(step_json(result, step));
  json["layers"] = Json::array();
  for (const SlowLayer& slow : result.slow) json["layers"].push_back(layer_json(result, slow));
  json["remarks"] = Json::array();
  for (const EffectRemark& remark : result.remarks) {
    json["remarks"].push_back({{"field", remark.path},
                               {"value", remark.value},
                               {"enough", remark.enough},
                               {"cycles", remark.cycles},
                               {"text", remark.text},
                               {"command", command_with(result, {set_of(remark.path, remark.enough)})}});
  }
  return json;
}

}  // namespace qsim
