// When a pass of the array begins and ends, cycle by cycle.
#include <catch2/catch.hpp>

#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/completions.h"
#include "hw_models/core/mac_array.h"
#include "hw_models/core/sram_buffer.h"
#include "hw_models/core/tile_datapath.h"
#include "hw_models/simulation_context.h"

namespace qsim {
namespace {

/// An array with buffers and accumulators beside it, and passes of one tile of E pixels, r rows, c columns.
struct Bench {
  explicit Bench(const MacArrayConfig& config, std::int64_t read_port_bytes = 64,
                 std::int64_t update_cycles = 1)
      : completions("completions", processes),
        weight_buffer("weights", BufferConfig{}, kWeightBufferEvents, false, recorder, processes),
        activation_buffer("activations", port(read_port_bytes), kActivationBufferEvents, false, recorder,
                          processes),
        accumulators(AccumulatorConfig{}, config.columns, false, recorder.accumulators),
        ports{weight_buffer, activation_buffer, update_cycles},
        datapath(config, ports, accumulators, weight_buffer, activation_buffer, completions, false, recorder),
        array("array", config, ports, datapath, recorder, processes) {
    array.tiles(tiles);
    array.weight_buffer(weight_buffer);
    array.activation_buffer(activation_buffer);
  }

  static BufferConfig port(std::int64_t bytes) {
    BufferConfig config;
    config.read_port_bytes = bytes;
    return config;
  }

