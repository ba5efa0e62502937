// Poolings on the way out of the requantizer: the same values as on the vector unit, window by window.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "hw_models/core/pooling.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/gemm_events.h"
#include "sim/compiler/mapping_file.h"
#include "sim/energy/energy_model.h"
#include "sim/report/accounting.h"
#include "sim/simulate.h"
#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"
#include "tests/unit/simulate/runs.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;
using test::cost;
using test::cycles;
using test::mappings_of;
using test::run_with;

/// Random networks with poolings behind products, on chips that have the path.
std::vector<test::RandomPair> pooled_pairs(std::size_t count, std::uint32_t seed) {
  std::vector<test::RandomPair> pairs;
  for (; pairs.size() < count; ++seed) {
    test::Choice choice(seed);
    test::RandomPair pair{seed, test::pooled_network(choice), test::random_chip(choice)};
    RequantizerConfig& requantizer = pair.chip.requantizer;
    requantizer.writes_through = false;
    requantizer.fused_pool = true;
    requantizer.fused_add = choice.chance(50);
    requantizer.pool_line_bytes = choice.of<std::int64_t>({16, 64, 256, 8192});
    if (choice.chance(60)) pair.chip.activation_buffer.capacity_kib = 1;  // tiles of few rows
    if (choice.chance(70)) pair.chip.mac_array.dataflow = Dataflow::weight_stationary;
    validate(pair.network.graph);
    if (test::fits(pair.network.graph, pair.chip)) pairs.push_back(std::move(pair));
  }
  return pairs;
}

HardwareConfig without_pooler(HardwareConfig chip) {
  chip.requantizer.fused_pool = false;
  return chip;
}

bool is_pooled(const LayerResult& layer) {
  return std::holds_alternative<WayOutLayerMapping>(layer.mapping) &&
         (layer.op.find("pool") != std::string::npos || layer.op == "mean");
}

std::int64_t rows_pooled(const RunResult& run) {
  return std::ranges::count_if(run.layers, is_pooled);
}

/// Poolings whose windows wait in the lines from one tile of pixels to the next.
std::int64_t rows_that_wait(const HardwareConfig& chip, const Graph& graph) {
  const CompiledProgram compiled = compile(graph, chip, CostMapper(), false);
  return std::ranges::count_if(compiled.program.nests, [](const Nest& nest) {
    const auto* gemm = std::get_if<GemmNest>(&nest);
    return gemm != nullptr && gemm->problem().pooling() != nullptr &&
           pool_lines(gemm->problem(), gemm->mapping(), GemmCursor(*gemm)).scope !=
               PoolLines::Scope::column_tile;
  });
}

void check_same_values(const RunResult& a, const RunResult& b) {
  REQUIRE(a.dump.size() == b.dump.size());
  for (std::size_t i = 0; i < a.dump.size(); ++i) {
    INFO("tensor " << a.dump[i].name);
    CHECK(a.dump[i].name == b.dump[i].name);
    CHECK((a.dump[i].data.bytes == b.dump[i].data.bytes));
  }
}

void check_same_run(const RunResult& a, const RunResult& b) {
  CHECK(a.total_cycles == b.total_cycles);
  REQUIRE(a.layers.size() == b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    INFO("layer " << a.layers[i].name);
    CHECK(a.layers[i].span_cycles == b.layers[i].span_cycles);
    CHECK(a.layers[i].cycles_breakdown == b.layers[i].cycles_breakdown);
    CHECK(a.layers[i].activity.counts == b.layers[i].activity.counts);
  }
}

TEST_CASE("every tensor is what it is on the vector unit, windows through the lines included") {
  std::int64_t pooled = 0;
  std::int64_t waiting = 0;
  for (const test::RandomPair& made : pooled_pairs(test::draws(120), 1)) {
    INFO("seed " << made.seed);
    const RunResult tile = run_with(made, Values::tile);
    const RunResult layer = run_with(made, Values::layer);
    pooled += rows_pooled(tile);
    waiting += rows_that_wait(made.chip, made.network.graph);
    check_same_values(tile, layer);
    check_same_run(tile, layer);
    test::RandomPair apart = made;
    apart.chip = without_pooler(made.chip);
    check_same_values(tile, run_with(apart, Values::tile));
    const EnergyModel energy(made.chip, load_energy_table("45nm", shipped_energy_tables(), ""));
    CHECK_NOTHROW(check_accounting(layer, summarize(layer, energy, 1), made.network.graph));
  }
  CHECK(pooled > test::hits(100));
  CHECK(waiting > test::hits(3));
}

