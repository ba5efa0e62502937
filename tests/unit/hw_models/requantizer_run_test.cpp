// How long runs of accumulators take in the requantizer, and what they become, without SystemC.
#include "hw_models/core/requantizer_run.h"

#include <bit>
#include <catch2/catch.hpp>
#include <vector>

namespace qsim {
namespace {

constexpr std::int64_t kPixels = 6, kChannels = 4;

HardwareConfig hardware() {
  HardwareConfig config;
  config.mac_array.columns = 16;
  config.accumulators.entries = 32;  // 16 a run
  config.requantizer.lanes = 8;
  return config;
}

GemmNest nest_of(bool asymmetric_weights) {
  GemmProblem problem;
  problem.parameters.asymmetric_weights = asymmetric_weights;
  return {0, problem, GemmMapping{}, {}};
}

DrainCommand run_of(const GemmNest& nest) {
  DrainCommand command;
  command.nest = &nest;
  command.columns = {0, kChannels, 0, 1};
  command.output = {{0, 0, 0, 0}, {1, 1, kPixels, kChannels}};
  command.pixel_end = kPixels;
  return command;
}

TEST_CASE("the slowest of lanes, read-out and writing occupies the requantizer") {
  const GemmNest nest = nest_of(false);
  const DrainCommand command = run_of(nest);
  CHECK(RequantizerTiming(hardware()).lane_cycles(command, 1) == 3);  // 24 outputs on 8 lanes
  CHECK(RequantizerTiming(hardware()).lane_cycles(command, 4) == 4);
  HardwareConfig narrow = hardware();
  narrow.accumulators.read_out_entries = 1;  // an entry of every column a cycle
  CHECK(RequantizerTiming(narrow).lane_cycles(command, 1) == kPixels);
  const GemmNest asymmetric = nest_of(true);  // a second operation an output
  CHECK(RequantizerTiming(hardware()).lane_cycles(run_of(asymmetric), 1) == 6);
}

TEST_CASE("rows of the accumulator bank that are read one at a time take all columns, used or not") {
  const GemmNest nest = nest_of(false);
  HardwareConfig config = hardware();
  config.requantizer.row_read_cycles = 2;
  // A row: 2 cycles, then 16 columns on 8 lanes.
  CHECK(RequantizerTiming(config).lane_cycles(run_of(nest), 1) == kPixels * (2 + 2));
}

TEST_CASE("free entries hide the turnaround") {
  const GemmNest nest = nest_of(false);
  HardwareConfig config = hardware();
  CHECK(RequantizerTiming(config).gap_cycles(run_of(nest), 6, 3) == 0);
  config.requantizer.turnaround_cycles = 10;
  // An entry takes ceil(3 / 6) = 1 cycle. 16 - 6 entries are free, of which the run before uses up to its
  // own.
  CHECK(RequantizerTiming(config).gap_cycles(run_of(nest), 6, 3) == 10 - 6);
  CHECK(RequantizerTiming(config).gap_cycles(run_of(nest), 16, 3) == 0);
  config.accumulators.entries = 12;  // no entry to spare
  CHECK(RequantizerTiming(config).gap_cycles(run_of(nest), 6, 3) == 10);
}

TEST_CASE("accumulators become the outputs that their scale says") {
  GemmProblem problem;
  problem.rounding_profile = arithmetic::RoundingProfile::float32;
  problem.output_range = {0, -128, 127};
  const GemmNest nest(0, problem, GemmMapping{}, {});
  DrainCommand command = run_of(nest);
  command.destination.strides = {0, 0, kChannels};
  command.destination.format = {8, true};
  BufferStorage weights("weights", 64);
  BufferStorage activations("activations", 64);
  weights.write(0, {32, true}, std::bit_cast<std::int32_t>(0.5F));  // one scale for the block
  std::vector<arithmetic::AccumulatorStats> stats(1);
  AccumulatorBank accumulators(hardware().accumulators, 16, true, stats);
  for (std::int64_t pixel = 0; pixel < kPixels; ++pixel) {
    for (std::int64_t c = 0; c < kChannels; ++c) accumulators.preload(0, pixel, c, 4 * (10 * pixel + c));
  }
  PassedTensors passed;
  Pooler pooler(1);
  requantize_run(command, accumulators, weights, activations, passed, pooler);
  for (std::int64_t pixel = 0; pixel < kPixels; ++pixel) {
    for (std::int64_t c = 0; c < kChannels; ++c) {
      CHECK(activations.read(8 * (pixel * kChannels + c), {8, true}) == 2 * (10 * pixel + c));
    }
  }
}

}  // namespace
}  // namespace qsim
