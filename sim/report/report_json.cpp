#include "sim/report/report_json.h"

#include "sim/report/host_work.h"
#include "sim/report/json_blocks.h"
#include "sim/report/memory_map_json.h"
#include "sim/report/sha256.h"
#include "sim/report/tensor_file.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

Json events_json(const EventCounts& events) {
  Json json = Json::object();
  for (const auto& [name, count] : events) json[name] = count;
  return json;
}

Json layer_json(const LayerResult& layer, const RowSummary& row) {
  Json json;
  json["name"] = layer.name;
  json["nodes"] = layer.nodes;
  json["op"] = layer.op;
  json["macs"] = layer.macs;
  json["cycles"] = layer.cycles;
  json["estimated_cycles"] = layer.estimated_cycles;
  json["span_cycles"] = layer.span_cycles;
  json["peak_macs_per_cycle"] = layer.peak_macs_per_cycle;
  json["mac_utilization"] = row.mac_utilization;
  json["bound"] = std::string(bound_name(layer.bound));
  json["limited_by"] = std::string(limit_name(row.limits.limited_by));
  json["limit_cycles"] = limit_cycles_json(row.limits);
  json["energy_total_pj"] = row.energy_total_pj;
  json["energy_pj"] = energy_json(row.energy_pj);
  json["traffic_bytes"] = traffic_json(row.traffic);
  json["cycles_breakdown"] = cycles_json(layer.cycles_breakdown);
  json["events"] = events_json(row.events);
  json["bits"] = {{"weights", bits_or_null(layer.weight_bits)},
                  {"activations", bits_or_null(layer.activation_bits)},
                  {"accumulator", bits_or_null(layer.accumulator_bits)}};
  json["rounding_profile"] = layer.rounding_profile
                                 ? Json(arithmetic::rounding_profile_name(*layer.rounding_profile))
                                 : Json(nullptr);
  json["accumulator"] = accumulator_json(layer);
  if (layer.groups) {
    json["groups"] = {{"group_size", layer.groups->size},
                      {"largest_multiplier", layer.groups->largest_multiplier},
                      {"scale_error", layer.groups->scale_error},
                      {"bit_exact", layer.groups->scale_error == 0.0}};
  }
  if (layer.blocks) {
    const std::optional<std::int64_t>& rounded = layer.blocks->rounded_sums;
    json["blocks"] = {{"block_size", layer.blocks->size},
                      {"reference_exponent", layer.blocks->reference},
                      {"rounded_sums", rounded ? Json(*rounded) : Json(nullptr)},
                      {"bit_exact", rounded ? Json(*rounded == 0) : Json(nullptr)}};
  }
  json["mapping"] = mapping_json(layer.mapping);
  return json;
}

Json options_json(const ReportOptions& options) {
  const auto or_null = [](const std::optional<int>& bits) { return bits ? Json(*bits) : Json(nullptr); };
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  return {{"values", options.values},
          {"fidelity", options.fidelity},
          {"batch", options.batch},
          {"inferences", options.inferences},
          {"seed", options.seed},
          {"weight_bits", or_null(options.weight_bits)},
          {"activation_bits", or_null(options.activation_bits)},
          {"bits", text_or_null(options.bits_file)},
          {"scheme", text_or_null(options.scheme)},
          {"until", text_or_null(options.until)},
          {"objective", options.objective},
          {"rate", options.rate ? Json(*options.rate) : Json(nullptr)},
          {"set", options.sets}};
}

Json workload_json(const RunResult& result, const ReportOptions& options) {
  Json json = {{"name", result.workload_name}, {"source", base_name(result.workload_source)}};
  json["inputs"] = Json::array();
  for (const InputOrigin& input : options.inputs) {
    json["inputs"].push_back(
        {{"name", input.name}, {"shape", input.shape}, {"dtype", input.dtype}, {"origin", input.origin}});
  }
  return json;
}

Json outputs_json(const std::vector<NamedTensor>& outputs) {
  Json json = Json::array();
  const std::vector<std::string> names = unique_tensor_names(outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const TensorData data = stored_form(outputs[i]);
    json.push_back({{"name", names[i]},
                    {"shape", data.shape},
                    {"dtype", element_type_name(data.type)},
                    {"sha256", sha256_hex(data.bytes)}});
  }
  return json;
}

Json uncertain_json(const Uncertainty& uncertainty) {
  Json json = Json::array();
  for (const UncertainEntry& entry : uncertainty.entries) {
    json.push_back(
        {{"key", entry.key}, {"kind", entry.kind}, {"source", entry.source}, {"energy_pj", entry.energy_pj}});
  }
  return json;
}

