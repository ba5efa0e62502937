// Partial sums that leave for the activation buffer (accumulators.spill).
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/compiler/compile.h"
#include "sim/compiler/mapping_file.h"
#include "sim/energy/energy_model.h"
#include "sim/report/accounting.h"
#include "sim/simulate.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// 8 x 8 PEs, and half of 32 accumulators a column.
HardwareConfig spilling_chip() {
  HardwareConfig chip;
  chip.mac_array.rows = chip.mac_array.columns = 8;
  chip.accumulators.entries = 32;
  chip.accumulators.spill = true;
  return chip;
}

PinnedMapper with_values(const Json& mapping) {
  return {parse_mappings({{"layers", {{"y", mapping}}}}, "mappings.json"), std::make_unique<CostMapper>()};
}

RunResult run_with(const HardwareConfig& chip, const Graph& graph, const Json& mapping, Values values,
                   Fidelity fidelity = Fidelity::tile) {
  const PinnedMapper mapper = with_values(mapping);
  SimulateOptions options;
  options.mapper = &mapper;
  options.values = values;
  options.fidelity = fidelity;
  std::vector<TensorData> inputs;
  if (values != Values::none) inputs.push_back(test::pattern_input(graph));
  return simulate(chip, graph, inputs, options);
}

const Json kRowsOfTheKernel = {{"kernel_h", 1}, {"kernel_w", 3}, {"channels", 16}};

/// Mappings of a 3x3 convolution of 16 into 20 channels on 6x7 pixels.
std::vector<Json> spilling_mappings() {
  const Json left = {{"sums_in", "activation_buffer"}};
  std::vector<Json> mappings;
  for (Json part : {kRowsOfTheKernel, Json{{"kernel_h", 1}, {"kernel_w", 1}, {"channels", 8}},
                    Json{{"kernel_h", 3}, {"kernel_w", 3}, {"channels", 8}}}) {
    for (const char* order : {"weights_outer", "activations_outer"}) {
      for (const int block : {1, 2}) {
        Json mapping = left;
        mapping["reduction_part"] = part;
        mapping["loop_order"] = order;
        mapping["column_tiles_per_block"] = block;
        mapping["output_tile"] = {{"rows", block == 2 ? 4 : 6}, {"columns", 7}};
        mappings.push_back(std::move(mapping));
      }
    }
  }
  return mappings;
}

std::vector<HardwareConfig> spilling_chips() {
  std::vector<HardwareConfig> chips(6, spilling_chip());
  chips[1].mac_array.dataflow = Dataflow::output_stationary;
  chips[2].mac_array.dataflow = Dataflow::input_stationary;
  chips[3].mac_array.organization = Organization::dot_product;
  chips[3].activation_buffer.arbitration = Arbitration::write_first;
  chips[4].accumulators.double_buffered = false;
  chips[4].activation_buffer.arbitration = Arbitration::read_first;
  chips[5].accumulators.width_bits = 37;
  chips[5].activation_buffer.read_port_bytes = chips[5].activation_buffer.write_port_bytes = 4;
  chips[5].requantizer.row_read_cycles = 1;
  return chips;
}

/// Every mapping on every chip.
std::vector<std::pair<HardwareConfig, Json>> spilling_cases() {
  std::vector<std::pair<HardwareConfig, Json>> cases;
  for (const HardwareConfig& chip : spilling_chips()) {
    for (const Json& mapping : spilling_mappings()) cases.emplace_back(chip, mapping);
  }
  return cases;
}

TEST_CASE("sums that leave come back: values, cycles and events are alike in every way of running") {
  const Graph graph = test::layer_graph({6, 7, 16, 20, 3});
  const RunResult own = simulate({}, graph, {test::pattern_input(graph)}, {});
  for (const auto& [chip, mapping] : test::drawn(spilling_cases())) {
    INFO(chip.accumulators.width_bits << " " << mapping.dump());
    const EnergyModel energy(chip, load_energy_table("45nm", shipped_energy_tables(), ""));
    const RunResult layer = run_with(chip, graph, mapping, Values::layer);
    CHECK(layer.outputs[0].data.bytes == own.outputs[0].data.bytes);
    CHECK_NOTHROW(check_accounting(layer, summarize(layer, energy, 1), graph));
    const std::int64_t parts = std::get<GemmLayerMapping>(layer.layers[0].mapping).reduction_parts;
    CHECK(layer.activity[Event::partial_sum_spills] == (parts - 1) * 6 * 7 * 20);
    CHECK(layer.activity[Event::partial_sum_reloads] == (parts - 1) * 6 * 7 * 20);
    for (const Fidelity fidelity : {Fidelity::tile, Fidelity::pe}) {
      const RunResult tile = run_with(chip, graph, mapping, Values::tile, fidelity);
      CHECK(tile.outputs[0].data.bytes == own.outputs[0].data.bytes);
      CHECK(tile.total_cycles == layer.total_cycles);
      CHECK(tile.activity.counts == layer.activity.counts);
      CHECK(tile.layers[0].accumulator->min == layer.layers[0].accumulator->min);
      CHECK(tile.layers[0].accumulator->max == layer.layers[0].accumulator->max);
    }
  }
}

