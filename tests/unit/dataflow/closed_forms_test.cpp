// When a pass loads, computes and drains: against published closed forms and against sums followed one by
// one.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/dataflow/dataflow_cases.h"

namespace qsim {
namespace {

using test::even_stream;
using test::pass_of;

std::int64_t pieces(std::int64_t size, std::int64_t of) {
  return (size + of - 1) / of;
}

/// Cycles of a layer whose passes follow each other strictly: each loads, streams and drains.
std::int64_t serialized_cycles(const MacArrayConfig& array, std::int64_t pixels, std::int64_t depth,
                               std::int64_t channels) {
  constexpr std::int64_t kManyEntries = 1 << 20;
  const DataflowModel& dataflow = dataflow_model(array);
  LayerShape layer;
  layer.outputs = channels;
  layer.pixels = pixels;
  layer.channels = depth;
  const PassBounds bounds = dataflow.bounds(array, layer, kManyEntries);
  const PassCut pixel_cut(pixels, bounds.pixels, PassOrder::even);
  const ChunkCut chunks =
      dataflow.pass_chunks(ReductionPart{0, 1, 0, 1, 0, depth}, array.rows, array.reduction, 0);
  std::int64_t cycles = 0;
  for (std::int64_t c = 0; c < channels; c += bounds.channels) {
    for (std::int64_t p = 0; p < pixel_cut.count(); ++p) {
      for (std::int64_t k = 0; k < chunks.count(); ++k) {
        const PassShape pass = pass_of(pixel_cut.end(p) - pixel_cut.begin(p), chunks.depth(k),
                                       std::min(bounds.channels, channels - c), array);
        cycles += dataflow.lines(dataflow.extent(array, 8, 8)) +
                  dataflow.timing(array, pass, even_stream(dataflow, pass, 1), 1).drain_cycles;
      }
    }
  }
  return cycles;
}

TEST_CASE("serialized passes of random layers take SCALE-Sim's closed forms") {
  // E output pixels, K reduction, F filters, all divisions rounded up; it counts from 0, hence one less.
  //   weight stationary   (K/R) (F/C) (2R + C + E - 2)
  //   input stationary    (K/R) (E/C) (2R + C + F - 2)
  //   output stationary   (E/R) (F/C) ( R + C + K - 2)
  test::Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t r = random.between(1, 40);
    const std::int64_t c = random.between(1, 40);
    const std::int64_t e = random.between(1, 150);
    const std::int64_t k = random.between(1, 150);
    const std::int64_t f = random.between(1, 150);
    MacArrayConfig array;
    array.rows = r;
    array.columns = c;
    INFO(r << "x" << c << ", E " << e << ", K " << k << ", F " << f);
    array.dataflow = Dataflow::weight_stationary;
    CHECK(serialized_cycles(array, e, k, f) == pieces(k, r) * pieces(f, c) * (2 * r + c + e - 2));
    array.dataflow = Dataflow::input_stationary;
    CHECK(serialized_cycles(array, e, k, f) == pieces(k, r) * pieces(e, c) * (2 * r + c + f - 2));
    array.dataflow = Dataflow::output_stationary;
    CHECK(serialized_cycles(array, e, k, f) == pieces(e, r) * pieces(f, c) * (r + c + k - 2));
  }
}

TEST_CASE("sums that stay are in the accumulators when a bus that takes them one by one has delivered them") {
  test::Random random(2);
  for (int i = 0; i < 2000; ++i) {
    MacArrayConfig array;
    array.rows = random.between(1, 24);
    array.columns = random.between(1, 24);
    array.dataflow = Dataflow::output_stationary;
    PassShape pass;
    pass.groups = random.between(1, std::min(array.rows, array.columns));
    pass.pixels = random.between(1, array.rows / pass.groups);
    pass.channels = random.between(1, array.columns / pass.groups);
    pass.depth = random.between(1, 20);
    const std::int64_t update = random.between(1, 4);
    const DataflowModel& dataflow = dataflow_model(array);
    const PassCycles timing = dataflow.timing(array, pass, even_stream(dataflow, pass, 1), update);
    // PE (i, j) has its sum in cycle K - 1 + i + j; its bus is free every `update` cycles. An array of idle
    // PEs hands on the last step until K - 1 + (R-1) + (C-1).
    std::int64_t last = pass.depth - 1 + array.rows - 1 + array.columns - 1;
    for (std::int64_t column = 0; column < pass.groups * pass.channels; ++column) {
      const std::int64_t group = column / pass.channels;
      std::int64_t free_from = 0;
      for (std::int64_t pixel = 0; pixel < pass.pixels; ++pixel) {
        const std::int64_t ready = pass.depth - 1 + group * pass.pixels + pixel + column;
        const std::int64_t moved = std::max(ready, free_from);
        free_from = moved + update;
        last = std::max(last, moved);
        if (column % pass.channels == 0 && pixel == 0) {
          CHECK(moved == timing.first_sum_cycle + group * timing.group_cycles + column);
        }
      }
      CHECK(free_from <= timing.first_sum_cycle + group * timing.group_cycles + column + timing.bus_cycles);
    }
    CHECK(timing.drain_cycles == last + 1);
  }
}

TEST_CASE("a dot product has no skew: its sums come a tree's depth after the products") {
  MacArrayConfig array;
  array.rows = 8;
  array.columns = 4;
  array.organization = Organization::dot_product;
  constexpr std::int64_t kLevels = 3;  // log2(8)
  const auto timing = [&](const PassShape& pass, std::int64_t interval) {
    const DataflowModel& dataflow = dataflow_model(array);
    return dataflow.timing(array, pass, even_stream(dataflow, pass, interval), 1);
  };
  SECTION("weights stay: a step a pixel, a column loaded a cycle") {
    CHECK(timing(pass_of(10, 8, 4, array), 1).compute_cycles == 10);
    CHECK(timing(pass_of(10, 8, 4, array), 1).drain_cycles == 10 + kLevels);
    CHECK(timing(pass_of(10, 5, 3, array), 2).drain_cycles == 9 * 2 + 1 + kLevels);
    CHECK(dataflow_model(array).lines({8, 4}) == 4);
  }
  SECTION("inputs stay: a step a channel") {
    array.dataflow = Dataflow::input_stationary;
    CHECK(timing(pass_of(3, 8, 10, array), 1).drain_cycles == 10 + kLevels);
    CHECK(dataflow_model(array).lines({8, 4}) == 4);
  }
  SECTION("outputs stay: 20 elements are 3 chunks of 8 rows, and a pixel's sum comes with its third step") {
    array.dataflow = Dataflow::output_stationary;
    const PassCycles five = timing(pass_of(5, 20, 4, array), 1);
    CHECK(five.compute_cycles == 5 * 3);
    CHECK(five.drain_cycles == 5 * 3 + kLevels);
    CHECK(five.first_sum_cycle == 2);
    CHECK(five.first_sum_cycle + five.bus_cycles == 5 * 3);  // free for the next sum after the last one
    CHECK(dataflow_model(array).lines({8, 4}) == 0);
  }
}

TEST_CASE("data-dependent sums of what streams past drain through one more column or row") {
  for (MacArrayConfig array : test::all_arrays(8, 4)) {
    INFO(test::name_of(array));
    const DataflowModel& dataflow = dataflow_model(array);
    const auto drained = [&](bool sums_inputs, bool sums_weights) {
      PassShape pass = pass_of(3, 3, 3, array);
      pass.sums_inputs = sums_inputs;
      pass.sums_weights = sums_weights;
      return dataflow.timing(array, pass, even_stream(dataflow, pass, 1), 1).drain_cycles;
    };
    const bool systolic = array.organization == Organization::systolic;
    const std::int64_t inputs = systolic && array.dataflow != Dataflow::input_stationary ? 1 : 0;
    const std::int64_t weights = systolic && array.dataflow != Dataflow::weight_stationary ? 1 : 0;
    CHECK(drained(true, false) - drained(false, false) == inputs);
    CHECK(drained(false, true) - drained(false, false) == weights);
    CHECK(drained(true, true) - drained(false, false) == inputs + weights);
  }
}

TEST_CASE("steps follow as fast as multipliers and accumulators allow, and not faster") {
  for (MacArrayConfig array : test::all_arrays(8, 4)) {
    INFO(test::name_of(array));
    array.weight_bits = 4;
    PassShape pass = pass_of(3, 16, 3, array);  // 8-bit weights in two pieces; two chunks of 8 rows
    const DataflowModel& dataflow = dataflow_model(array);
    const bool sums_stay = array.dataflow == Dataflow::output_stationary;
    CHECK(dataflow.step_cycles(array, pass, 1) == 2);
    CHECK(dataflow.step_cycles(array, pass, 2) == 2);
    // Each step brings a sum, or each second one, or sums leave by the buses of their columns.
    const bool by_bus = sums_stay && array.organization == Organization::systolic;
    CHECK(dataflow.step_cycles(array, pass, 5) == (by_bus ? 2 : sums_stay ? 3 : 5));
  }
}

}  // namespace
}  // namespace qsim
