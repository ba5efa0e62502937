// Weights with a scale and a zero point a group, on random networks and chips: tile by tile in the modelled
// memories, at once with the fast kernels, and PE by PE.
#include <catch2/catch.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include "sim/compiler/compile.h"
#include "sim/energy/energy_model.h"
#include "sim/report/accounting.h"
#include "sim/simulate.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"
#include "tests/unit/simulate/same_run.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

/// Gives the weights of a tensor groups of a size that divides their channels.
void add_random_groups(Tensor& weights, int multiplier_bits, bool asymmetric, test::Choice& choice) {
  const std::int64_t channels = weights.shape.back();
  std::int64_t group = choice.between(1, channels);
  while (channels % group != 0) --group;
  Quantization& q = *weights.quantization;
  q.axis = 0;
  q.group_size = group;
  if (q.scales.size() == 1) q.scales.assign(static_cast<std::size_t>(weights.shape[0]), q.scales[0]);
  for (float& scale : q.scales) scale /= static_cast<float>(1 << (multiplier_bits - 1));
  q.zero_points.clear();
  for (std::int64_t g = 0; g < element_count(weights.shape) / group; ++g) {
    q.group_multipliers.push_back(static_cast<std::int32_t>(choice.between(1, (1 << multiplier_bits) - 1)));
    q.zero_points.push_back(
        asymmetric ? static_cast<std::int32_t>(choice.between(q.format().min(), q.format().max())) : 0);
  }
}

/// A random network with groups wherever a kernel tap has several channels; how many layers have them.
int add_groups(test::RandomPair& made) {
  test::Choice choice(made.seed + 1'000'000);
  const int bits = static_cast<int>(choice.of({1, 4, 8, 8, 12}));
  made.chip.requantizer.group_multiplier_bits = bits;
  int layers = 0;
  Graph& graph = made.network.graph;
  for (const Node& node : graph.nodes) {
    if (is_float_node(graph, node) || mac_count(graph, node) == 0 || !definition(node.op).has_weights)
      continue;
    Tensor& weights = graph.tensor(node.inputs[1]);
    if (weights.shape.back() < 2 || weights.quantization->has_groups()) continue;
    add_random_groups(weights, bits, choice.chance(40), choice);
    ++layers;
  }
  return layers;
}

struct GroupsMet {
  int layers = 0, overflowing = 0, corrected = 0;
};

void check_three_ways(const test::RandomPair& made, GroupsMet& met) {
  const test::RandomNetwork& network = made.network;
  const RunResult tile = simulate(made.chip, network.graph, network.inputs, {Values::tile, 1, 1, true});
  const RunResult layer = simulate(made.chip, network.graph, network.inputs, {Values::layer, 1, 1, true});
  test::check_same_run(tile, layer);
  SimulateOptions options{Values::tile, 1, 1, true};
  options.fidelity = Fidelity::pe;
  test::check_same_run(simulate(made.chip, network.graph, network.inputs, options), tile);
  const EnergyModel energy(made.chip, load_energy_table("45nm", shipped_energy_tables(), ""));
  CHECK_NOTHROW(check_accounting(layer, summarize(layer, energy, 1), network.graph));
  for (const LayerResult& row : tile.layers) {
    if (!row.groups) {
      CHECK(row.activity[Event::group_multiplies] == 0);
      continue;
    }
    ++met.layers;
    if (row.accumulator->overflows > 0) ++met.overflowing;
    if (row.activity[Event::zero_point_corrections] > 0) ++met.corrected;
    CHECK(row.activity[Event::group_multiplies] == row.activity[Event::accumulator_adds]);
  }
}

TEST_CASE("layers with groups have the same values, cycles and counts tile by tile, at once and PE by PE") {
  GroupsMet met;
  std::vector<test::RandomPair> pairs = test::random_pairs(test::draws(120), 500);
  // What does not fit is told apart before anything is simulated (random_pairs()).
  std::erase_if(pairs, [](test::RandomPair& made) {
    return add_groups(made) == 0 || !test::fits(made.network.graph, made.chip);
  });
  for (const test::RandomPair& made : pairs) {
    INFO("seed " << made.seed);
    check_three_ways(made, met);
  }
  CHECK(met.layers > test::hits(25));
  CHECK(met.overflowing > test::hits(2));
  CHECK(met.corrected > test::hits(10));
}

/// A layer of 32 channels with multipliers 1 and groups of `size` channels; none where it is 0.
Graph grouped_layer(std::int64_t size) {
  Graph graph = test::layer_graph({6, 6, 32, 40, 3});
  Quantization& q = *graph.tensor(1).quantization;
  if (size == 0) return graph;
  q.axis = 0;
  q.group_size = size;
  q.group_multipliers.assign(static_cast<std::size_t>(element_count(graph.tensor(1).shape) / size), 1);
  return graph;
}

RunResult run_layer(const HardwareConfig& chip, const Graph& graph) {
  return simulate(chip, graph, {test::pattern_input(graph)}, {Values::layer, 1, 1, true});
}

HardwareConfig chip_with_multipliers() {
  HardwareConfig chip;
  chip.requantizer.group_multiplier_bits = 8;
  return chip;
}

TEST_CASE("multipliers of 1 change no value, and a chunk never crosses the border of a group") {
  const HardwareConfig chip = chip_with_multipliers();
  const RunResult without = run_layer(chip, grouped_layer(0));
  // 288 elements of the reduction on 32 rows: 9 chunks, also of whole groups; of halves of them 18.
  for (const auto& [size, chunks] : {std::pair{32, 9}, std::pair{16, 18}, std::pair{8, 36}}) {
    INFO("groups of " << size);
    const RunResult with = run_layer(chip, grouped_layer(size));
    test::check_same_values(with, without);
    const std::int64_t outputs = 6 * 6 * 40;
    CHECK(with.layers[0].activity[Event::group_multiplies] == chunks * outputs);
    CHECK(with.layers[0].activity[Event::accumulator_writes] == chunks * outputs);
    CHECK(with.layers[0].activity[Event::macs] == without.layers[0].activity[Event::macs]);
    // A byte of a multiplier for each group of an output channel, the scales a record each instead of one.
    CHECK(with.layers[0].activity[Event::dram_read_parameter_bytes] -
              without.layers[0].activity[Event::dram_read_parameter_bytes] ==
          40 * 9 * (32 / size));
    CHECK(with.total_cycles > without.total_cycles);
  }
}

TEST_CASE("rows that groups leave free show in the utilization") {
  HardwareConfig chip = chip_with_multipliers();
  const RunResult half = run_layer(chip, grouped_layer(16));
  const RunResult whole = run_layer(chip, grouped_layer(32));
  CHECK(half.layers[0].span_cycles > 1.5 * static_cast<double>(whole.layers[0].span_cycles) - 500);
  CHECK(half.total_cycles > whole.total_cycles);
}

TEST_CASE("a chip without multipliers refuses groups, and says how wide they have to be") {
  Graph graph = grouped_layer(8);
  graph.tensor(1).quantization->group_multipliers[5] = 255;
  const auto problems = [&graph](int bits) {
    HardwareConfig chip;
    chip.requantizer.group_multiplier_bits = bits;
    return try_compile(graph, chip, false).problems;
  };
  REQUIRE(problems(0).size() == 1);
  CHECK(problems(0)[0].node == 0);
  CHECK(problems(0)[0].problem.expected == "requantizer.group_multiplier_bits of 8 or more");
  CHECK_THAT(problems(7)[0].problem.value, Catch::Contains("multipliers up to 255"));
  CHECK(problems(8).empty());
}

}  // namespace
}  // namespace qsim
