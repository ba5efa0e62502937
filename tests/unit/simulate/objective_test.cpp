// What --objective asks for is what a run has: in cycles and energy as simulated, not as estimated.
#include <catch2/catch.hpp>

#include <memory>
#include <vector>

#include "hw_models/dataflow/dataflow_table.h"
#include "sim/compiler/compile.h"
#include "sim/energy/event_rates.h"
#include "sim/report/summary.h"
#include "sim/simulate.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "workloads/readers/load.h"

namespace qsim {
namespace {

struct Cost {
  double cycles = 0.0, pj = 0.0;
  [[nodiscard]] double product() const { return cycles * pj; }
};

Cost cost_of(const HardwareConfig& chip, const Graph& graph, Objective objective) {
  const EnergyModel model(chip, load_energy_table(chip.energy, shipped_energy_tables(), "chip"));
  const std::unique_ptr<const Mapper> mapper = cost_mapper(objective, model);
  SimulateOptions options;
  options.values = Values::none;
  options.mapper = mapper.get();
  const RunResult run = simulate(chip, graph, {}, options);
  return {static_cast<double>(run.total_cycles), total_pj(energy_of(total_events(run), model.terms(run)))};
}

/// The fastest is found by estimates, which may be wrong by this much.
constexpr double kClose = 1.03;

void check_objectives(const HardwareConfig& chip, const Graph& graph) {
  const Cost latency = cost_of(chip, graph, Objective::latency);
  const Cost energy = cost_of(chip, graph, Objective::energy);
  const Cost product = cost_of(chip, graph, Objective::edp);
  CHECK(energy.pj <= latency.pj);
  CHECK(latency.cycles <= kClose * energy.cycles);
  CHECK(product.product() <= latency.product());
  CHECK(product.product() <= energy.product());
}

HardwareConfig npu(const std::vector<std::string>& sets = {}) {
  return load_hardware("npu", sets, shipped_configs());
}

TEST_CASE("of a layer the least cycles, energy or product of both are had by asking for them") {
  for (const char* bandwidth : {"dram.bandwidth_gb_per_s=1", "dram.bandwidth_gb_per_s=16"}) {
    for (const test::LayerSize& size : test::drawn<test::LayerSize>({{28, 28, 64, 128, 3},
                                                                     {14, 14, 256, 512, 1},
                                                                     {56, 56, 32, 32, 3, 1, 32},
                                                                     {7, 7, 512, 256, 3},
                                                                     {1, 128, 768, 512, 1}})) {
      INFO(bandwidth << ", " << size.height << " x " << size.width << " x " << size.channels << " to "
                     << size.outputs);
      check_objectives(npu({bandwidth, "weight_buffer.capacity_kib=64", "activation_buffer.capacity_kib=64"}),
                       test::layer_graph(size));
    }
  }
}

TEST_CASE("of a network likewise") {
  const std::vector<std::string> folders = {QSIM_SOURCE_FOLDER "/workloads/models"};
  for (const std::string& name : test::drawn<std::string>({"resnet8", "mobilenet_v2", "bert_base_layer"})) {
    INFO(name);
    check_objectives(npu(), load_workload(name, folders));
  }
}

// What MACs cost depends on the dataflow: operands that stay move through no registers.
TEST_CASE("of an array of several dataflows likewise") {
  HardwareConfig chip = npu({"weight_buffer.capacity_kib=64", "activation_buffer.capacity_kib=64"});
  chip.mac_array.dataflows = {Dataflow::weight_stationary, Dataflow::output_stationary,
                              Dataflow::input_stationary};
  std::vector<Graph> graphs = {load_workload("resnet8", {QSIM_SOURCE_FOLDER "/workloads/models"})};
  for (const test::LayerSize& size : std::vector<test::LayerSize>{
           {28, 28, 64, 128, 3}, {1, 4, 256, 1024, 1}, {56, 56, 32, 32, 3, 1, 32}, {7, 7, 512, 256, 3}})
    graphs.push_back(test::layer_graph(size));
  for (const Graph& graph : test::drawn(graphs)) {
    INFO(graph.nodes.size() << " layers, output " << graph.tensor(graph.outputs[0]).shape[1]);
    check_objectives(chip, graph);
  }
}

// Bytes that pass beside the array's work cost energy and no cycles: the objectives differ.
TEST_CASE("energy is saved where that costs cycles, if it is asked for") {
  const HardwareConfig chip = npu();
  const Graph graph = load_workload("resnet8", {QSIM_SOURCE_FOLDER "/workloads/models"});
  const Cost latency = cost_of(chip, graph, Objective::latency);
  const Cost energy = cost_of(chip, graph, Objective::energy);
  CHECK(energy.pj < latency.pj);
  CHECK(energy.cycles > latency.cycles);
}

// The estimate of a layer's events against those that its run counts.
void check_estimates(const HardwareConfig& chip, const std::vector<test::LayerSize>& sizes) {
  const EnergyModel model(chip, load_energy_table(chip.energy, shipped_energy_tables(), "chip"));
  const std::unique_ptr<const Mapper> mapper = cost_mapper(Objective::latency, model);
  for (const test::LayerSize& size : sizes) {
    INFO(size.height << " x " << size.width << " x " << size.channels << " to " << size.outputs);
    const Graph graph = test::layer_graph(size);
    const double estimated = compile(graph, chip, *mapper, false).cost.energy_pj;
    const double simulated = cost_of(chip, graph, Objective::latency).pj;
    CHECK(estimated > 0.95 * simulated);
    CHECK(estimated < 1.05 * simulated);
  }
}

TEST_CASE("the energy that mappings are chosen by is that of the run within a twentieth") {
  check_estimates(npu(), {{28, 28, 64, 128, 3}, {14, 14, 256, 512, 1}, {56, 56, 32, 32, 3, 1, 32}});
}

// As the only one, and as the first of two, whose MACs are told apart. (Depthwise layers with other operands
// than weights that stay take fewer cycles than estimated, and so less leakage.)
TEST_CASE("so it is in every dataflow") {
  HardwareConfig chip = npu();
  const std::vector<test::LayerSize> sizes = {{28, 28, 64, 128, 3}, {14, 14, 256, 512, 1}};
  for (const Dataflow dataflow :
       {Dataflow::weight_stationary, Dataflow::output_stationary, Dataflow::input_stationary}) {
    INFO(dataflow_names()[static_cast<std::size_t>(dataflow)]);
    chip.mac_array.dataflow = dataflow;
    chip.mac_array.dataflows = {};
    check_estimates(chip, test::drawn(sizes));
    chip.mac_array.dataflows = {dataflow, Dataflow::weight_stationary};
    if (dataflow == Dataflow::weight_stationary) chip.mac_array.dataflows[1] = Dataflow::output_stationary;
    check_estimates(chip, test::drawn(sizes));
  }
}

}  // namespace
}  // namespace qsim
