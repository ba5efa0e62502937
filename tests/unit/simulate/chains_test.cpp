// Chains of rows that are executed together, stripe by stripe: values, accounting, and mappings read back.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "sim/compiler/chain.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapping_file.h"
#include "sim/energy/energy_model.h"
#include "sim/report/accounting.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/random_layers.h"
#include "tests/unit/simulate/random_network.h"
#include "tests/unit/simulate/runs.h"
#include "tests/unit/simulate/same_run.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;
using test::mappings_of;

/// A machine that may fuse.
HardwareConfig chain_chip(test::Choice& choice) {
  HardwareConfig chip = test::random_chip(choice);
  chip.mapper.fuses_chains = true;
  chip.requantizer.writes_through = false;
  chip.dma.weight_prefetch = WeightPrefetch::halves;
  chip.dma.channel_order = ChannelOrder::round_robin;
  chip.controller.pass_order = PassOrder::even;
  chip.accumulators.spill = choice.chance(30);
  return chip;
}

struct Given {
  Json file;
  std::size_t rows = 0;
};

/// Neighbouring rows as a chain, in stripes of some rows.
Given random_chain(test::Choice& choice, const Graph& graph) {
  const auto nodes = static_cast<std::int64_t>(graph.nodes.size());
  const std::int64_t first = choice.between(0, nodes - 2);
  const std::int64_t last = choice.between(first + 1, nodes - 1);
  const Shape& out = graph.tensor(graph.nodes[static_cast<std::size_t>(last)].outputs[0]).shape;
  const std::int64_t stripe_rows = choice.between(1, std::max<std::int64_t>(1, out[1] / 2));
  Json layers;
  for (std::int64_t row = first; row <= last; ++row) {
    Json others = Json::array();
    for (std::int64_t other = first; other <= last; ++other) {
      if (other != row) others.push_back(graph.nodes[static_cast<std::size_t>(other)].name);
    }
    layers[graph.nodes[static_cast<std::size_t>(row)].name] = {{"fused_with", others},
                                                               {"stripe_rows", stripe_rows}};
  }
  return {{{"layers", layers}}, static_cast<std::size_t>(last + 1 - first)};
}

PinnedMapper pinned(const Json& file) {
  return {parse_mappings(file, "mappings.json"), std::make_unique<CostMapper>()};
}

RunResult run_with(const HardwareConfig& chip, const test::RandomNetwork& network, const Mapper& mapper,
                   Values values, Fidelity fidelity) {
  SimulateOptions options;
  options.values = values;
  options.dump_tensors = values != Values::none;
  options.fidelity = fidelity;
  options.mapper = &mapper;
  return simulate(chip, network.graph, network.inputs, options);
}

struct Seen {
  int chains = 0, rings = 0, fetched_rings = 0, streamed_weights = 0, kept_weights = 0;
};

void note_kinds(const CompiledProgram& compiled, Seen& seen) {
  for (const Nest& nest : compiled.program.nests) {
    if (const auto* gemm = std::get_if<GemmNest>(&nest); gemm != nullptr && !gemm->window.is_all()) {
      seen.rings += gemm->placement().output.resident && gemm->placement().output.buffer.ring_rows > 0;
      seen.fetched_rings += gemm->mapping().fetch_input && gemm->placement().input.buffer.ring_rows > 0;
      ++(gemm->mapping().weights_resident ? seen.kept_weights : seen.streamed_weights);
    }
  }
}

/// Tile by tile values are those of the layer kernels, both fidelities take the same cycles, the sums close,
/// and the mappings read back give the same run.
void check_chains(int count, std::uint32_t seed, Seen& seen) {
  const EnergyTable table = load_energy_table("45nm", {QSIM_SOURCE_FOLDER "/configs/energy"}, "");
  for (; seen.chains < count; ++seed) {
    INFO("seed " << seed);
    test::Choice choice(seed);
    const test::RandomNetwork network = test::chain_network(choice);
    const HardwareConfig chip = chain_chip(choice);
    const Given given = random_chain(choice, network.graph);
    const PinnedMapper mapper = pinned(given.file);
    std::optional<CompiledProgram> compiled;
    try {
      compiled = compile(network.graph, chip, mapper, false);
    } catch (const InputError&) {
      continue;  // no chain, or no room for it
    }
    ++seen.chains;
    note_kinds(*compiled, seen);
    const RunResult layer = run_with(chip, network, mapper, Values::layer, Fidelity::tile);
    CHECK_NOTHROW(check_accounting(layer, summarize(layer, EnergyModel(chip, table), 1), network.graph));
    const RunResult tile = run_with(chip, network, mapper, Values::tile, Fidelity::tile);
    test::check_same_values(tile, layer);
    test::check_same_rows(tile, layer);
    if (seed % 4 == 0) {
      const RunResult pe = run_with(chip, network, mapper, Values::tile, Fidelity::pe);
      test::check_same_values(pe, layer);
      test::check_same_rows(pe, layer);
    }
    const PinnedMapper again = pinned(mappings_of(layer));
    test::check_same_rows(run_with(chip, network, again, Values::none, Fidelity::tile), layer);
  }
}

TEST_CASE("rows that are executed in stripes compute what they compute one after the other") {
  Seen seen;
  check_chains(test::draws(150), 1, seen);
  CHECK(seen.rings > test::hits(20));
  CHECK(seen.fetched_rings > test::hits(5));
  CHECK(seen.streamed_weights > test::hits(20));
  CHECK(seen.kept_weights > test::hits(20));
}

