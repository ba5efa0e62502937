// Which operands meet in a pass, and where they and their sums lie.
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <tuple>

#include "tests/unit/dataflow/dataflow_cases.h"

namespace qsim {
namespace {

PassShape random_pass(test::Random& random, const MacArrayConfig& array) {
  PassShape pass;
  pass.groups = random.between(1, 3);
  pass.channels = random.between(1, 4);
  pass.pixels = random.between(1, 5);
  const std::int64_t taps = random.between(1, 3);
  const std::int64_t channels = random.between(1, 5);
  const ReductionPart part{0, 1, 0, taps, 0, channels};
  pass.chunks = ChunkCut(part, array.rows, array.reduction);
  const ChunkCut cut = dataflow_model(array).pass_chunks(part, array.rows, array.reduction, 0);
  pass.depth = cut.depth(random.between(0, cut.count() - 1));
  return pass;
}

/// Calls check(array, pass) for random passes of every dataflow, organization and reduction.
template <typename Check>
void for_random_passes(Check check) {
  test::Random random(3);
  for (int i = 0; i < 200; ++i) {
    for (MacArrayConfig array : test::all_arrays(random.between(1, 8), 8)) {
      array.reduction = random.between(0, 1) == 0 ? Reduction::packed : Reduction::per_tap;
      const PassShape pass = random_pass(random, array);
      INFO(test::name_of(array) << ": " << pass.groups << " groups of " << pass.channels << " channels, "
                                << pass.pixels << " pixels, depth " << pass.depth);
      check(array, pass);
    }
  }
}

template <typename Visit>
void for_each_operand(const OperandBox& box, Visit visit) {
  for (std::int64_t g = box.groups.begin; g < box.groups.end; ++g) {
    for (std::int64_t p = box.pixels.begin; p < box.pixels.end; ++p) {
      for (std::int64_t k = box.k.begin; k < box.k.end; ++k) {
        for (std::int64_t c = box.channels.begin; c < box.channels.end; ++c) visit(g, p, k, c);
      }
    }
  }
}

TEST_CASE("the steps of a pass make each of its products once") {
  for_random_passes([](const MacArrayConfig& array, const PassShape& pass) {
    const DataflowModel& dataflow = dataflow_model(array);
    std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>> products;
    std::int64_t made = 0;
    for (std::int64_t s = 0; s < dataflow.steps(pass); ++s) {
      for_each_operand(dataflow.step(pass, s), [&](auto... indices) {
        ++made;
        products.emplace(indices...);
      });
    }
    const std::int64_t all = pass.groups * pass.pixels * pass.depth * pass.channels;
    CHECK(made == all);
    CHECK(static_cast<std::int64_t>(products.size()) == all);
  });
}

TEST_CASE("no step needs more PEs than the pass uses, and some step needs them all") {
  for_random_passes([](const MacArrayConfig& array, const PassShape& pass) {
    const DataflowModel& dataflow = dataflow_model(array);
    std::int64_t most = 0;
    for (std::int64_t s = 0; s < dataflow.steps(pass); ++s) {
      const OperandBox box = dataflow.step(pass, s);
      most = std::max(most, box.pixels.size() * box.k.size() * box.channels.size() * box.groups.size());
    }
    // Groups lie on the diagonal: a PE for each product of the step.
    CHECK(most * pass.groups == dataflow.rows_used(pass) * dataflow.columns_used(pass));
  });
}

TEST_CASE("the lines of a load hold each operand that stays once, and nothing on lines that are not used") {
  for_random_passes([](const MacArrayConfig& array, const PassShape& pass) {
    const DataflowModel& dataflow = dataflow_model(array);
    if (dataflow.stays() == Stays::sums) return;
    const bool weights_stay = dataflow.stays() == Stays::weights;
    std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>> held;
    std::int64_t loaded = 0;
    for (std::int64_t index = 0; index < 64; ++index) {
      const std::optional<OperandBox> box = dataflow.line(pass, index);
      if (!box) continue;
      loaded += weights_stay ? box->weights() : box->inputs();
      for_each_operand(*box, [&](std::int64_t g, std::int64_t p, std::int64_t k, std::int64_t c) {
        held.emplace(g, weights_stay ? c : p, k);
      });
    }
    const std::int64_t all = pass.groups * pass.depth * (weights_stay ? pass.channels : pass.pixels);
    CHECK(loaded == all);
    CHECK(static_cast<std::int64_t>(held.size()) == all);
  });
}

TEST_CASE(
    "weights fill their place without a gap, and those that enter a systolic array together are neighbours") {
  for_random_passes([](const MacArrayConfig& array, const PassShape& pass) {
    const DataflowModel& dataflow = dataflow_model(array);
    const WeightOrder order = dataflow.weight_order(pass.groups, pass.depth, pass.channels);
    const auto positions = [&](const OperandBox& box) {
      std::set<std::int64_t> found;
      for_each_operand(box, [&](std::int64_t g, std::int64_t /*p*/, std::int64_t k, std::int64_t c) {
        found.insert(order.index(g, k, c));
      });
      return found;
    };
    const auto is_run = [](const std::set<std::int64_t>& found) {
      return *found.rbegin() - *found.begin() + 1 == static_cast<std::int64_t>(found.size());
    };
    const std::set<std::int64_t> all =
        positions({{0, pass.groups}, {0, 1}, {0, pass.depth}, {0, pass.channels}});
    CHECK(*all.begin() == 0);
    CHECK(static_cast<std::int64_t>(all.size()) == pass.groups * pass.depth * pass.channels);
    CHECK(is_run(all));
    if (dataflow.stays() == Stays::weights) {
      if (array.organization == Organization::dot_product) return;  // its columns are read across
      for (std::int64_t i = 0; i < dataflow.rows_used(pass); ++i)
        CHECK(is_run(positions(*dataflow.line(pass, i))));
      return;
    }
    for (std::int64_t s = 0; s < dataflow.steps(pass); ++s) CHECK(is_run(positions(dataflow.step(pass, s))));
  });
}

TEST_CASE("each sum of a pass has an accumulator of its own, in the columns that the pass uses") {
  for_random_passes([](const MacArrayConfig& array, const PassShape& pass) {
    const DataflowModel& dataflow = dataflow_model(array);
    const AccumulatorOrder order = dataflow.accumulator_order(pass.pixels, pass.channels);
    const std::int64_t entries = order.entries(pass.pixels, pass.channels);
    std::set<std::pair<std::int64_t, std::int64_t>> cells;
    for_each_operand({{0, pass.groups}, {0, pass.pixels}, {0, 1}, {0, pass.channels}},
                     [&](std::int64_t g, std::int64_t p, std::int64_t /*k*/, std::int64_t c) {
                       const AccumulatorCell cell = order.cell(p, g, c);
                       cells.emplace(cell.entry, cell.column);
                       CHECK((cell.entry >= 0 && cell.entry < entries));
                       CHECK((cell.column >= 0 && cell.column < dataflow.columns_used(pass)));
                     });
    CHECK(static_cast<std::int64_t>(cells.size()) == pass.groups * pass.pixels * pass.channels);
    CHECK(entries * dataflow.columns_used(pass) == static_cast<std::int64_t>(cells.size()));
  });
}

TEST_CASE("weights are read once a pass, or by a dot product whose outputs stay once a pixel") {
  for_random_passes([](const MacArrayConfig& array, const PassShape& pass) {
    const DataflowModel& dataflow = dataflow_model(array);
    if (!dataflow.streams_weights()) {
      CHECK(dataflow.weight_sweeps(pass) == 1);
      return;
    }
    std::int64_t read = 0;
    for (std::int64_t s = 0; s < dataflow.steps(pass); ++s) read += dataflow.step(pass, s).weights();
    CHECK(read == dataflow.weight_sweeps(pass) * pass.groups * pass.depth * pass.channels);
    CHECK((dataflow.weight_sweeps(pass) == 1 || dataflow.weight_sweeps(pass) == pass.pixels));
  });
}

TEST_CASE("a line buffer is of use exactly where each step takes one pixel") {
  for (const MacArrayConfig& array : test::all_arrays(8, 8)) {
    INFO(test::name_of(array));
    const DataflowModel& dataflow = dataflow_model(array);
    const PassShape pass = test::pass_of(5, 3, 2, array);
    CHECK(dataflow.pixels_stream() == (dataflow.step(pass, 0).pixels.size() == 1));
  }
}

TEST_CASE(
    "what streams moves on by a register of its width in a systolic array, and nothing in a dot product") {
  constexpr int kWeight = 4, kInput = 8, kAccumulator = 32;
  std::map<std::string, std::pair<int, int>> moving_and_sum;
  for (const MacArrayConfig& array : test::all_arrays(16, 8)) {
    const DataflowModel& dataflow = dataflow_model(array);
    moving_and_sum[test::name_of(array)] = {dataflow.moving_bits(kWeight, kInput),
                                            dataflow.sum_bits(array, kAccumulator, kWeight, kInput)};
  }
  constexpr int kTree = kWeight + kInput + 4;  // the sum of 16 products
  CHECK(moving_and_sum == std::map<std::string, std::pair<int, int>>{
                              {"weight_stationary, systolic", {kInput, kAccumulator}},
                              {"input_stationary, systolic", {kWeight, kAccumulator}},
                              {"output_stationary, systolic", {kWeight + kInput, kAccumulator}},
                              {"weight_stationary, dot product", {0, kTree}},
                              {"input_stationary, dot product", {0, kTree}},
                              {"output_stationary, dot product", {0, kTree}},
                          });
}

}  // namespace
}  // namespace qsim
