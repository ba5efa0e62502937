#include "sim/compare_schemes/row_cost.h"

#include <algorithm>

#include "sim/compare_schemes/model_bytes.h"
#include "sim/compiler/compile.h"
#include "sim/report/accounting.h"
#include "sim/report/host_work.h"
#include "sim/report/json_blocks.h"
#include "workloads/execute/worst_case_sums.h"
#include "workloads/graph/blocks.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

Json layers_json(const CostRun& run) {
  Json layers = Json::array();
  for (std::size_t i = 0; i < run.result.layers.size(); ++i) {
    const LayerResult& layer = run.result.layers[i];
    layers.push_back({{"name", layer.name},
                      {"op", layer.op},
                      {"bits",
                       {{"weights", bits_or_null(layer.weight_bits)},
                        {"activations", bits_or_null(layer.activation_bits)}}},
                      {"cycles", layer.cycles},
                      {"energy_total_pj", run.summary.rows[i].energy_total_pj}});
  }
  return layers;
}

}  // namespace

CostRun run_without_values(const ComparedMachine& machine, const HardwareConfig& hardware, const Graph& graph,
                           CompiledProgram& compiled) {
  CostRun run;
  run.hardware = hardware;
  SimulateOptions options;
  options.values = Values::none;
  run.result = simulate(hardware, graph, compiled, {}, options);
  run.summary = summarize(run.result, machine.energy_of(hardware), 1);
  check_accounting(run.result, run.summary, graph);
  return run;
}

CostRun run_without_values(const ComparedMachine& machine, const std::vector<std::string>& sets,
                           const Graph& graph) {
  const HardwareConfig hardware = machine.chip_with(sets);
  const std::unique_ptr<const Mapper> mapper = machine.mapper_for(hardware);
  CompiledProgram compiled = compile(graph, hardware, *mapper, false);
  return run_without_values(machine, hardware, graph, compiled);
}

int widest_sums(const Graph& graph, const CompiledProgram& compiled) {
  int bits = 0;
  for (const CompiledRow& row : compiled.rows) {
    if (!row.mac || multiplies_blocks(graph, graph.nodes[row.node])) continue;
    bits = std::max(bits, worst_case_sums(graph, graph.nodes[row.node], *row.mac).bits());
  }
  return bits;
}

Json area_json(const CostRun& run) {
  const Json totals = totals_json(run.result, run.summary);
  return totals.contains("area_mm2") ? totals["area_mm2"] : Json(nullptr);
}

Json cost_json(const CostRun& run, const Graph& graph, int accumulator_bits) {
  const RunResult& result = run.result;
  const RunSummary& summary = run.summary;
  const HostWork host = host_work(result, summary.rows);
  Json json;
  json["cycles"] = result.total_cycles;
  json["latency_s"] = summary.latency_s;
  json["energy_total_pj"] = summary.totals.energy_total_pj;
  json["energy_pj"] = energy_json(summary.totals.energy_pj);
  json["traffic_bytes"] = traffic_json(summary.totals.traffic);
  json["dram_bytes"] = summary.dram_bytes;
  json["area_mm2"] = area_json(run);
  json["accumulator_bits"] = bits_or_null(accumulator_bits);
  json["host_share"] = static_cast<double>(host.operations.cycles) /
                       static_cast<double>(std::max<std::int64_t>(1, result.total_cycles));
  json["model_bytes"] = model_bytes(graph);
  json["cycles_breakdown"] = cycles_json(result.cycles);
  json["layers"] = layers_json(run);
  json["notes"] = result.notes;
  return json;
}

}  // namespace qsim
