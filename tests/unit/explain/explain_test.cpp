#include "sim/explain/explain.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "sim/config/load_hardware.h"
#include "sim/explain/explain_json.h"
#include "sim/explain/explain_text.h"
#include "tests/unit/simulate/layer_graph.h"

namespace qsim {
namespace {

const test::LayerSize kPointwise{7, 7, 256, 256, 1};

HardwareConfig npu_with(const std::vector<std::string>& sets) {
  return load_hardware("npu", sets, {QSIM_SOURCE_FOLDER "/configs"});
}

RunResult run_with(const std::vector<std::string>& sets, const Graph& graph) {
  return simulate(npu_with(sets), graph, {}, {Values::none});
}

TEST_CASE("what a step gains is what a run with its settings gains") {
  const Graph graph = test::layer_graph(kPointwise);
  const ExplainResult result = explain_run(npu_with, graph);
  const RunResult before = run_with({}, graph);
  REQUIRE(result.run.total_cycles == before.total_cycles);
  REQUIRE(result.steps.size() >= 10);
  for (const StepRun& step : result.steps) {
    INFO(step.step.name);
    REQUIRE(step.error.empty());
    const RunResult after = run_with(step.step.sets, graph);
    CHECK(gain_of(result, step) == before.total_cycles - after.total_cycles);
    CHECK(gain_of(result, step, 0) == before.layers[0].cycles - after.layers[0].cycles);
  }
  CHECK(std::ranges::is_sorted(result.steps, {}, &StepRun::cycles));
}

TEST_CASE("steps double what there is, and add the second buffer that is missing") {
  HardwareConfig chip;
  const auto names = [&] {
    std::set<std::string> sets;
    for (const Step& step : next_steps(chip)) sets.insert(step.sets.back());
    return sets;
  };
  CHECK(names().contains("dram.bandwidth_gb_per_s=25.6"));
  CHECK(names().contains("dram.outstanding_requests=64"));
  CHECK(names().contains("mac_array.rows=64"));
  CHECK(names().contains("vector_unit.lanes=64"));
  CHECK_FALSE(names().contains("accumulators.double_buffered=true"));
  chip.accumulators.double_buffered = false;
  chip.vector_unit.lanes = 0;
  chip.dram.kind = DramKind::none;
  CHECK(names().contains("accumulators.double_buffered=true"));
  CHECK_FALSE(names().contains("vector_unit.lanes=0"));
  CHECK_FALSE(names().contains("dram.bandwidth_gb_per_s=25.6"));
}

TEST_CASE("ports beyond the banks come with banks") {
  HardwareConfig chip;
  chip.weight_buffer.banks = chip.weight_buffer.read_ports = 4;
  const std::vector<Step> steps = next_steps(chip);
  const auto step = std::ranges::find(steps, "twice the weight read ports", &Step::name);
  REQUIRE(step != steps.end());
  CHECK(step->sets == std::vector<std::string>{"weight_buffer.banks=8", "weight_buffer.read_ports=8"});
}

TEST_CASE("a step that the chip cannot take says why") {
  const ChipWith at_the_limit = [](std::vector<std::string> sets) {
    sets.insert(sets.begin(), "requantizer.lanes=4096");
    return npu_with(sets);
  };
  const ExplainResult result = explain_run(at_the_limit, test::layer_graph({4, 4, 8, 8, 1}));
  CHECK(result.steps.back().step.name == "twice the requantizer lanes");
  CHECK(result.steps.back().error.find("8192") != std::string::npos);
  CHECK(explain_text(result).find("not possible") != std::string::npos);
}

TEST_CASE("enough of a setting takes no more cycles, half of it does or does not work") {
  const Graph graph = test::layer_graph(kPointwise);
  const ExplainResult result = explain_run(npu_with, graph);
  std::set<std::string> paths;
  for (const EffectRemark& remark : result.remarks) {
    if (remark.enough > remark.value) continue;
    paths.insert(remark.path);
    INFO(remark.text);
    const RunResult with = run_with({set_of(remark.path, remark.enough)}, graph);
    CHECK(with.total_cycles <= result.run.total_cycles);
    CHECK(remark.cycles == with.total_cycles);
    if (remark.enough == 1) continue;
    try {
      CHECK(run_with({set_of(remark.path, remark.enough / 2)}, graph).total_cycles > result.run.total_cycles);
    } catch (const InputError&) {
      SUCCEED("too small to run");
    }
  }
  // Nothing runs on the vector unit, and a port of 64 bytes writes 32 outputs at a time.
  CHECK(paths.contains("vector_unit.lanes"));
  CHECK(paths.contains("activation_buffer.write_port_bytes"));
}

TEST_CASE("of several inferences a step has the cycles of the steady state too") {
  const Graph graph = test::layer_graph(kPointwise);
  ExplainOptions options;
  options.inferences = 3;
  options.layers = 0;
  const ExplainResult result = explain_run(npu_with, graph, options);
  SimulateOptions how;
  how.values = Values::none;
  how.inferences = 3;
  for (const StepRun& step : result.steps) {
    const RunResult after = simulate(npu_with(step.step.sets), graph, {}, how);
    CHECK(step.cycles == after.total_cycles);
    CHECK(step.steady_cycles == after.steady_state->cycles);
  }
  CHECK_FALSE(explain_run(npu_with, graph, {0, nullptr, 1, ""}).steps[0].steady_cycles);
}

TEST_CASE("a suggestion is a command line") {
  ExplainOptions options;
  options.command = "qsim --workload one.json --cost-only";
  const ExplainResult result = explain_run(npu_with, test::layer_graph(kPointwise), options);
  CHECK(command_with(result, {"weight_buffer.banks=8", "weight_buffer.read_ports=8"}) ==
        "qsim --workload one.json --cost-only --set weight_buffer.banks=8 --set weight_buffer.read_ports=8");
  const auto json = explain_json(result, "1.2.3");
  CHECK(json["command"] == options.command);
  CHECK(json["steps"][0]["command"] ==
        options.command + " --set " + json["steps"][0]["set"][0].get<std::string>());
  CHECK(explain_text(result).find("\n  " + options.command + "\n") != std::string::npos);
}

TEST_CASE("a bus of 5 cycles a burst and a latency of 100 needs 21 requests in flight") {
  HardwareConfig chip;
  CHECK(requests_for_bandwidth(chip) == 21);
  const Graph graph = test::layer_graph(kPointwise);
  const auto has_remark = [&](const std::string& requests) {
    const ChipWith chip_with = [&](std::vector<std::string> sets) {
      sets.insert(sets.begin(), "dram.outstanding_requests=" + requests);
      return npu_with(sets);
    };
    const ExplainResult result = explain_run(chip_with, graph);
    return std::ranges::any_of(result.remarks, [&](const EffectRemark& remark) {
      return remark.path == "dram.outstanding_requests" && remark.enough == 21 &&
             remark.cycles == run_with({"dram.outstanding_requests=21"}, graph).total_cycles;
    });
  };
  CHECK(has_remark("20"));
  CHECK_FALSE(has_remark("21"));
}

TEST_CASE("slow are the layers with most cycles beyond their MACs at the peak") {
  const Graph graph = test::layer_graph(kPointwise);
  const ExplainResult result = explain_run(npu_with, graph);
  REQUIRE(result.slow.size() == 1);
  // 7 * 7 * 256 * 256 MACs, 1,024 a cycle.
  CHECK(result.slow[0].lost_cycles == result.run.total_cycles - 49 * 256 * 256 / 1024);
  CHECK(explain_run(npu_with, graph, {0, nullptr, 1, ""}).slow.empty());
}

TEST_CASE("the JSON has a layer's steps, and what limits it") {
  const ExplainResult result = explain_run(npu_with, test::layer_graph(kPointwise));
  const auto json = explain_json(result, "1.2.3");
  CHECK(json["cycles"] == result.run.total_cycles);
  CHECK(json["layers"][0]["limited_by"] == "dram_bandwidth");
  CHECK(json["layers"][0]["steps"].size() == result.steps.size());
  CHECK(json["layers"][0]["steps"][0]["set"][0] == "dram.bandwidth_gb_per_s=25.6");
  CHECK(json["steps"][0]["gain_cycles"] == gain_of(result, result.steps[0]));
}

}  // namespace
}  // namespace qsim
