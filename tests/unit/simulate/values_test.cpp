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
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"
#include "tests/unit/simulate/same_run.h"

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

/// Some networks of each kind of layer with each format of activations.
std::vector<test::RandomPair> cases_of_every_layer() {
  const std::vector<test::ActivationKind> formats{{Semantics::tflite, 8, true}, {Semantics::tflite, 16, true},
                                                  {Semantics::onnx, 8, true},   {Semantics::onnx, 8, false},
                                                  {Semantics::onnx, 16, true},  {Semantics::onnx, 16, false}};
  std::vector<test::RandomPair> cases;
  std::uint32_t seed = 1;
  for (const test::ActivationKind& format : formats) {
    for (const test::LayerKind layer : test::layer_kinds(format)) {
      for (int found = 0; found < test::drawn(kProgramsALayer); ++seed) {
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
  test::check_same_run(tile, layer);
  for (const LayerResult& row : tile.layers)
    overflowing += row.accumulator && row.accumulator->overflows > 0 ? 1 : 0;
  return overflowing;
}

TEST_CASE("values computed tile by tile in the modelled memories equal those of the layer kernels") {
  int overflowing = 0;
  for (const test::RandomPair& made : test::random_pairs(test::draws(kRandomPrograms), 1))
    overflowing += check_alike(made);
  CHECK(overflowing > test::hits(10));  // wrapping and saturating accumulators were really met
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
