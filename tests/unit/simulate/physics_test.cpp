// Changing a field of the chip changes the result as physics says.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/mapping_file.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim {
namespace {

using test::layer_graph;
using test::LayerSize;

const std::vector<LayerSize> kLayers = {
    {56, 56, 64, 64, 3},         // more activations than the buffer holds
    {14, 14, 256, 256, 3},       // more weights than the buffer holds
    {7, 7, 512, 512, 3},         // the reduction is cut
    {28, 28, 128, 512, 1},       // pointwise
    {28, 28, 96, 96, 3, 1, 96},  // depthwise
    {1, 1, 2048, 1000, 1},       // fully connected: weights only
    {224, 224, 3, 64, 7, 2},     // first layer
};

RunResult cost(const HardwareConfig& chip, const Graph& graph) {
  return simulate(chip, graph, {}, {Values::none});
}

std::int64_t cycles_of(const RunResult& run, CycleClass c) {
  return run.cycles[static_cast<std::size_t>(c)];
}

TEST_CASE("halving the DRAM bandwidth never lowers the cycles by more than a hundredth") {
  // Every burst takes at least as long on the bus; the mappings of both are the best that the compiler knows.
  for (const LayerSize& size : test::drawn(kLayers)) {
    const Graph graph = layer_graph(size);
    HardwareConfig chip;
    std::int64_t before = 0;
    for (std::int64_t bandwidth = 51'200'000'000; bandwidth >= 400'000'000; bandwidth /= 2) {
      chip.dram.bandwidth_bytes_per_second = bandwidth;
      const std::int64_t cycles = cost(chip, graph).total_cycles;
      INFO(size.channels << " channels, " << bandwidth << " bytes/s");
      CHECK(cycles * 100 >= before * 99);
      before = cycles;
    }
  }
}

TEST_CASE(
    "doubling rows or columns never raises the compute cycles of a layer that fills them four times over") {
  // Half as many passes, each at most one array edge longer in skew than before: with four times the array's
  // rows and columns to fill, what is saved is more than what the longer skew costs.
  const std::vector<LayerSize> layers = {{14, 14, 256, 256, 3}, {28, 28, 128, 512, 1}, {7, 7, 512, 512, 3}};
  for (const LayerSize& size : test::drawn(layers)) {
    const Graph graph = layer_graph(size);
    for (const bool second_register : {true, false}) {
      for (std::int64_t edge = 4; edge <= 32; edge *= 2) {
        HardwareConfig chip;
        chip.mac_array.double_buffered_weights = second_register;
        chip.mac_array.rows = chip.mac_array.columns = edge;
        REQUIRE(size.channels * size.kernel * size.kernel >= 4 * edge);
        REQUIRE(size.outputs >= 4 * edge);
        const std::int64_t compute = cycles_of(cost(chip, graph), CycleClass::compute);
        HardwareConfig taller = chip;
        taller.mac_array.rows *= 2;
        HardwareConfig wider = chip;
        wider.mac_array.columns *= 2;
        INFO(size.channels << " channels on " << edge << "x" << edge);
        CHECK(cycles_of(cost(taller, graph), CycleClass::compute) <= compute);
        CHECK(cycles_of(cost(wider, graph), CycleClass::compute) <= compute);
      }
    }
  }
}

TEST_CASE("a larger buffer costs no more than a hundredth of the cycles") {
  // Every mapping that fits the smaller buffer fits the larger one. Where estimates are close simulation
  // decides, between what was the best in parts of the buffer too.
  for (std::uint32_t seed = 1; seed <= 40; seed += test::apart()) {
    test::Choice choice(seed);
    const Graph graph =
        seed <= kLayers.size() ? layer_graph(kLayers[seed - 1]) : test::random_network(choice).graph;
    for (const bool weights : {true, false}) {
      HardwareConfig chip;
      chip.mac_array.activation_bits = 16;
      std::int64_t before = -1;
      for (const std::int64_t kib : {1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256, 512, 1024, 4096}) {
        (weights ? chip.weight_buffer : chip.activation_buffer).capacity_kib = kib;
        std::int64_t cycles = 0;
        try {
          cycles = cost(chip, graph).total_cycles;
        } catch (const InputError&) {
          REQUIRE(before < 0);  // once it fits it goes on fitting
          continue;
        }
        INFO("seed " << seed << (weights ? " weight" : " activation") << " buffer of " << kib << " KiB");
        CHECK((before < 0 || cycles * 100 <= before * 101));
        before = cycles;
      }
      CHECK(before >= 0);
    }
  }
}

TEST_CASE("the traffic that the compiler minimizes is the traffic that the chip moves") {
  for (const LayerSize& size : test::drawn(kLayers)) {
    const Graph graph = layer_graph(size);
    const HardwareConfig chip;
    INFO(size.channels << " channels");
    CHECK(cost(chip, graph).activity[Event::dma_bytes] == compile(graph, chip, false).cost.dram_bytes);
  }
}

TEST_CASE("4-bit weights halve the weights' payload at the same mapping") {
  // 64 columns of 4 bits: every contiguous run has an even count, so nothing is rounded up.
  LayerSize size{14, 14, 64, 64, 3};
  HardwareConfig chip;
  chip.weight_buffer.capacity_kib = 4096;  // one block either way
  const auto run = [&](const nlohmann::ordered_json& mapping) {
    const Graph graph = layer_graph(size);
    const PinnedMapper given(
        parse_mappings({{"layers", {{graph.nodes.back().name, mapping}}}}, "mapping.json"),
        std::make_unique<CostMapper>());
    SimulateOptions options{Values::none};
    options.mapper = &given;
    return simulate(chip, graph, {}, options);
  };
  const RunResult eight = run({{"weights_in", "weight_buffer"}});
  size.weight_bits = 4;
  const RunResult four = run(mapping_json(eight.layers[0].mapping));
  REQUIRE(eight.layers[0].mapping == four.layers[0].mapping);
  CHECK(eight.activity[Event::dram_read_weight_bytes] == 64 * 64 * 3 * 3);
  CHECK(2 * four.activity[Event::dram_read_weight_bytes] == eight.activity[Event::dram_read_weight_bytes]);
}

TEST_CASE("a chip without DRAM moves no DRAM byte and computes the same") {
  const Graph graph = layer_graph({14, 14, 32, 64, 3});
  const std::vector<TensorData> input = {test::pattern_input(graph)};
  HardwareConfig chip;
  const RunResult with = simulate(chip, graph, input);
  chip.dram.kind = DramKind::none;
  for (const Values values : {Values::layer, Values::tile}) {
    const RunResult without = simulate(chip, graph, input, {values});
    CHECK(without.activity[Event::dma_bytes] == 0);
    CHECK(without.activity[Event::dram_read_bursts] == 0);
    CHECK(without.activity[Event::dram_write_bursts] == 0);
    const bool same = without.outputs[0].data.bytes == with.outputs[0].data.bytes;
    CHECK(same);
    CHECK(without.total_cycles < with.total_cycles);
  }
}

TEST_CASE("a chip without DRAM that is too small says what to raise") {
  const Graph graph = layer_graph({14, 14, 256, 256, 3});
  HardwareConfig chip;
  chip.dram.kind = DramKind::none;
  try {
    (void)cost(chip, graph);
    FAIL("576 KiB of weights do not fit into 256 KiB");
  } catch (const InputError& error) {
    CHECK_THAT(error.what(), Catch::Contains("weight_buffer.capacity_kib"));
    CHECK_THAT(error.what(), Catch::Contains("raise"));
  }
}

TEST_CASE("raising the field that the message names to the value that it names is enough") {
  const Graph graph = layer_graph({20, 20, 96, 80, 3});
  for (const bool weights : {true, false}) {
    HardwareConfig chip;
    BufferConfig& buffer = weights ? chip.weight_buffer : chip.activation_buffer;
    buffer.capacity_kib = 1;
    chip.mac_array.columns = 256;
    std::string message;
    try {
      (void)cost(chip, graph);
    } catch (const InputError& error) {
      message = error.problems().at(0).hint;
    }
    if (!weights && message.empty()) continue;  // one pixel of the layer fits into 1 KiB of activations
    const std::string field = weights ? "weight_buffer.capacity_kib" : "activation_buffer.capacity_kib";
    REQUIRE(message.rfind("raise " + field + " to ", 0) == 0);
    buffer.capacity_kib = std::stoll(message.substr(message.rfind(' ')));
    CHECK_NOTHROW((void)cost(chip, graph));
  }
}

TEST_CASE("a layer larger than every buffer runs, and gives the same values") {
  const Graph graph = layer_graph({20, 20, 96, 80, 3});  // 37 KiB in, 67 KiB of weights, 31 KiB out
  const std::vector<TensorData> input = {test::pattern_input(graph)};
  HardwareConfig chip;
  const RunResult large = simulate(chip, graph, input);
  chip.mac_array.rows = chip.mac_array.columns = 8;
  chip.weight_buffer.capacity_kib = 1;
  chip.activation_buffer.capacity_kib = 1;
  const RunResult small = simulate(chip, graph, input, {Values::tile});
  const bool same = small.outputs[0].data.bytes == large.outputs[0].data.bytes;
  CHECK(same);
  CHECK(small.activity[Event::dma_bytes] > large.activity[Event::dma_bytes]);
}

TEST_CASE("several inferences in sequence repeat the first in steady state") {
  const Graph graph = layer_graph({14, 14, 256, 256, 3});
  const RunResult run = simulate(HardwareConfig{}, graph, {}, {Values::none, 3});
  REQUIRE(run.steady_state.has_value());
  CHECK(run.steady_state->inferences == 3);
  CHECK(run.steady_state->cycles <=
        run.total_cycles);  // the first weights arrive during the inference before
  CHECK(run.steady_state->activity[Event::macs] == run.macs);
}

TEST_CASE("weights that fit into the weight buffer are loaded in the first inference only") {
  const Graph graph = layer_graph({14, 14, 32, 64, 3});
  const RunResult run = simulate(HardwareConfig{}, graph, {}, {Values::none, 2});
  CHECK(run.activity[Event::dram_read_weight_bytes] == 32 * 64 * 9);
  CHECK(run.steady_state->activity[Event::dram_read_weight_bytes] == 0);
}

}  // namespace
}  // namespace qsim