TEST_CASE("PE by PE poolings on the way out take the same cycles, causes, counts and values") {
  for (const test::RandomPair& made : pooled_pairs(test::draws(60), 5000)) {
    INFO("seed " << made.seed);
    const RunResult tile = run_with(made, Values::tile);
    const RunResult pe = run_with(made, Values::tile, Fidelity::pe);
    check_same_values(tile, pe);
    check_same_run(tile, pe);
  }
}

TEST_CASE("a pooler never makes a network slower") {
  std::int64_t faster = 0;
  for (const test::RandomPair& made : pooled_pairs(test::draws(80), 20000)) {
    INFO("seed " << made.seed);
    const std::int64_t joined = cost(made.chip, made.network.graph).total_cycles;
    const std::int64_t apart = cost(without_pooler(made.chip), made.network.graph).total_cycles;
    CHECK(joined <= apart);
    faster += joined < apart ? 1 : 0;
  }
  CHECK(faster > test::hits(30));
}

/// `names`: of the layers in the order of rows.
void check_way_out_events(const GemmNest& nest, const HardwareConfig& chip,
                          const std::vector<std::string>& names, const RunResult& run) {
  Activity counted;  // of the product's row and of those on its way out
  for (std::size_t i = 0; i <= nest.problem().way_out.size(); ++i) {
    const std::string& name = names[static_cast<std::size_t>(nest.row) + i];
    counted += std::ranges::find(run.layers, name, &LayerResult::name)->activity;
  }
  const Activity estimated = gemm_events(nest.problem(), nest.mapping(), GemmCursor(nest), chip, {});
  for (const Event event :
       {Event::requantizations, Event::vector_adds, Event::vector_multiplies, Event::vector_lookups,
        Event::pool_line_read_bytes, Event::pool_line_write_bytes}) {
    INFO(event_name(event));
    CHECK(estimated[event] == counted[event]);
  }
}

TEST_CASE("the energy of a way out is estimated from what it will count") {
  std::int64_t ways_out = 0;
  for (const test::RandomPair& made : pooled_pairs(test::draws(40), 30000)) {
    INFO("seed " << made.seed);
    const Graph& graph = made.network.graph;
    const CompiledProgram compiled = compile(graph, made.chip, CostMapper(), false);
    std::vector<std::string> names;
    for (const CompiledRow& row : compiled.rows) names.push_back(graph.nodes[row.nodes.back()].name);
    const RunResult run = cost(made.chip, graph);
    for (const Nest& nest : compiled.program.nests) {
      const auto* gemm = std::get_if<GemmNest>(&nest);
      if (gemm == nullptr || gemm->problem().way_out.empty()) continue;
      check_way_out_events(*gemm, made.chip, names, run);
      ++ways_out;
    }
  }
  CHECK(ways_out > test::hits(30));
}

TEST_CASE("mappings with poolings on the way out, given back, repeat their run") {
  for (const test::RandomPair& made : pooled_pairs(test::draws(40), 9000)) {
    INFO("seed " << made.seed);
    for (const HardwareConfig& planned : {made.chip, without_pooler(made.chip)}) {
      const RunResult first = cost(planned, made.network.graph);
      const Json file = mappings_of(first);
      const PinnedMapper pinned(parse_mappings(file, "report.json"), std::make_unique<CostMapper>());
      const RunResult second = cost(made.chip, made.network.graph, &pinned);
      CHECK(mappings_of(second) == file);
      CHECK(second.total_cycles == first.total_cycles);
      CHECK(second.activity.counts == first.activity.counts);
    }
  }
}

// ---- a layer whose cycles can be counted by hand ----------------------------------------------------------

/// y = convolution of x with 8 x 8 weights, 4 x 4 pixels; z = pooling of y.
Graph pooled_graph(const Pool2dOp& op) {
  Graph graph = test::layer_graph({4, 4, 8, 8, 1});
  Tensor pooled = graph.tensor(graph.outputs[0]);
  pooled.name = "z";
  pooled.shape = {1, (4 + op.pad_top + op.pad_bottom - op.kernel_h) / op.stride_h + 1,
                  (4 + op.pad_left + op.pad_right - op.kernel_w) / op.stride_w + 1, 8};
  graph.tensors.push_back(pooled);
  Node node;
  node.name = node.place = "z";
  node.op = op;
  node.inputs = graph.outputs;
  node.outputs = {static_cast<TensorId>(graph.tensors.size()) - 1};
  graph.outputs = node.outputs;
  graph.nodes.push_back(node);
  validate(graph);
  return graph;
}