/// One pass of 64 pixels a part, everything else where it belongs: the second part can begin when the last
/// sum has left the array, R + C - 2 cycles after the stream's end, has been written and has been read again.
TEST_CASE("a pass waits for its sums to leave and to come back, at the ports' rate") {
  HardwareConfig chip = spilling_chip();
  chip.accumulators.entries = 128;
  chip.dram.kind = DramKind::none;
  const Graph graph = test::layer_graph({8, 8, 16, 8, 1});
  Json mapping = {{"reduction_part", {{"kernel_h", 1}, {"kernel_w", 1}, {"channels", 8}}},
                  {"output_tile", {{"rows", 8}, {"columns", 8}}}};
  for (const auto& [read_bytes, write_bytes] : {std::pair{64, 64}, std::pair{32, 64}, std::pair{64, 16}}) {
    chip.activation_buffer.read_port_bytes = read_bytes;
    chip.activation_buffer.write_port_bytes = write_bytes;
    mapping["sums_in"] = "accumulators";
    const RunResult stays = run_with(chip, graph, mapping, Values::none);
    mapping["sums_in"] = "activation_buffer";
    const RunResult leaves = run_with(chip, graph, mapping, Values::none);
    constexpr std::int64_t kBytes = 64 * 8 * 4;
    CHECK(leaves.total_cycles - stays.total_cycles == 8 + 8 - 2 + kBytes / write_bytes + kBytes / read_bytes);
    // 2,048 bytes each way, beside what both runs read and write.
    const auto more = [&](Event event) { return leaves.activity[event] - stays.activity[event]; };
    CHECK(more(Event::activation_buffer_write_bytes) == kBytes);
    CHECK(more(Event::activation_buffer_read_bytes) == kBytes);
    CHECK(more(Event::activation_buffer_writes) == kBytes / write_bytes);
    CHECK(more(Event::activation_buffer_reads) == kBytes / read_bytes);
    CHECK(more(Event::accumulator_reads) == 64 * 8);
    CHECK(more(Event::accumulator_writes) == 64 * 8);
  }
}

/// 256 x 512 x 512 with 8 KiB of activations, 4 KiB of weights, 32 accumulators a column in a half. Tiles of
/// 32 pixels x 32 channels: sums 4 KiB, two slots of inputs of a part of 32 channels 2 KiB, outputs at most 2
/// KiB. The input comes 512/32 = 16 times, the weights 256/32 = 8 times. Sums that stay are 32 pixels x 8
/// channels at most, or as many in another shape: p pixels come with 256/p weights and c = 256/p channels
/// with 512/c inputs, at best (p = 16) 16 * 256 KiB + 32 * 128 KiB.
TEST_CASE("with sums in the activation buffer operands come as often as the larger tile asks for") {
  HardwareConfig chip = spilling_chip();
  chip.accumulators.entries = 64;
  chip.activation_buffer.capacity_kib = 8;
  chip.weight_buffer.capacity_kib = 4;
  chip.dram.bandwidth_bytes_per_second = 6'400'000'000;
  const Graph graph = test::layer_graph({1, 256, 512, 512, 1});
  const RunResult leaves = simulate(chip, graph, {}, {Values::none});
  chip.accumulators.spill = false;
  const RunResult stays = simulate(chip, graph, {}, {Values::none});
  const auto read = [](const RunResult& run) {
    return run.activity[Event::dram_read_activation_bytes] + run.activity[Event::dram_read_weight_bytes];
  };
  constexpr std::int64_t kInput = 256 * 512;
  constexpr std::int64_t kWeights = 512 * 512;
  CHECK(read(leaves) <= 16 * kInput + 8 * kWeights);
  CHECK(read(stays) >= 32 * kInput + 16 * kWeights);
  CHECK(leaves.total_cycles < stays.total_cycles);
  CHECK(leaves.activity[Event::partial_sum_spills] > 0);
  CHECK(stays.activity[Event::partial_sum_spills] == 0);
}

TEST_CASE("the path costs nothing where no sum takes it") {
  for (const test::RandomPair& made : test::random_pairs(test::draws(40), 9000)) {
    INFO("seed " << made.seed);
    HardwareConfig chip = made.chip;
    const auto cost = [&](bool spill) {
      chip.accumulators.spill = spill;
      return simulate(chip, made.network.graph, {}, {Values::none});
    };
    const RunResult with = cost(true);
    if (with.activity[Event::partial_sum_spills] > 0) continue;
    CHECK(with.total_cycles == cost(false).total_cycles);
  }
}

TEST_CASE("sums have to have a way, and something to wait for") {
  const auto problem_of = [](const HardwareConfig& chip, const Graph& graph, const Json& mapping) {
    const PinnedMapper mapper = with_values(mapping);
    try {
      (void)compile(graph, chip, mapper, false);
    } catch (const InputError& error) {
      return error.problems().at(0);
    }
    return Problem{};
  };
  const Graph graph = test::layer_graph({6, 7, 16, 20, 3});
  Json mapping = {{"sums_in", "activation_buffer"}, {"reduction_part", kRowsOfTheKernel}};
  CHECK(problem_of(spilling_chip(), graph, mapping).place.empty());
  CHECK(problem_of({}, graph, mapping).place == "layers.y.sums_in");
  mapping.erase("reduction_part");
  mapping["reduction_part"] = {{"kernel_h", 3}, {"kernel_w", 3}, {"channels", 16}};
  CHECK_THAT(problem_of(spilling_chip(), graph, mapping).expected,
             Catch::Matchers::Contains("where the reduction is whole"));
  // Sums of the inputs, which asymmetric weights need, lie beside the accumulators.
  Graph asymmetric = graph;
  asymmetric.tensor(1).quantization->zero_points = {5};
  mapping["reduction_part"] = kRowsOfTheKernel;
  CHECK(problem_of(spilling_chip(), asymmetric, mapping).place == "layers.y.sums_in");
}

}  // namespace
}  // namespace qsim