Json provenance_json(const RunResult& result, const RunSummary& summary, const ReportOptions& options) {
  Json entries = Json::array();
  for (const EnergyTerm& term : summary.terms) {
    entries.push_back({{"component", component_name(term.component)},
                       {"event", term.event.name()},
                       {"unit_pj", term.unit_pj},
                       {"key", term.key},
                       {"kind", term.kind},
                       {"source", term.source}});
    if (!term.part.empty()) entries.back()["part"] = term.part;
    if (term.beyond_curve) entries.back()["beyond_curve"] = true;
  }
  std::vector<std::string> notes = result.notes;
  notes.insert(notes.end(), summary.remarks.begin(), summary.remarks.end());
  return {{"energy_table", options.energy_table},
          {"energy_entries", std::move(entries)},
          {"uncertain_entries", uncertain_json(summary.uncertainty)},
          {"folded_nodes", result.folded_nodes},
          {"energy_overrides", result.hardware.energy_overrides},
          {"notes", std::move(notes)}};
}

Json steady_state_json(const RunResult& result, const SteadySummary& steady) {
  return {{"inferences", result.steady_state->inferences},
          {"cycles", result.steady_state->cycles},
          {"latency_s", steady.latency_s},
          {"inferences_per_second", steady.inferences_per_second},
          {"energy_total_pj", total_pj(steady.energy_pj)},
          {"dram_bytes", dram_payload_bytes(steady.traffic)},
          {"energy_pj", energy_json(steady.energy_pj)},
          {"traffic_bytes", traffic_json(steady.traffic)},
          {"events", events_json(steady.events)}};
}

Json duty_cycle_json(const DutyCycle& duty) {
  return {{"rate", duty.rate},
          {"reachable_rate", duty.reachable_rate},
          {"period_s", duty.period_s},
          {"busy_share", duty.busy_share},
          {"idle_cycles", duty.idle_cycles},
          {"energy_total_pj", duty.energy_total_pj},
          {"energy_per_inference_pj", duty.inference_pj},
          {"power_w", duty.power_w},
          {"energy_pj", energy_json(duty.energy_pj)},
          {"events", events_json(duty.events)}};
}

Json power_json(const PowerProfile& power) {
  return {{"average_w", power.average_w},
          {"peak_w", power.peak_w},
          {"window_cycles", power.window_cycles},
          {"window_s", power.window_s}};
}

Json host_share_json(const HostShare& share, const RunResult& result, const RunSummary& summary) {
  const auto share_of = [](std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
  };
  return {{"rows", share.rows},
          {"cycles", share.cycles},
          {"cycle_share", share_of(share.cycles, result.total_cycles)},
          {"dram_bytes", share.dram_bytes},
          {"dram_share", share_of(share.dram_bytes, summary.dram_bytes)}};
}

Json host_json(const HostWork& host, const RunResult& result, const RunSummary& summary) {
  Json json;
  json["operations"] = host_share_json(host.operations, result, summary);
  json["conversions"] = host_share_json(host.conversions, result, summary);
  json["macs"] = host.macs;
  return json;
}

}  // namespace

Json report_json(const RunResult& result, const RunSummary& summary, const ReportOptions& options) {
  Json report;
  report["schema_version"] = 2;
  report["qsim"] = {{"version", options.version}};
  report["hardware"] = hardware_json(result.hardware);
  report["workload"] = workload_json(result, options);
  report["options"] = options_json(options);
  report["totals"] = totals_json(result, summary);
  if (summary.steady_state) report["steady_state"] = steady_state_json(result, *summary.steady_state);
  if (summary.duty_cycle) report["duty_cycle"] = duty_cycle_json(*summary.duty_cycle);
  if (summary.power.window_cycles > 0) report["power"] = power_json(summary.power);
  report["energy_pj"] = energy_json(summary.totals.energy_pj);
  report["area_mm2"] = area_json(summary.area_mm2);
  report["traffic_bytes"] = traffic_json(summary.totals.traffic);
  report["cycles"] = cycles_json(result.cycles);
  report["events"] = events_json(summary.totals.events);
  const HostWork host = host_work(result, summary.rows);
  if (host.operations.rows > 0) report["host_work"] = host_json(host, result, summary);
  report["layers"] = Json::array();
  for (std::size_t i = 0; i < result.layers.size(); ++i) {
    report["layers"].push_back(layer_json(result.layers[i], summary.rows[i]));
  }
  report["memory_map"] = memory_map_json(result.memory_map);
  report["outputs"] = outputs_json(result.outputs);
  report["provenance"] = provenance_json(result, summary, options);
  return report;
}

}  // namespace qsim
