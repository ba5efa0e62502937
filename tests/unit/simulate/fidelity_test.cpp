// The PEs, stepped cycle by cycle, take the cycles of the closed forms, compute the same values and touch the
// memories as often.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

#include "hw_models/dataflow/dataflow_table.h"
#include "hw_models/dataflow/precision_style.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim {
namespace {

std::string describe(const HardwareConfig& chip) {
  const MacArrayConfig& array = chip.mac_array;
  return std::to_string(array.rows) + "x" + std::to_string(array.columns) +
         (array.organization == Organization::systolic ? " systolic, dataflow " : " dot_product, dataflow ") +
         std::to_string(static_cast<int>(array.dataflow)) +
         (array.double_buffered_weights ? "" : " serialized") + ", arbitration of weights " +
         std::to_string(static_cast<int>(chip.weight_buffer.arbitration)) + " and activations " +
         std::to_string(static_cast<int>(chip.activation_buffer.arbitration));
}

/// Layers that were compared: on the array, of those with products of several cycles, and with four and more
/// groups side by side whose sums stay in the PEs.
struct Compared {
  int layers = 0, wide = 0, groups = 0;
};

bool has_groups_side_by_side(const LayerResult& layer) {
  const auto* gemm = std::get_if<GemmLayerMapping>(&layer.mapping);
  return gemm != nullptr && gemm->mapping.groups_per_tile >= 4;
}

/// Same cycles, values and counts.
void compare(const HardwareConfig& chip, const test::RandomNetwork& network, Compared& compared) {
  SimulateOptions options;
  options.values = Values::tile;
  options.dump_tensors = true;
  const RunResult tile = simulate(chip, network.graph, network.inputs, options);
  options.fidelity = Fidelity::pe;
  const RunResult pe = simulate(chip, network.graph, network.inputs, options);
  CHECK(pe.total_cycles == tile.total_cycles);
  REQUIRE(pe.dump.size() == tile.dump.size());
  for (std::size_t i = 0; i < pe.dump.size(); ++i) {
    INFO("tensor " << pe.dump[i].name);
    CHECK((pe.dump[i].data.bytes == tile.dump[i].data.bytes));
  }
  for (std::size_t i = 0; i < pe.layers.size(); ++i) {
    INFO("layer " << i << " " << pe.layers[i].name);
    CHECK(pe.layers[i].cycles == tile.layers[i].cycles);
    CHECK(pe.layers[i].span_cycles == tile.layers[i].span_cycles);
    CHECK(pe.layers[i].cycles_breakdown == tile.layers[i].cycles_breakdown);
    for (std::size_t e = 0; e < kEventCount; ++e) {
      INFO(event_name(static_cast<Event>(e)));
      CHECK(pe.layers[i].activity.counts[e] == tile.layers[i].activity.counts[e]);
    }
    if (!pe.layers[i].accumulator) continue;
    ++compared.layers;
    if (chip.mac_array.cycles_per_mac(pe.layers[i].weight_bits, pe.layers[i].activation_bits) > 1)
      ++compared.wide;
    if (dataflow_model(chip.mac_array).grid() == PeGridKind::output && has_groups_side_by_side(pe.layers[i]))
      ++compared.groups;
    CHECK(pe.layers[i].accumulator->min == tile.layers[i].accumulator->min);
    CHECK(pe.layers[i].accumulator->max == tile.layers[i].accumulator->max);
    CHECK(pe.layers[i].accumulator->overflows == tile.layers[i].accumulator->overflows);
  }
}

/// Random networks on random chips until so many layers have run on the array. All are made before the first
/// one is simulated (random_pairs); on the average a network has more than a layer on the array.
void compare_layers(int count, std::uint32_t first_seed) {
  Compared compared;
  for (const auto& [seed, network, chip] : test::random_pairs(static_cast<std::size_t>(count), first_seed)) {
    if (compared.layers >= count) break;
    INFO("seed " << seed << ": " << describe(chip));
    compare(chip, network, compared);
  }
  CHECK(compared.layers >= count);
  // What is rare is there nonetheless.
  CHECK(compared.wide > count / 4);
  CHECK(compared.groups >= count / 300);
}

TEST_CASE("tile fidelity equals PE fidelity on 300 random layers") {
  compare_layers(test::draws(300), 1);
}

TEST_CASE("tile fidelity equals PE fidelity on 2,000 random layers", "[.][long]") {
  compare_layers(2000, 10'001);
}

/// Random networks on random chips of a style, which have room for them.
std::vector<test::RandomPair> pairs_of_style(PrecisionStyle style, std::size_t count,
                                             std::uint32_t first_seed) {
  std::vector<test::RandomPair> pairs;
  for (test::RandomPair& pair : test::random_pairs(count, first_seed)) {
    test::Choice choice(pair.seed);
    MacArrayConfig& array = pair.chip.mac_array;
    array.precision_style = style;
    array.weight_bits = static_cast<int>(choice.of({4, 8, 8, 16}));
    array.activation_bits = static_cast<int>(choice.of({8, 16}));
    pair.chip.accumulators.width_bits = std::max(32, pair.chip.accumulators.width_bits);
    if (test::fits(pair.network.graph, pair.chip)) pairs.push_back(std::move(pair));
  }
  return pairs;
}

TEST_CASE("tile fidelity equals PE fidelity with every precision style, and so do values layer by layer") {
  std::vector<test::RandomPair> pairs;
  for (const PrecisionRow& row : precision_table()) {
    if (row.style == PrecisionStyle::fixed) continue;  // above
    const std::size_t count = row.style == PrecisionStyle::bit_fusion ? 160 : 40;
    for (test::RandomPair& pair : pairs_of_style(row.style, test::draws(count), 777))
      pairs.push_back(std::move(pair));
  }
  Compared compared;
  std::int64_t fused = 0;
  for (const auto& [seed, network, chip] : pairs) {
    INFO("seed " << seed << ", style " << static_cast<int>(chip.mac_array.precision_style) << ": "
                 << describe(chip));
    compare(chip, network, compared);
    SimulateOptions options;
    options.dump_tensors = true;
    const RunResult layers = simulate(chip, network.graph, network.inputs, options);
    options.values = Values::tile;
    const RunResult tiles = simulate(chip, network.graph, network.inputs, options);
    CHECK(layers.total_cycles == tiles.total_cycles);
    REQUIRE(layers.dump.size() == tiles.dump.size());
    for (std::size_t i = 0; i < layers.dump.size(); ++i)
      CHECK((layers.dump[i].data.bytes == tiles.dump[i].data.bytes));
    for (const LayerResult& layer : tiles.layers) {
      if (layer.weight_bits == 0) continue;
      const std::int64_t macs = chip.mac_array.macs_a_pe(layer.weight_bits, layer.activation_bits);
      fused += macs > 1 ? 1 : 0;
      CHECK(layer.macs <= layer.span_cycles * layer.peak_macs_per_cycle);
    }
  }
  CHECK(fused * 8 >= static_cast<std::int64_t>(pairs.size()));
}

TEST_CASE("without values the PEs take the same time") {
  test::Choice choice(3);
  const test::RandomNetwork network = test::random_network(choice);
  HardwareConfig chip;
  chip.mac_array.rows = chip.mac_array.columns = 8;
  chip.mac_array.activation_bits = 16;
  SimulateOptions options;
  options.values = Values::none;
  const RunResult tile = simulate(chip, network.graph, {}, options);
  options.fidelity = Fidelity::pe;
  const RunResult pe = simulate(chip, network.graph, {}, options);
  CHECK(pe.total_cycles == tile.total_cycles);
  CHECK(pe.activity.counts == tile.activity.counts);
}

}  // namespace
}  // namespace qsim
