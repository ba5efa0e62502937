// Arrays that offer several dataflows: each layer runs in the one that suits it.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <limits>
#include <set>

#include "hw_models/dataflow/dataflow_table.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/layer_mapping.h"
#include "sim/compiler/mapping_file.h"
#include "sim/energy/energy_model.h"
#include "sim/energy/events.h"
#include "sim/report/accounting.h"
#include "sim/simulate.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"
#include "workloads/readers/load.h"

namespace qsim {
namespace {

const std::vector<Dataflow> kAll = {Dataflow::weight_stationary, Dataflow::output_stationary,
                                    Dataflow::input_stationary};

HardwareConfig chip_with(const std::vector<Dataflow>& dataflows) {
  HardwareConfig chip;
  chip.mac_array.dataflow = dataflows.front();
  if (dataflows.size() > 1) chip.mac_array.dataflows = dataflows;
  return chip;
}

Dataflow dataflow_of_row(const RunResult& run, std::size_t row) {
  return std::get<GemmLayerMapping>(run.layers[row].mapping).mapping.dataflow;
}

/// What the choice is worth less than: the estimate of a mapping is not its simulation. Of short rows filling
/// and draining, R + C cycles, are most of what it does not know.
constexpr double kEstimate = 1.02;
constexpr double kFillAndDrain = 32 + 32;

TEST_CASE("a layer takes no longer than in the best single dataflow, within what the estimate is off") {
  const std::vector<test::LayerSize> sizes = {
      {1, 1, 512, 512, 1},   {1, 4, 256, 1024, 1},       {14, 14, 256, 256, 3},
      {56, 56, 64, 64, 1},   {7, 7, 512, 512, 3},        {112, 112, 3, 32, 3},
      {1, 128, 768, 768, 1}, {28, 28, 96, 96, 3, 1, 96}, {8, 8, 16, 8, 1}};
  std::set<Dataflow> chosen;
  for (const test::LayerSize& size : test::drawn(sizes)) {
    const Graph graph = test::layer_graph(size);
    INFO(size.height << "x" << size.width << "x" << size.channels << " to " << size.outputs);
    std::int64_t best = std::numeric_limits<std::int64_t>::max();
    for (const Dataflow dataflow : kAll)
      best = std::min(best, simulate(chip_with({dataflow}), graph, {}, {Values::none}).total_cycles);
    const RunResult mixed = simulate(chip_with(kAll), graph, {}, {Values::none});
    CHECK(static_cast<double>(mixed.total_cycles) <= kEstimate * static_cast<double>(best) + kFillAndDrain);
    chosen.insert(dataflow_of_row(mixed, 0));
  }
  CHECK(std::ssize(chosen) >= test::hits_of_list(2));
}

// Networks as they ship, on the shipped array: what is compared is how each layer does best.
TEST_CASE("a network takes no longer than in the best single dataflow") {
  for (const std::string& name : test::drawn<std::string>({"resnet8", "mobilenet_v2"})) {
    INFO(name);
    const Graph graph = load_workload(name, {QSIM_SOURCE_FOLDER "/workloads/models"});
    HardwareConfig chip = load_hardware("npu", {}, shipped_configs());
    std::int64_t best = std::numeric_limits<std::int64_t>::max();
    for (const Dataflow dataflow : kAll) {
      chip.mac_array.dataflow = dataflow;
      best = std::min(best, simulate(chip, graph, {}, {Values::none}).total_cycles);
    }
    chip.mac_array.dataflows = kAll;
    CHECK(simulate(chip, graph, {}, {Values::none}).total_cycles <= best);
  }
}

TEST_CASE("the dataflow of each row is read back from a report's mappings") {
  const Graph graph = load_workload("resnet8", {QSIM_SOURCE_FOLDER "/workloads/models"});
  HardwareConfig chip = load_hardware("npu", {}, shipped_configs());
  chip.mac_array.dataflows = kAll;
  const RunResult run = simulate(chip, graph, {}, {Values::none});
  nlohmann::ordered_json layers;
  for (const LayerResult& layer : run.layers) layers[layer.name] = mapping_json(layer.mapping);
  const PinnedMapper mapper(parse_mappings({{"layers", layers}}, "mappings.json"),
                            std::make_unique<CostMapper>());
  SimulateOptions options;
  options.values = Values::none;
  options.mapper = &mapper;
  const RunResult again = simulate(chip, graph, {}, options);
  CHECK(again.total_cycles == run.total_cycles);
  CHECK(again.activity.counts == run.activity.counts);
  for (std::size_t i = 0; i < run.layers.size(); ++i)
    CHECK(mapping_json(again.layers[i].mapping) == mapping_json(run.layers[i].mapping));
}

TEST_CASE("a row in a dataflow of several runs as on an array that has only that one") {
  const Graph graph = test::layer_graph({6, 7, 16, 20, 3});
  const std::vector<TensorData> inputs = {test::pattern_input(graph)};
  for (const Organization organization : {Organization::systolic, Organization::dot_product}) {
    for (const Dataflow dataflow : kAll) {
      HardwareConfig several = chip_with(kAll);
      several.mac_array.organization = organization;
      HardwareConfig one = several;
      one.mac_array.dataflows.clear();
      one.mac_array.dataflow = dataflow;
      const std::string name = dataflow_names()[static_cast<std::size_t>(dataflow)];
      const PinnedMapper mapper(parse_mappings({{"layers", {{"y", {{"dataflow", name}}}}}}, "mappings.json"),
                                std::make_unique<CostMapper>());
      SimulateOptions options;
      options.values = Values::tile;
      const RunResult alone = simulate(one, graph, inputs, options);
      options.mapper = &mapper;
      for (const Fidelity fidelity : {Fidelity::tile, Fidelity::pe}) {
        INFO(name);
        options.fidelity = fidelity;
        const RunResult chosen = simulate(several, graph, inputs, options);
        CHECK(dataflow_of_row(chosen, 0) == dataflow);
        CHECK(chosen.total_cycles == alone.total_cycles);
        CHECK(chosen.activity.counts == alone.activity.counts);
        CHECK(chosen.outputs[0].data.bytes == alone.outputs[0].data.bytes);
      }
    }
  }
}

TEST_CASE("networks whose rows are in different dataflows: values and cycles in every way of running") {
  int mixed = 0;
  for (test::RandomPair& made : test::random_pairs(test::draws(90), 4000)) {
    INFO("seed " << made.seed);
    HardwareConfig& chip = made.chip;
    chip.mac_array.dataflows = kAll;
    chip.mac_array.dataflow = kAll.front();
    chip.activation_buffer.line_buffer = false;
    if (!test::fits(made.network.graph, chip)) continue;
    const EnergyModel energy(chip, load_energy_table("45nm", shipped_energy_tables(), ""));
    const RunResult layer = simulate(chip, made.network.graph, made.network.inputs, {});
    CHECK_NOTHROW(check_accounting(layer, summarize(layer, energy, 1), made.network.graph));
    std::set<Dataflow> chosen;
    for (const LayerResult& row : layer.layers) {
      if (row.chosen_dataflow) chosen.insert(*row.chosen_dataflow);
    }
    mixed += chosen.size() > 1 ? 1 : 0;
    for (const Fidelity fidelity : {Fidelity::tile, Fidelity::pe}) {
      SimulateOptions options;
      options.values = Values::tile;
      options.fidelity = fidelity;
      const RunResult tile = simulate(chip, made.network.graph, made.network.inputs, options);
      CHECK(tile.total_cycles == layer.total_cycles);
      CHECK(tile.activity.counts == layer.activity.counts);
      for (std::size_t i = 0; i < tile.outputs.size(); ++i)
        CHECK(tile.outputs[i].data.bytes == layer.outputs[i].data.bytes);
    }
  }
  CHECK(mixed >= test::hits(10));
}

TEST_CASE("MACs are counted, and their energy is, by the dataflow in which they were made") {
  const Graph graph = test::layer_graph({6, 7, 16, 20, 3});
  const RunResult run = simulate(chip_with(kAll), graph, {}, {Values::none});
  const std::string name = "macs_w8a8_" + dataflow_names()[static_cast<std::size_t>(dataflow_of_row(run, 0))];
  CHECK(total_events(run).at(name) == run.activity[Event::macs]);
  const EnergyTable table = load_energy_table("45nm", shipped_energy_tables(), "");
  const EnergyModel several(run.hardware, table);
  HardwareConfig one = chip_with({dataflow_of_row(run, 0)});
  const RunResult alone = simulate(one, graph, {}, {Values::none});
  const EnergyBreakdown with_all = summarize(run, several, 1).totals.energy_pj;
  const EnergyBreakdown with_one = summarize(alone, EnergyModel(one, table), 1).totals.energy_pj;
  for (std::size_t i = 0; i < kComponentCount; ++i) {
    INFO(component_name(static_cast<Component>(i)));
    if (static_cast<Component>(i) != Component::clock) CHECK(with_all[i] == Approx(with_one[i]));
  }
  // The registers of all dataflows are there, and clocked.
  constexpr auto kClock = static_cast<std::size_t>(Component::clock);
  CHECK(with_all[kClock] > with_one[kClock]);
}

TEST_CASE("mac_array has one dataflow or a list of them; a file's word replaces that of its base") {
  const ScratchFolder folder;
  const auto read = [&](const std::string& text, const std::vector<std::string>& sets = {}) {
    return load_hardware(write_file(folder, "chip.json", text), sets, shipped_configs()).mac_array;
  };
  const std::string list =
      R"({"extends": "npu", "mac_array": {"dataflows": ["output_stationary", "weight_stationary"]}})";
  CHECK(read(list).dataflows == std::vector{Dataflow::output_stationary, Dataflow::weight_stationary});
  CHECK(read(list).dataflow == Dataflow::output_stationary);
  const MacArrayConfig again = read(list, {"mac_array.dataflow=input_stationary"});
  CHECK(again.dataflows.empty());
  CHECK(again.dataflow == Dataflow::input_stationary);
  CHECK(read(R"({"extends": "npu"})", {R"(mac_array.dataflows=["weight_stationary","input_stationary"])"})
            .dataflows.size() == 2);
  const auto wrong = [](const std::string& fields) {
    return hardware_problems(R"({"mac_array": {)" + fields + "}}").at(0);
  };
  CHECK(wrong(R"("dataflow": "weight_stationary", "dataflows": ["input_stationary"])").place ==
        "mac_array.dataflows");
  for (const char* bad : {R"([])", R"("weight_stationary")", R"(["row_stationary"])", R"([1])",
                          R"(["weight_stationary", "weight_stationary"])"}) {
    INFO(bad);
    CHECK(wrong(std::string(R"("dataflows": )") + bad).place == "mac_array.dataflows");
  }
}

}  // namespace
}  // namespace qsim