Pool2dOp pool_of(PoolKind kind, std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  Pool2dOp op;
  op.kind = kind;
  op.kernel_h = op.kernel_w = kernel;
  op.stride_h = op.stride_w = stride;
  op.pad_top = op.pad_left = pad;
  return op;
}

Graph halved() {
  return pooled_graph(pool_of(PoolKind::max, 2, 2, 0));
}

/// Everything on the chip, 16 pixels a pass.
HardwareConfig pool_chip() {
  HardwareConfig chip;
  chip.mac_array.rows = chip.mac_array.columns = 8;
  chip.accumulators.entries = 32;
  chip.activation_buffer.read_port_bytes = 8;
  chip.dram.kind = DramKind::none;
  chip.requantizer.fused_pool = true;
  return chip;
}

TEST_CASE("a pooling costs a latency, and only windows that are complete are written") {
  HardwareConfig chip = pool_chip();
  const std::int64_t alone = cycles(chip, test::layer_graph({4, 4, 8, 8, 1}));
  CHECK(cycles(chip, halved()) == alone + 4);
  // 128 outputs take 4 cycles of 32 lanes, and 16 of a port of 8 bytes; 4 windows of 8 channels take 4.
  chip.activation_buffer.write_port_bytes = 8;
  CHECK(cycles(chip, test::layer_graph({4, 4, 8, 8, 1})) == alone + 16 - 4);
  CHECK(cycles(chip, halved()) == alone + 4);
  chip.requantizer.latency_cycles = 9;  // 5 more, of the requantizer and of the pooler
  CHECK(cycles(chip, halved()) == alone + 4 + 2 * 5);
  // On the vector unit: a pipeline of 8, and 128 bytes read in words of 8.
  CHECK(cycles(without_pooler(pool_chip()), halved()) == alone + 8 + 16);
}

TEST_CASE("windows are counted where they are complete, and their rows where they wait") {
  const RunResult run = cost(pool_chip(), halved());
  REQUIRE(run.layers.size() == 2);
  const LayerResult& product = run.layers[0];
  const LayerResult& pool = run.layers[1];
  CHECK(std::get<GemmLayerMapping>(product.mapping).fusion.fused_with == std::vector<std::string>{"z"});
  CHECK(std::get<WayOutLayerMapping>(pool.mapping).fusion.fused_with == std::vector<std::string>{"y"});
  CHECK(pool.cycles == 0);
  CHECK(product.cycles == run.total_cycles);
  // 2 x 2 windows of 4 elements, 8 channels. The upper row of each waits for the lower one.
  CHECK(pool.activity[Event::vector_adds] == 4 * 4 * 8);
  CHECK(pool.activity[Event::vector_multiplies] == 0);
  CHECK(pool.activity[Event::pool_line_write_bytes] == 4 * 8);
  CHECK(pool.activity[Event::pool_line_read_bytes] == 4 * 8);
  CHECK(pool.activity[Event::activation_buffer_write_bytes] == 4 * 8);
  CHECK(pool.activity[Event::activation_buffer_read_bytes] == 0);
  CHECK(product.activity[Event::activation_buffer_write_bytes] == 0);
  CHECK(product.activity[Event::requantizations] == 128);
}

TEST_CASE("of windows that overlap each row waits once for each of them, and a sum is 4 bytes") {
  // 3 x 3, stride 2, one row and column of padding: windows of rows 0 1 and 1 2 3, likewise columns. The
  // first waits behind row 0, the second behind rows 1 and 2: 3 rows of 2 windows, 8 channels.
  const RunResult maxima = cost(pool_chip(), pooled_graph(pool_of(PoolKind::max, 3, 2, 1)));
  REQUIRE(rows_pooled(maxima) == 1);
  CHECK(maxima.layers[1].activity[Event::pool_line_write_bytes] == 3 * 2 * 8);
  CHECK(maxima.layers[1].activity[Event::pool_line_read_bytes] == 3 * 2 * 8);
  CHECK(maxima.layers[1].activity[Event::vector_adds] == 2 * 2 * 9 * 8);
  const RunResult averages = cost(pool_chip(), pooled_graph(pool_of(PoolKind::average, 3, 2, 1)));
  REQUIRE(rows_pooled(averages) == 1);
  CHECK(averages.layers[1].activity[Event::pool_line_write_bytes] == 4 * 3 * 2 * 8);
  CHECK(averages.layers[1].activity[Event::vector_multiplies] == 2 * 2 * 8);
}

