// The values pass through the modelled memories: tile by tile they are what the fast kernels compute, and a
// fault in a memory, an address or a dependency shows in the output.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "hw_models/run_chip.h"
#include "sim/chip_values.h"
#include "sim/energy/energy_model.h"
#include "sim/report/accounting.h"
#include "sim/simulate.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim {
namespace {

constexpr std::size_t kRandomPrograms = 300;
constexpr int kProgramsALayer = 4;

std::string describe(const RunResult& run) {
  std::string text = "chip " + std::to_string(run.hardware.mac_array.rows) + "x" +
                     std::to_string(run.hardware.mac_array.columns) + ":";
  for (const LayerResult& layer : run.layers) {
    text += " " + layer.op + mapping_json(layer.mapping).dump();
  }
  return text;
}

/// First tensor that differs, or "".
std::string first_difference(const RunResult& a, const RunResult& b) {
  for (std::size_t i = 0; i < a.dump.size(); ++i) {
    if (a.dump[i].name != b.dump[i].name) return "order of tensors";
    if (a.dump[i].data.bytes != b.dump[i].data.bytes) return a.dump[i].name;
  }
  return a.dump.size() == b.dump.size() ? "" : "number of tensors";
}

/// Some networks of each kind of layer with each format of activations.
std::vector<test::RandomPair> cases_of_every_layer() {
  const std::vector<test::ActivationKind> formats{{Semantics::tflite, 8, true}, {Semantics::tflite, 16, true},
                                                  {Semantics::onnx, 8, true},   {Semantics::onnx, 8, false},
                                                  {Semantics::onnx, 16, true},  {Semantics::onnx, 16, false}};
  std::vector<test::RandomPair> cases;
  std::uint32_t seed = 1;
  for (const test::ActivationKind& format : formats) {
    for (const test::LayerKind layer : test::layer_kinds(format)) {
      for (int found = 0; found < kProgramsALayer; ++seed) {
        test::Choice choice(seed);
        test::RandomPair made{seed, test::single_layer_network(choice, format, layer),
                              test::random_chip(choice)};
        if (!test::fits(made.network.graph, made.chip)) continue;
        cases.push_back(std::move(made));
        ++found;
      }
    }
  }
  return cases;
}

/// Holds all that a run tells of tile by tile values to the same of the layer kernels, and its sums to each
/// other; the number of layers
/// whose accumulators overflowed.
int check_alike(const test::RandomPair& made) {
  const EnergyModel energy(made.chip, load_energy_table("45nm", shipped_energy_tables(), ""));
  const RunResult tile =
      simulate(made.chip, made.network.graph, made.network.inputs, {Values::tile, 1, 1, true});
  const RunResult layer =
      simulate(made.chip, made.network.graph, made.network.inputs, {Values::layer, 1, 1, true});
  int overflowing = 0;
  INFO("seed " << made.seed << " " << describe(tile));
  CHECK_NOTHROW(check_accounting(layer, summarize(layer, energy, 1), made.network.graph));
  CHECK(first_difference(tile, layer) == "");
  CHECK(tile.total_cycles == layer.total_cycles);
  for (std::size_t i = 0; i < tile.layers.size(); ++i) {
    INFO("layer " << tile.layers[i].name);
    CHECK(tile.layers[i].activity.counts == layer.layers[i].activity.counts);
    REQUIRE(tile.layers[i].accumulator.has_value() == layer.layers[i].accumulator.has_value());
    if (!tile.layers[i].accumulator) continue;
    CHECK(tile.layers[i].accumulator->min == layer.layers[i].accumulator->min);
    CHECK(tile.layers[i].accumulator->max == layer.layers[i].accumulator->max);
    CHECK(tile.layers[i].accumulator->overflows == layer.layers[i].accumulator->overflows);
    overflowing += tile.layers[i].accumulator->overflows > 0 ? 1 : 0;
  }
  return overflowing;
}

TEST_CASE("values computed tile by tile in the modelled memories equal those of the layer kernels") {
  int overflowing = 0;
  for (const test::RandomPair& made : test::random_pairs(kRandomPrograms, 1))
    overflowing += check_alike(made);
  CHECK(overflowing > 10);  // wrapping and saturating accumulators were really met
}

TEST_CASE("every kind of layer has the same values tile by tile, with every format of activations") {
  for (const test::RandomPair& made : cases_of_every_layer()) check_alike(made);
}

TEST_CASE("a graph output that is an input or a constant has its value") {
  Graph graph = test::layer_graph({4, 4, 3, 5, 3});
  graph.outputs = {graph.inputs[0], graph.nodes[0].inputs[1], graph.nodes[0].outputs[0]};
  validate(graph);
  const TensorData input = test::pattern_input(graph);
  SimulateOptions options;
  for (const Values values : {Values::layer, Values::tile}) {
    options.values = values;
    const RunResult run = simulate(HardwareConfig{}, graph, {input}, options);
    CHECK(run.outputs[0].data.bytes == input.bytes);
    CHECK(run.outputs[1].data.bytes == graph.tensor(graph.nodes[0].inputs[1]).data->bytes);
    CHECK(run.outputs[2].data.shape == graph.tensor(graph.outputs[2]).shape);
  }
}

}  // namespace
}  // namespace qsim
