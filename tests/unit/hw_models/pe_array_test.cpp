// When the PEs do what, one cycle early and exactly on time.
#include <catch2/catch.hpp>

#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/mac_array.h"
#include "hw_models/core/sram_buffer.h"
#include "hw_models/pe_array/pe_array.h"
#include "hw_models/simulation_context.h"

namespace qsim {
namespace {

/// A MAC array of PEs with values, weights at 0 and activations at 0 of their buffers.
struct Bench {
  explicit Bench(const MacArrayConfig& config, std::int64_t update_cycles = 1)
      : weight_buffer("weights", BufferConfig{}, kWeightBufferEvents, true, recorder, processes),
        activation_buffer("activations", BufferConfig{}, kActivationBufferEvents, true, recorder, processes),
        accumulators(AccumulatorConfig{}, config.columns, true, recorder.accumulators),
        ports{weight_buffer, activation_buffer, update_cycles},
        pes("pes", config, ports, weight_buffer, activation_buffer, accumulators, true, recorder, processes,
            nullptr),
        array("array", config, ports, pes, recorder, processes) {
    array.tiles(tiles);
    array.weight_buffer(weight_buffer);
    array.activation_buffer(activation_buffer);
  }

  SimulationContext simulation;
  Recorder recorder{1};
  Processes processes;
  SramBuffer weight_buffer;
  SramBuffer activation_buffer;
  AccumulatorBank accumulators;
  ArrayPorts ports;
  PeArray pes;
  MacArray array;
  sc_core::sc_fifo<MacTile> tiles{"tiles", MacArray::kQueueDepth};
};

constexpr std::int64_t kPixels = 5, kDepth = 3, kOutputs = 2;
constexpr std::int64_t kParameters = 4096;

MacArrayConfig array_of(Organization organization, Dataflow dataflow) {
  MacArrayConfig config;
  config.rows = 6;
  config.columns = 7;
  config.organization = organization;
  config.dataflow = dataflow;
  return config;
}

GemmNest matrix_product(const MacArrayConfig& config) {
  GemmProblem problem;
  problem.geometry.input = {1, 1, kPixels, kDepth};
  problem.geometry.output = {1, 1, kPixels, kOutputs};
  problem.weight_format = problem.activation_format = {8, true};
  GemmMapping mapping;
  mapping.chunk_rows = config.rows;
  mapping.organization = config.organization;
  mapping.dataflow = config.dataflow;
  return {0, problem, mapping, {}};
}

MacTile whole(const GemmNest& nest) {
  MacTile tile;
  tile.nest = &nest;
  tile.columns = {0, kOutputs, 0, 1};
  tile.part = {0, 1, 0, 1, 0, kDepth};
  tile.chunk_depth = kDepth;
  tile.parameters_address = kParameters;
  tile.output = {{0, 0, 0, 0}, {1, 1, kPixels, kOutputs}};
  tile.pixel_end = kPixels;
  tile.input.strides = {kPixels * kDepth, kPixels * kDepth, kDepth};
  tile.input.format = {8, true};
  tile.preload = tile.last = true;
  return tile;
}

/// Cycles after which the accumulator of a pixel and channel has its sum: the cycle before it does not, with
/// it it does. All operands are 1, so every sum is the depth.
std::int64_t sum_ready_after(const MacArrayConfig& config, std::int64_t pixel, std::int64_t channel,
                             std::int64_t update_cycles = 1) {
  std::int64_t ready = -1;
  for (std::int64_t probe = 1; ready < 0 && probe < 100; ++probe) {
    Bench bench(config, update_cycles);
    const GemmNest nest = matrix_product(config);
    for (std::int64_t i = 0; i < kDepth * kOutputs; ++i)
      bench.weight_buffer.storage().write(8 * i, {8, true}, 1);
    for (std::int64_t i = 0; i < kDepth * kPixels; ++i)
      bench.activation_buffer.storage().write(8 * i, {8, true}, 1);
    const MacTile tile = whole(nest);
    bench.tiles.nb_write(tile);
    bench.tiles.nb_write(MacTile{});
    const AccumulatorCell cell = tile.dataflow().accumulator_order(kPixels, kOutputs).cell(pixel, 0, channel);
    // Cycle c of the PEs is evaluated at time c + 1, in its first delta cycle; this looks in the second.
    sc_core::sc_spawn([&] {
      sc_core::wait(cycles_to_time(probe));
      sc_core::wait(sc_core::SC_ZERO_TIME);
      if (bench.accumulators.read(cell.entry, cell.column) == kDepth) ready = probe;
    });
    sc_core::sc_start();
  }
  return ready;
}

TEST_CASE("the first and the last sum of a pass leave the PEs in their cycles") {
  // Load, step, skew and the way down, as docs/timing.md draws them; 6 x 7 PEs, 5 pixels, 3 elements, 2
  // channels.
  SECTION("weights stay: 6 cycles of loading, step = pixel") {
    const MacArrayConfig config = array_of(Organization::systolic, Dataflow::weight_stationary);
    CHECK(sum_ready_after(config, 0, 0) == 6 + 0 + 6 + 0);
    CHECK(sum_ready_after(config, kPixels - 1, kOutputs - 1) == 6 + (kPixels - 1) + 6 + (kOutputs - 1));
  }
  SECTION("inputs stay: step = channel, column = pixel") {
    const MacArrayConfig config = array_of(Organization::systolic, Dataflow::input_stationary);
    CHECK(sum_ready_after(config, 0, 0) == 6 + 0 + 6 + 0);
    CHECK(sum_ready_after(config, kPixels - 1, kOutputs - 1) == 6 + (kOutputs - 1) + 6 + (kPixels - 1));
  }
  SECTION("outputs stay: no loading, step = element of the reduction, row = pixel, column = channel") {
    const MacArrayConfig config = array_of(Organization::systolic, Dataflow::output_stationary);
    CHECK(sum_ready_after(config, 0, 0) == kDepth);
    CHECK(sum_ready_after(config, kPixels - 1, kOutputs - 1) == kDepth + (kPixels - 1) + (kOutputs - 1));
  }
  SECTION("dot product, weights stay: 7 cycles of loading, a tree of 3 levels") {
    const MacArrayConfig config = array_of(Organization::dot_product, Dataflow::weight_stationary);
    CHECK(sum_ready_after(config, 0, 0) == 7 + 1 + 3);
    CHECK(sum_ready_after(config, kPixels - 1, kOutputs - 1) == 7 + kPixels + 3);
  }
  SECTION("dot product, inputs stay: step = channel") {
    const MacArrayConfig config = array_of(Organization::dot_product, Dataflow::input_stationary);
    CHECK(sum_ready_after(config, 0, 0) == 7 + 1 + 3);
    CHECK(sum_ready_after(config, kPixels - 1, kOutputs - 1) == 7 + kOutputs + 3);
  }
  SECTION("dot product, outputs stay: nothing is loaded, step = pixel, 3 elements in one chunk") {
    MacArrayConfig config = array_of(Organization::dot_product, Dataflow::output_stationary);
    CHECK(sum_ready_after(config, 0, 0) == 1 + 3);
    CHECK(sum_ready_after(config, kPixels - 1, kOutputs - 1) == kPixels + 3);
    config.rows = 2;  // two chunks a pixel, a tree of one level
    CHECK(sum_ready_after(config, 0, 0) == 2 + 1);
    CHECK(sum_ready_after(config, kPixels - 1, kOutputs - 1) == 2 * kPixels + 1);
  }
}

TEST_CASE("wide operands and slow accumulators space out the steps and the sums") {
  constexpr std::int64_t kUpdate = 2;
  // 8-bit weights on multipliers of 4: a product takes 2 cycles.
  const auto narrow = [](Organization organization, Dataflow dataflow) {
    MacArrayConfig config = array_of(organization, dataflow);
    config.weight_bits = 4;
    return config;
  };
  SECTION("weights stay: a step every 2 cycles, the first sum a cycle later than with fast products") {
    const MacArrayConfig config = narrow(Organization::systolic, Dataflow::weight_stationary);
    CHECK(sum_ready_after(config, 0, 0, kUpdate) == 6 + 1 + 6);
    CHECK(sum_ready_after(config, kPixels - 1, kOutputs - 1, kUpdate) == 6 + 2 * (kPixels - 1) + 1 + 6 + 1);
  }
  SECTION("inputs stay") {
    const MacArrayConfig config = narrow(Organization::systolic, Dataflow::input_stationary);
    CHECK(sum_ready_after(config, kPixels - 1, kOutputs - 1, kUpdate) ==
          6 + 2 * (kOutputs - 1) + 1 + 6 + (kPixels - 1));
  }
  SECTION("outputs stay: a sum every 2 cycles down the rows of a column") {
    const MacArrayConfig config = narrow(Organization::systolic, Dataflow::output_stationary);
    CHECK(sum_ready_after(config, 0, 0, kUpdate) == 2 * kDepth);
    CHECK(sum_ready_after(config, kPixels - 1, kOutputs - 1, kUpdate) ==
          2 * kDepth + 2 * (kPixels - 1) + (kOutputs - 1));
  }
  SECTION("dot products: a step every 2 cycles") {
    const MacArrayConfig weights_stay = narrow(Organization::dot_product, Dataflow::weight_stationary);
    CHECK(sum_ready_after(weights_stay, kPixels - 1, kOutputs - 1, kUpdate) == 7 + 2 * kPixels + 3);
    const MacArrayConfig inputs_stay = narrow(Organization::dot_product, Dataflow::input_stationary);
    CHECK(sum_ready_after(inputs_stay, kPixels - 1, kOutputs - 1, kUpdate) == 7 + 2 * kOutputs + 3);
    const MacArrayConfig outputs_stay = narrow(Organization::dot_product, Dataflow::output_stationary);
    CHECK(sum_ready_after(outputs_stay, kPixels - 1, kOutputs - 1, kUpdate) == 2 * kPixels + 3);
  }
}

TEST_CASE("sums that meet on the way to the accumulators are an error of the timing") {
  // Two passes 4 cycles apart although the first has 5 sums a column: streamed past the MAC array's wait.
  Bench bench(array_of(Organization::systolic, Dataflow::output_stationary));
  const GemmNest nest = matrix_product(array_of(Organization::systolic, Dataflow::output_stationary));
  const MacTile tile = whole(nest);
  sc_core::sc_spawn([&] {
    for (int i = 0; i < 2; ++i) {
      bench.pes.load(tile);
      bench.pes.stream(tile, [] {});
      if (i == 0) sc_core::wait(cycles_to_time(4 - kDepth));
    }
  });
  bench.tiles.nb_write(MacTile{});  // ends the array's own processes
  sc_core::sc_start();
  CHECK_THROWS_AS(bench.processes.rethrow_error(), std::logic_error);
}

}  // namespace
}  // namespace qsim
