// What limits a row is found by experiment: more of it gains the most.
#include "sim/report/limits.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "sim/simulate.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/layer_graph.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim {
namespace {

struct Limited {
  std::int64_t cycles = 0;
  Limits limits;
  UnitCycles units;
};

Limited limited(const HardwareConfig& chip, const test::LayerSize& size) {
  const RunResult run = simulate(chip, test::layer_graph(size), {}, {Values::none});
  return {run.total_cycles, limits_of(run)[0], run.layers[0].unit_cycles};
}

TEST_CASE("units are at work for as many cycles as a pass counted by hand needs, at both fidelities") {
  // One pass: 8 x 8 weights stay, 16 pixels of 8 bytes stream, 128 outputs leave.
  HardwareConfig chip;
  chip.mapper = {FixedLoopOrder::weights_outer, true, false};
  chip.mac_array.rows = chip.mac_array.columns = 8;
  chip.accumulators.entries = 32;
  chip.requantizer.lanes = 4;
  chip.weight_buffer.read_port_bytes = 4;
  chip.activation_buffer.read_port_bytes = 2;
  chip.activation_buffer.write_port_bytes = 1;
  const Graph graph = test::layer_graph({4, 4, 8, 8, 1});
  for (const Fidelity fidelity : {Fidelity::tile, Fidelity::pe}) {
    SimulateOptions options;
    options.values = Values::none;
    options.fidelity = fidelity;
    const UnitCycles units = simulate(chip, graph, {}, options).layers[0].unit_cycles;
    CHECK(units.array == 16);
    CHECK(units.array_load == 8);
    CHECK(units.weight_reads == 64 / 4);
    CHECK(units.activation_reads == 16 * (8 / 2));
    CHECK(units.output_writes == 128);
    CHECK(units.requantizer == 128 / 4);
    CHECK(units.vector_unit == 0);
  }
}

TEST_CASE("where both operands stream each port is at work for its own reads") {
  HardwareConfig chip;
  chip.mapper = {FixedLoopOrder::weights_outer, true, false};
  chip.mac_array.rows = chip.mac_array.columns = 8;
  chip.mac_array.dataflow = Dataflow::output_stationary;
  chip.accumulators.entries = 16;
  chip.weight_buffer.read_port_bytes = 4;
  chip.activation_buffer.read_port_bytes = 1;
  const UnitCycles units = limited(chip, {1, 8, 24, 8, 1}).units;  // a pass of 24 steps
  CHECK(units.array == 24);
  CHECK(units.array_load == 0);
  CHECK(units.weight_reads == 24 * 2);
  CHECK(units.activation_reads == 24 * 8);
}

TEST_CASE("a pointwise layer that computes while its weights arrive is limited by the bandwidth") {
  // 7x7x1024 to 1,024: 1.15 MB at 12.8 bytes a cycle are 90,086 cycles, its MACs on 32 x 32 PEs 50,176.
  const Limited run = limited(HardwareConfig{}, {7, 7, 1024, 1024, 1});
  CHECK(run.limits.limited_by == Limit::dram_bandwidth);
  CHECK(run.limits[Limit::array] == 50'176);
  CHECK(run.limits[Limit::dram_bandwidth] == Approx(90'086).epsilon(0.01));
}

TEST_CASE("too few requests in flight limit before the bandwidth does") {
  // A burst is in flight for 100 + 5 cycles: 21 of them keep a bus busy that takes 5 for each.
  const test::LayerSize size{1, 1, 1024, 1024, 1};
  HardwareConfig chip;
  chip.dram.outstanding_requests = 22;
  CHECK(limited(chip, size).limits.limited_by == Limit::dram_bandwidth);
  chip.dram.outstanding_requests = 20;
  CHECK(limited(chip, size).limits.limited_by == Limit::outstanding_requests);
}

TEST_CASE("a layer that loads, computes and stores one after the other is limited by dependency") {
  const Limited run = limited(HardwareConfig{}, {4, 4, 32, 32, 1});
  CHECK(run.limits.limited_by == Limit::dependency);
  CHECK(run.limits[Limit::dependency] > static_cast<double>(run.cycles) / 2);
}

/// What the experiment doubles: the resource, and where it is.
struct Knob {
  Limit limit;
  void (*twice)(HardwareConfig& chip);
};
constexpr std::array<Knob, 7> kKnobs{{
    {Limit::array,
     [](HardwareConfig& chip) {
       chip.mac_array.rows *= 2;
       chip.mac_array.columns *= 2;
     }},
    {Limit::weight_port, [](HardwareConfig& chip) { chip.weight_buffer.read_port_bytes *= 2; }},
    {Limit::activation_port, [](HardwareConfig& chip) { chip.activation_buffer.read_port_bytes *= 2; }},
    {Limit::output_port, [](HardwareConfig& chip) { chip.activation_buffer.write_port_bytes *= 2; }},
    {Limit::dram_bandwidth, [](HardwareConfig& chip) { chip.dram.bandwidth_bytes_per_second *= 2; }},
    {Limit::outstanding_requests, [](HardwareConfig& chip) { chip.dram.outstanding_requests *= 2; }},
    {Limit::requantizer, [](HardwareConfig& chip) { chip.requantizer.lanes *= 2; }},
}};

test::LayerSize any_layer(test::Choice& choice) {
  test::LayerSize size;
  size.kernel = choice.of<std::int64_t>({1, 1, 3, 3, 5});
  size.height = size.width = choice.of<std::int64_t>({1, 4, 7, 14, 28});
  size.channels = choice.of<std::int64_t>({3, 16, 32, 64, 128, 256});
  size.outputs = choice.of<std::int64_t>({16, 32, 64, 128, 256});
  if (size.height > 1) return size;
  size.kernel = 1;
  size.channels = choice.of<std::int64_t>({256, 512, 1024});
  size.outputs = choice.of<std::int64_t>({128, 512, 1000});
  return size;
}

HardwareConfig any_chip(test::Choice& choice) {
  HardwareConfig chip;
  chip.mac_array.rows = choice.of<std::int64_t>({8, 16, 32, 64});
  chip.mac_array.columns = choice.of<std::int64_t>({8, 16, 32, 64});
  chip.mac_array.dataflow =
      choice.of({Dataflow::weight_stationary, Dataflow::weight_stationary, Dataflow::weight_stationary,
                 Dataflow::output_stationary, Dataflow::input_stationary});
  chip.mac_array.organization =
      choice.of({Organization::systolic, Organization::systolic, Organization::dot_product});
  chip.mac_array.double_buffered_weights = choice.chance(75);
  chip.weight_buffer.capacity_kib = choice.of<std::int64_t>({64, 128, 256, 512});
  chip.activation_buffer.capacity_kib = choice.of<std::int64_t>({128, 256, 512, 1024});
  chip.weight_buffer.read_port_bytes = choice.of<std::int64_t>({4, 8, 16, 32, 64});
  chip.activation_buffer.read_port_bytes = choice.of<std::int64_t>({4, 8, 16, 32, 64});
  chip.activation_buffer.write_port_bytes = choice.of<std::int64_t>({4, 8, 16, 32, 64});
  chip.accumulators.entries = choice.of<std::int64_t>({256, 512, 1024, 2048});
  chip.requantizer.lanes = choice.of<std::int64_t>({1, 2, 4, 8, 16, 32});
  chip.dram.bandwidth_bytes_per_second = choice.of<std::int64_t>({2, 4, 8, 16, 32, 64}) * 800'000'000;
  chip.dram.latency_cycles = choice.of<std::int64_t>({50, 100, 200, 400});
  chip.dram.outstanding_requests = choice.of<std::int64_t>({2, 4, 8, 16, 32, 64});
  return chip;
}

/// What doubling saves: of what limits, of the best other knob, and of the array.
struct Gains {
  std::int64_t named = 0, rival = 0, array = 0;
  bool is_port = false;
};

/// Nothing where no knob is named or gains 2 %. A larger array reads each operand less often, and so is an
/// answer to slow ports as well.
std::optional<Gains> gains_of(const HardwareConfig& chip, const test::LayerSize& size) {
  const Limited before = limited(chip, size);
  const Limit limit = before.limits.limited_by == Limit::fill ? Limit::array : before.limits.limited_by;
  Gains gains;
  gains.is_port = limit == Limit::weight_port || limit == Limit::activation_port;
  bool has_knob = false;
  for (const Knob& knob : kKnobs) {
    HardwareConfig better = chip;
    knob.twice(better);
    if (!test::fits(test::layer_graph(size), better)) continue;  // a wider column of weights than the buffer
    const std::int64_t gain = before.cycles - limited(better, size).cycles;
    if (knob.limit == limit) {
      has_knob = true;
      gains.named = gain;
    } else if (knob.limit == Limit::array) {
      gains.array = gain;
    } else {
      gains.rival = std::max(gains.rival, gain);
    }
  }
  if (!has_knob || std::max({gains.named, gains.rival, gains.array}) * 50 < before.cycles) {
    return std::nullopt;
  }
  return gains;
}

void check_pairs(int count, std::uint32_t seed) {
  int judged = 0;
  int right = 0;    // where the array is no rival of ports
  int at_most = 0;  // where it is
  for (; judged < count; ++seed) {
    test::Choice choice(seed);
    const test::LayerSize size = any_layer(choice);
    const HardwareConfig chip = any_chip(choice);
    if (!test::fits(test::layer_graph(size), chip)) continue;
    const std::optional<Gains> gains = gains_of(chip, size);
    if (!gains) continue;
    ++judged;
    const bool beats_array = gains->named >= gains->array;
    right += gains->named >= gains->rival && (gains->is_port || beats_array) ? 1 : 0;
    at_most += gains->named >= gains->rival && beats_array ? 1 : 0;
  }
  INFO(right << " of " << judged << ", " << at_most << " with the array as a rival of ports");
  CHECK(right * 10 >= judged * 9);
  CHECK(at_most * 20 >= judged * 17);
}

TEST_CASE("twice as much of what limits gains the most in nine of ten of 100 random layers") {
  check_pairs(test::draws(100), 1);
}

TEST_CASE("twice as much of what limits gains the most in nine of ten of 1,000 random layers", "[.][long]") {
  check_pairs(1000, 10'001);
}

}  // namespace
}  // namespace qsim
