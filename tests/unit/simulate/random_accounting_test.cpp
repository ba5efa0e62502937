// Random pairs of machine and network: the accounting closes, and more of anything never costs a cycle.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string_view>

#include <utility>

#include "sim/report/accounting.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim {
namespace {

/// The sums of each report have to close (std::logic_error otherwise).
void check_pairs(std::size_t count, std::uint32_t first_seed) {
  const EnergyTable table = load_energy_table("45nm", {QSIM_SOURCE_FOLDER "/configs/energy"}, "");
  SimulateOptions options;
  options.values = Values::none;
  for (const auto& [seed, network, chip] : test::random_pairs(count, first_seed)) {
    INFO("seed " << seed);
    options.fidelity = seed % 8 == 0 ? Fidelity::pe : Fidelity::tile;
    const RunResult run = simulate(chip, network.graph, {}, options);
    CHECK_NOTHROW(check_accounting(run, summarize(run, EnergyModel(chip, table), 1), network.graph));
  }
}

TEST_CASE("the accounting closes on 400 random pairs of machine and network") {
  check_pairs(test::draws(400), 50'001);
}

TEST_CASE("the accounting closes on 10,000 random pairs of machine and network", "[.][long]") {
  check_pairs(10'000, 60'001);
}

/// The same chip with more of one thing.
std::vector<std::pair<const char*, HardwareConfig>> improved(const HardwareConfig& chip) {
  std::vector<std::pair<const char*, HardwareConfig>> chips;
  const auto add = [&](const char* what, const auto& improve) {
    HardwareConfig better = chip;
    improve(better);
    chips.emplace_back(what, better);
  };
  add("DRAM bandwidth", [](HardwareConfig& c) { c.dram.bandwidth_bytes_per_second *= 2; });
  for (const bool weights : {true, false}) {
    const auto buffer = [weights](HardwareConfig& c) -> BufferConfig& {
      return weights ? c.weight_buffer : c.activation_buffer;
    };
    add("buffer", [&](HardwareConfig& c) { buffer(c).capacity_kib *= 2; });
    add("banks", [&](HardwareConfig& c) { buffer(c).banks *= 2; });
    add("read ports", [&](HardwareConfig& c) {
      buffer(c).banks *= 2;
      buffer(c).read_ports *= 2;
    });
    add("write ports", [&](HardwareConfig& c) { buffer(c).write_port_bytes *= 2; });
    if (!(weights ? chip.weight_buffer : chip.activation_buffer).bank_conflicts) {
      add("read port width", [&](HardwareConfig& c) { buffer(c).read_port_bytes *= 2; });
    }
  }
  add("accumulator entries", [](HardwareConfig& c) { c.accumulators.entries *= 2; });
  add("accumulator updates", [](HardwareConfig& c) { c.accumulators.update_cycles = 1; });
  add("read-out", [](HardwareConfig& c) { c.accumulators.read_out_entries = 0; });
  add("requantizer lanes", [](HardwareConfig& c) { c.requantizer.lanes *= 2; });
  return chips;
}

/// Cycles, and the mapping of each layer, without the room that it was chosen in where that may differ.
std::pair<std::int64_t, std::string> cost(const HardwareConfig& chip, const Graph& graph, bool any_room) {
  SimulateOptions options;
  options.values = Values::none;
  const RunResult run = simulate(chip, graph, {}, options);
  std::string mapping;
  for (const LayerResult& layer : run.layers) {
    auto json = mapping_json(layer.mapping);
    if (any_room) json.erase("activation_bytes");
    mapping += json.dump();
  }
  return {run.total_cycles, mapping};
}

TEST_CASE(
    "more bandwidth, ports, banks, entries or buffer never makes a network slower at the same mapping") {
  int compared = 0;
  for (auto& [seed, network, chip] : test::random_pairs(test::draws(100), 70'001)) {
    chip.weight_buffer.arbitration = chip.activation_buffer.arbitration = Arbitration::fixed;
    chip.dma.channel_order = ChannelOrder::fixed;
    for (const auto& [what, better] : improved(chip)) {
      const bool any_room = std::string_view(what) == "buffer";
      const auto before = cost(chip, network.graph, any_room);
      const auto after = cost(better, network.graph, any_room);
      if (after.second != before.second) continue;
      INFO("seed " << seed << ": more " << what);
      CHECK(after.first <= before.first);
      ++compared;
    }
  }
  CHECK(compared > test::hits(500));
}

/// Layers that the buffers of random chips hold in several pieces.
test::LayerSize random_size(test::Choice& choice) {
  test::LayerSize size;
  size.height = choice.between(1, 16);
  size.width = choice.between(1, 16);
  size.channels = choice.between(1, 64);
  size.outputs = choice.between(1, 64);
  size.kernel = choice.of<std::int64_t>({1, 1, 3, 5});
  size.stride = choice.between(1, 2);
  if (choice.chance(20)) size.groups = size.outputs = size.channels;
  return size;
}

struct Comparison {
  std::uint32_t seed = 0;
  const char* what = "";
  Graph graph;
  HardwareConfig chip, better;
};

/// A layer on a chip and on one with more of something, `count` of them from `seed` on. What does not fit is
/// told apart before anything is simulated (random_pairs).
std::vector<Comparison> comparisons(std::size_t count, std::uint32_t seed, DramKind dram) {
  std::vector<Comparison> list;
  for (; list.size() < count; ++seed) {
    test::Choice choice(seed);
    const Graph graph = test::layer_graph(random_size(choice));
    HardwareConfig chip = test::random_chip(choice);
    chip.weight_buffer.arbitration = chip.activation_buffer.arbitration = Arbitration::fixed;
    chip.dram.bandwidth_bytes_per_second = choice.of({1, 2, 4, 8, 16}) * std::int64_t{1'000'000'000};
    chip.dram.kind = dram;
    chip.dma.channel_order = ChannelOrder::fixed;
    if (dram == DramKind::none) chip.weight_buffer.capacity_kib = chip.activation_buffer.capacity_kib = 256;
    if (!test::fits(graph, chip)) continue;
    for (const auto& [what, better] : improved(chip)) {
      if (test::fits(graph, better)) list.push_back({seed, what, graph, chip, better});
    }
  }
  return list;
}

void compare_layers(std::size_t count, std::uint32_t seed, DramKind dram) {
  std::size_t compared = 0;
  std::uint32_t of = 0;
  std::pair<std::int64_t, std::string> before;
  for (const Comparison& comparison : comparisons(count, seed, dram)) {
    if (std::exchange(of, comparison.seed) != comparison.seed)
      before = cost(comparison.chip, comparison.graph, true);
    const auto after = cost(comparison.better, comparison.graph, true);
    if (after.second != before.second) continue;
    INFO("seed " << comparison.seed << ": more " << comparison.what);
    CHECK(after.first <= before.first);
    ++compared;
  }
  CHECK(compared > count / 2);
}

TEST_CASE("with a fixed order more makes no layer slower: 800 random pairs at the same mapping") {
  compare_layers(test::draws(400), 80'001, DramKind::simple);
  compare_layers(test::draws(400), 80'001, DramKind::none);
}

TEST_CASE("with a fixed order more makes no layer slower: 10 000 random pairs at the same mapping",
          "[.][long]") {
  compare_layers(5000, 90'001, DramKind::simple);
  compare_layers(5000, 90'001, DramKind::none);
}

}  // namespace
}  // namespace qsim