  SimulationContext simulation;
  Recorder recorder{1};
  Processes processes;
  Completions completions;
  SramBuffer weight_buffer;
  SramBuffer activation_buffer;
  AccumulatorBank accumulators;
  ArrayPorts ports;
  TileDatapath datapath;
  MacArray array;
  sc_core::sc_fifo<MacTile> tiles{"tiles", MacArray::kQueueDepth};
  Token accumulators_ready;
};

/// How an array executes a matrix product on one tile.
GemmMapping on(const MacArrayConfig& config) {
  GemmMapping mapping;
  mapping.organization = config.organization;
  mapping.dataflow = config.dataflow;
  return mapping;
}

GemmProblem product_of(std::int64_t pixels, std::int64_t depth, std::int64_t outputs) {
  GemmProblem problem;
  problem.geometry.input = {1, 1, pixels, depth};
  problem.geometry.output = {1, 1, pixels, outputs};
  return problem;
}

GemmNest pointwise(std::int64_t pixels, std::int64_t depth, std::int64_t outputs,
                   const GemmMapping& mapping = {}) {
  return {0, product_of(pixels, depth, outputs), mapping, {}};
}

MacTile pass(const GemmNest& nest) {
  const ConvolutionGeometry& g = nest.problem().geometry;
  MacTile tile;
  tile.nest = &nest;
  tile.columns = {0, g.output[kChannel], 0, 1};
  tile.part = {0, 1, 0, 1, 0, g.input[kChannel]};
  tile.chunk_depth = g.input[kChannel];
  tile.output = {{0, 0, 0, 0}, {1, 1, g.output[kColumn], g.output[kChannel]}};
  tile.pixel_end = g.output[kColumn];
  return tile;
}

MacArrayConfig array(std::int64_t rows, std::int64_t columns) {
  MacArrayConfig config;
  config.rows = rows;
  config.columns = columns;
  return config;
}

TEST_CASE("a full pass of E pixels on R x C PEs takes E + R + C - 2 cycles after R cycles of loading") {
  // SCALE-Sim's closed form of one weight-stationary tile: 2R + C + E - 2.
  Bench bench(array(8, 4));
  const GemmNest nest = pointwise(10, 8, 4);
  const PassTiming timing = bench.array.timing(pass(nest));
  CHECK(timing.load_cycles == 8);
  CHECK(timing.drain_cycles == 10 + 8 + 4 - 2);
  CHECK(timing.compute_cycles == timing.drain_cycles);
  CHECK(timing.stream_cycles == 10);
}

TEST_CASE("an edge tile computes for fewer cycles and drains through the whole array") {
  Bench bench(array(8, 4));
  const GemmNest nest = pointwise(10, 5, 3);
  const PassTiming timing = bench.array.timing(pass(nest));
  CHECK(timing.compute_cycles == 10 + 5 + 3 - 2);
  CHECK(timing.drain_cycles == 10 + 8 + 4 - 2);
}

TEST_CASE("a narrow read port and a narrow multiplier slow the stream") {
  const GemmNest nest = pointwise(10, 8, 4);
  CHECK(Bench(array(8, 4), 8).array.timing(pass(nest)).stream_cycles == 10);
  CHECK(Bench(array(8, 4), 7).array.timing(pass(nest)).stream_cycles == 20);
  GemmProblem of_wide_inputs = product_of(10, 8, 4);
  of_wide_inputs.activation_format = {16, true};
  const GemmNest wide(0, of_wide_inputs, {}, {});
  const PassTiming timing = Bench(array(8, 4)).array.timing(pass(wide));
  CHECK(timing.stream_cycles == 20);  // 16-bit activations on an 8-bit multiplier
  CHECK(timing.drain_cycles == 9 * 2 + 1 + 8 + 4 - 1);
}

TEST_CASE("with stationary inputs the channels stream over pixels that stay") {
  // SCALE-Sim's closed form of one input-stationary tile of F channels: 2R + C + F - 2.
  MacArrayConfig config = array(8, 4);
  config.dataflow = Dataflow::input_stationary;
  const GemmNest nest = pointwise(3, 5, 10, on(config));
  const PassTiming timing = Bench(config).array.timing(pass(nest));
  CHECK(timing.load_cycles == 8);
  CHECK(timing.stream_cycles == 10);
  CHECK(timing.compute_cycles == 10 + 5 + 3 - 2);
  CHECK(timing.drain_cycles == 10 + 8 + 4 - 2);
}

TEST_CASE("with stationary outputs the reduction streams and nothing is loaded before") {
  // SCALE-Sim's closed form of one output-stationary tile of K reduction elements: R + C + K - 2.
  MacArrayConfig config = array(8, 4);
  config.dataflow = Dataflow::output_stationary;
  const GemmNest nest = pointwise(6, 20, 3, on(config));
  const PassTiming timing = Bench(config).array.timing(pass(nest));
  CHECK(timing.load_cycles == 0);
  CHECK(timing.stream_cycles == 20);
  CHECK(timing.compute_cycles == 20 + 6 + 3 - 2);
  CHECK(timing.drain_cycles == 20 + 8 + 4 - 2);
}

TEST_CASE("short reductions of stationary outputs wait for the buses of the columns") {
  // 6 rows finish in 6 consecutive cycles; the next pass of 2 reduction elements would finish its first row 2
  // cycles after that of the first pass.
  MacArrayConfig config = array(8, 4);
  config.dataflow = Dataflow::output_stationary;
  Bench bench(config);
  const GemmNest nest = pointwise(6, 2, 4, on(config));
  bench.tiles.nb_write(pass(nest));
  bench.tiles.nb_write(pass(nest));
  bench.tiles.nb_write(MacTile{});
  sc_core::sc_start();
  CHECK(sc_core::sc_time_stamp().value() == 6 + (2 + 8 + 4 - 2));
}

/// Cycles of passes of E pixels each in G groups of one channel, 1x1 kernel: a reduction of one element. The
/// array is 16 x 4, so the last pass has drained 1 + 16 + 4 - 2 = 19 cycles after it began, if its sums have
/// not left later.
std::int64_t group_passes(const std::vector<std::pair<std::int64_t, std::int64_t>>& groups_and_pixels,
                          std::int64_t update_cycles = 1) {
  MacArrayConfig config = array(16, 4);
  config.dataflow = Dataflow::output_stationary;
  Bench bench(config, 64, update_cycles);
  GemmProblem problem = product_of(16, 4, 4);
  problem.geometry.groups = 4;
  const GemmNest nest(0, problem, on(config), {});
  for (const auto& [groups, pixels] : groups_and_pixels) {
    MacTile tile = pass(nest);
    tile.part.channel_end = tile.chunk_depth = 1;
    tile.columns = {0, groups, 0, groups};
    tile.pixel_end = pixels;
    bench.tiles.nb_write(tile);
  }
  bench.tiles.nb_write(MacTile{});
  sc_core::sc_start();
  return static_cast<std::int64_t>(sc_core::sc_time_stamp().value());
}

TEST_CASE("groups side by side have buses of their own") {
  constexpr std::int64_t kAlone = 1 + 16 + 4 - 2;
  // Group g of a pass of E pixels gives sums in cycles gE .. gE + E - 1 after its first.
  CHECK(group_passes({{4, 4}}) == kAlone);
  // Each group's 4 sums leave before those of the next pass: not 4 * 4 cycles later.
  CHECK(group_passes({{4, 4}, {4, 4}}) == 4 + kAlone);
  CHECK(group_passes({{4, 4}, {4, 4}, {4, 4}}) == 8 + kAlone);
  // Fewer pixels follow: their third group begins 2 * 1 cycles after the first, where the pass before has its
  // buses in cycles 2 * 4 to 11, so 12 - 2 cycles lie between the passes.
  CHECK(group_passes({{3, 4}, {3, 1}}) == 10 + kAlone);
  // More pixels follow: the first group decides.
  CHECK(group_passes({{4, 1}, {4, 4}}) == 1 + kAlone);
  // One group in between: the fourth's bus is still that of the first pass, until cycle 16.
  CHECK(group_passes({{4, 4}, {1, 4}, {4, 1}}) == 13 + kAlone);
  // Slow accumulators: a bus is busy for 4 * 3 cycles. The last group's 4 sums leave in 12, 15, 18 and 21, in
  // the fourth column 3 cycles later than in the first: 25 cycles.
  CHECK(group_passes({{4, 4}}, 3) == 25);
  CHECK(group_passes({{4, 4}, {4, 4}}, 3) == 12 + 25);
}

TEST_CASE("passes of dot products whose outputs stay keep the distance of their sums") {
  // Columns take a sum every 3 cycles. 2 chunks: a step every 2 cycles, sums in 2 and 6 of the first pass.
  // The second pass has one chunk and its first sum with its first step, in cycle 9 and not 8.
  MacArrayConfig config = array(8, 4);
  config.organization = Organization::dot_product;
  config.dataflow = Dataflow::output_stationary;
  Bench bench(config, 64, 3);
  GemmMapping mapping = on(config);
  mapping.chunk_rows = 8;
  const GemmNest nest = pointwise(2, 12, 4, mapping);
  MacTile tile = pass(nest);
  bench.tiles.nb_write(tile);
  tile.part.channel_begin = 8;
  tile.chunk_depth = 4;
  bench.tiles.nb_write(tile);
  bench.tiles.nb_write(MacTile{});
  sc_core::sc_start();
  // Sums in 9 and 12, products over after 13, a tree of 3 levels.
  CHECK(sc_core::sc_time_stamp().value() == 13 + 3);
}

TEST_CASE("a dot product has no skew, and its sums come out of the adder tree") {
  MacArrayConfig config = array(8, 4);
  config.organization = Organization::dot_product;
  const GemmNest nest = pointwise(10, 8, 4, on(config));
  PassTiming timing = Bench(config).array.timing(pass(nest));
  CHECK(timing.load_cycles == 4);  // a column a cycle
  CHECK(timing.compute_cycles == 10);
  CHECK(timing.drain_cycles == 10 + 3);  // log2(8)
  config.adder_tree_cycles = 7;
  timing = Bench(config).array.timing(pass(nest));
  CHECK(timing.drain_cycles == 10 + 7);
}

TEST_CASE("a dot product whose outputs stay goes through the reduction pixel by pixel") {
  MacArrayConfig config = array(8, 4);
  config.organization = Organization::dot_product;
  config.dataflow = Dataflow::output_stationary;
  GemmMapping mapping = on(config);
  mapping.chunk_rows = 8;
  const GemmNest nest = pointwise(5, 20, 4, mapping);
  const PassTiming timing = Bench(config).array.timing(pass(nest));
  CHECK(timing.stream_cycles == 15);  // 8 rows x 4 columns of weights through a port of 32 bytes
  CHECK(timing.compute_cycles == 5 * 3);
  CHECK(timing.drain_cycles == 5 * 3 + 3);
}

TEST_CASE("the accumulators are ready in the cycle of the last sum and not before") {
  Bench bench(array(8, 4));
  const GemmNest nest = pointwise(10, 8, 4);
  MacTile tile = pass(nest);
  tile.accumulated.add({&bench.accumulators_ready});
  bench.tiles.nb_write(tile);
  bench.tiles.nb_write(MacTile{});  // ends the array's processes
  constexpr std::int64_t kLoadAndPass = 8 + 10 + 8 + 4 - 2;
  std::int64_t before = -1;
  std::int64_t at = -1;
  const auto sample = [&](std::int64_t cycle, std::int64_t& credits) {
    sc_core::sc_spawn([&bench, cycle, &credits] {
      wait_until(cycle);
      for (int delta = 0; delta < 5; ++delta) sc_core::wait(sc_core::SC_ZERO_TIME);
      credits = bench.accumulators_ready.credits();
    });
  };
  sample(kLoadAndPass - 1, before);
  sample(kLoadAndPass, at);
  sc_core::sc_start();
  CHECK(before == 0);
  CHECK(at == 1);
}

TEST_CASE("with a second register passes follow each other without a gap, without it they are serialized") {
  // Two passes of 10 pixels on 8x4: serialized 2 * (2R + C + E - 2); overlapped R + 2E + R + C - 2.
  for (const bool second : {true, false}) {
    MacArrayConfig config = array(8, 4);
    config.double_buffered_weights = second;
    Bench bench(config);
    const GemmNest nest = pointwise(10, 8, 4);
    MacTile tile = pass(nest);
    bench.tiles.nb_write(tile);
    tile.last = true;
    bench.tiles.nb_write(tile);
    bench.tiles.nb_write(MacTile{});
    sc_core::sc_start();
    const std::int64_t end = static_cast<std::int64_t>(sc_core::sc_time_stamp().value());
    CHECK(end == (second ? 8 + 2 * 10 + 8 + 4 - 2 : 2 * (2 * 8 + 4 + 10 - 2)));
  }
}

}  // namespace
}  // namespace qsim