TEST_CASE("a machine that may fuse is never slower, and computes the same") {
  int fused = 0;
  for (std::uint32_t seed = 30'000; seed < 30'250; seed += test::apart()) {
    INFO("seed " << seed);
    test::Choice choice(seed);
    const test::RandomNetwork network = test::chain_network(choice);
    HardwareConfig chip = chain_chip(choice);
    chip.activation_buffer.capacity_kib = 2;
    chip.dram.bandwidth_bytes_per_second /= 8;
    if (!test::fits(network.graph, chip)) continue;
    const RunResult with = run_with(chip, network, CostMapper(), Values::tile, Fidelity::tile);
    chip.mapper.fuses_chains = false;
    const RunResult without = run_with(chip, network, CostMapper(), Values::layer, Fidelity::tile);
    test::check_same_values(with, without);
    CHECK(with.total_cycles <= without.total_cycles);
    fused += std::ranges::any_of(with.layers, [](const LayerResult& layer) {
      return mapping_json(layer.mapping).contains("stripe_rows");
    });
  }
  CHECK(fused > test::hits(4));  // few small networks wait for DRAM between layers
}

TEST_CASE("what is no chain is refused with its place") {
  test::Choice choice(3);
  const test::RandomNetwork network = test::chain_network(choice);
  const std::vector<Node>& nodes = network.graph.nodes;
  HardwareConfig chip;
  const auto problem = [&](const Json& mapping) {
    try {
      (void)compile(network.graph, chip, pinned({{"layers", {{nodes[0].name, mapping}}}}), false);
    } catch (const InputError& error) {
      return error.problems().front().place + ": " + error.problems().front().expected;
    }
    return std::string("none");
  };
  const std::string layer = "layers." + nodes[0].name;
  const Json with_second = {{"fused_with", {nodes[1].name}}, {"stripe_rows", 1}};
  CHECK(problem(with_second) ==
        layer + ".fused_with[0]: nothing: this chip executes row by row (mapper.fuses_chains)");
  chip.mapper.fuses_chains = true;
  CHECK(problem(with_second) == "none");
  CHECK(problem({{"fused_with", {"elsewhere"}}, {"stripe_rows", 1}}) ==
        layer + ".fused_with[0]: the layers next to this one, all but itself");
  const std::int64_t rows = network.graph.tensor(nodes[1].outputs[0]).shape[1];
  CHECK(problem({{"fused_with", {nodes[1].name}}, {"stripe_rows", rows + 1}}) ==
        layer + ".stripe_rows: 1 to " + std::to_string(rows) + ", the rows of the last layer's output");
}

/// Two functions of one element, one behind the other, on 8 rows of 4 pixels.
test::RandomNetwork two_tables() {
  test::Choice choice(1);
  test::RandomLayers layers(choice, Semantics::tflite, 8, true);
  return layers.finish(layers.table(layers.table(layers.input({1, 8, 4, 6}))));
}

/// The first of two_tables() with more values than those of a chain in stripes of a row.
Json table_chain(const Graph& graph, const Json& first, const Json& second = Json::object()) {
  const std::vector<Node>& nodes = graph.nodes;
  Json layers = {{nodes[0].name, {{"fused_with", {nodes[1].name}}, {"stripe_rows", 1}}}};
  layers[nodes[0].name].update(first);
  layers[nodes[1].name] = second;
  return {{"layers", layers}};
}

// A ring holds two rows: that of the stripe and that of the next one.
TEST_CASE("what comes through a ring comes with its stripe, however its rows are cut into tiles") {
  const test::RandomNetwork network = two_tables();
  HardwareConfig chip;
  chip.mapper.fuses_chains = true;
  for (const Json& tile :
       {Json{{"columns", 2}}, Json{{"channels", 2}}, Json{{"columns", 3}, {"channels", 5}}}) {
    INFO(tile.dump());
    const PinnedMapper mapper =
        pinned(table_chain(network.graph, {{"input_in", "activation_buffer"}, {"output_tile", tile}}));
    const CompiledProgram compiled = compile(network.graph, chip, mapper, false);
    CHECK(std::get<VectorNest>(compiled.program.nests[0]).placement().inputs[0].buffer.ring_rows == 2);
    const RunResult layer = run_with(chip, network, mapper, Values::layer, Fidelity::tile);
    const RunResult tiles = run_with(chip, network, mapper, Values::tile, Fidelity::tile);
    test::check_same_run(tiles, layer);
    CHECK(tiles.activity[Event::dram_read_activation_bytes] == 8 * 4 * 6);
  }
}

TEST_CASE("a chain fetches nothing that it makes") {
  const Graph graph = two_tables().graph;
  HardwareConfig chip;
  chip.mapper.fuses_chains = true;
  const Json file = table_chain(graph, {{"output_in", "dram"}}, {{"input_in", "activation_buffer"}});
  const CompileOutcome outcome = try_compile(graph, chip, pinned(file), false);
  REQUIRE(outcome.problems.size() == 1);
  CHECK(outcome.problems[0].problem.place == "layers." + graph.nodes[1].name + ".input_in");
}

TEST_CASE("2,000 random chains compute what their rows do one after the other", "[.][long]") {
  Seen seen;
  check_chains(2000, 10'000, seen);
}

}  // namespace
}  // namespace qsim