TEST_CASE("windows that do not fit the lines are left to the vector unit") {
  HardwareConfig chip = pool_chip();
  chip.requantizer.pool_line_bytes = 2 * 8;  // a line of 2 columns and 8 channels
  CHECK(rows_pooled(cost(chip, halved())) == 1);
  chip.requantizer.pool_line_bytes = 2 * 8 - 1;
  CHECK(rows_pooled(cost(chip, halved())) == 0);
}

TEST_CASE("tiles of pixels are whole strides of a pooling, and all columns") {
  HardwareConfig chip = pool_chip();
  chip.dram.kind = DramKind::simple;
  const Graph graph = pooled_graph(pool_of(PoolKind::max, 3, 2, 1));
  const auto run_given = [&](const Json& mapping) {
    const Json file = {{"layers", {{"y", mapping}, {"z", {{"unit", "requantizer"}}}}}};
    const PinnedMapper pinned(parse_mappings(file, "mapping.json"), std::make_unique<CostMapper>());
    return cost(chip, graph, &pinned);
  };
  const RunResult tiles = run_given({{"output_tile", {{"rows", 2}}}});
  CHECK(rows_pooled(tiles) == 1);
  CHECK(tiles.layers[1].activity[Event::pool_line_write_bytes] == 3 * 2 * 8);
  CHECK(tiles.layers[1].activity[Event::dram_write_activation_bytes] == 4 * 8);
  CHECK_THROWS_WITH(run_given({{"output_tile", {{"rows", 3}}}}),
                    Catch::Matchers::Contains("a multiple of 2"));
  CHECK_THROWS_WITH(run_given({{"output_tile", {{"columns", 2}}}}), Catch::Matchers::Contains("all columns"));
}

TEST_CASE("windows wait for the next tile of pixels, a block's or all channels") {
  HardwareConfig chip = pool_chip();
  chip.dram.kind = DramKind::simple;
  chip.mac_array.columns = 4;  // two column tiles
  for (const PoolKind kind : {PoolKind::max, PoolKind::average}) {
    const Graph graph = pooled_graph(pool_of(kind, 3, 2, 1));
    const std::int64_t element = kind == PoolKind::max ? 1 : 4;
    const auto run_in = [&](const char* order, std::int64_t line_bytes, Values values) {
      const Json file = {
          {"layers",
           {{"y", {{"output_tile", {{"rows", 2}}}, {"loop_order", order}, {"column_tiles_per_block", 1}}},
            {"z", {{"unit", "requantizer"}}}}}};
      const PinnedMapper pinned(parse_mappings(file, "mapping.json"), std::make_unique<CostMapper>());
      chip.requantizer.pool_line_bytes = line_bytes;
      SimulateOptions options;
      options.mapper = &pinned;
      options.values = values;
      options.dump_tensors = true;
      return simulate(chip, graph, {test::pattern_input(graph)}, options);
    };
    // A line of 2 columns: 4 channels of a block, or 8 in all.
    for (const auto& [order, bytes] :
         {std::pair("weights_outer", 2 * 4 * element), std::pair("activations_outer", 2 * 8 * element)}) {
      INFO(order);
      const RunResult tile = run_in(order, bytes, Values::tile);
      CHECK(rows_pooled(tile) == 1);
      check_same_values(tile, run_in(order, bytes, Values::layer));
      CHECK_THROWS(run_in(order, bytes - 1, Values::none));
    }
  }
}

// ---- what is not on a way out -----------------------------------------------------------------------------

TEST_CASE("what is no sum of integers, or is read by others, or comes with its pixels side by side") {
  Graph graph = halved();
  graph.outputs.push_back(graph.nodes[0].outputs[0]);  // y as well
  CHECK(rows_pooled(cost(pool_chip(), graph)) == 0);
  graph = pooled_graph(pool_of(PoolKind::average, 2, 2, 0));
  CHECK(rows_pooled(cost(pool_chip(), graph)) == 1);
  graph.semantics = Semantics::onnx;  // which sums real values
  CHECK(rows_pooled(cost(pool_chip(), graph)) == 0);
  HardwareConfig chip = pool_chip();
  chip.mac_array.dataflow = Dataflow::input_stationary;
  CHECK(rows_pooled(cost(chip, halved())) == 0);
  chip.mac_array.dataflow = Dataflow::output_stationary;
  CHECK(rows_pooled(cost(chip, halved())) == 1);
}

}  // namespace
}  // namespace qsim
