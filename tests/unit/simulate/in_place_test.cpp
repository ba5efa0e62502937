// Outputs of the vector unit lie where their inputs lay, and hold what they hold elsewhere.
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <string>

#include "sim/compiler/in_place.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/schedule.h"
#include "tests/unit/simulate/draws.h"
#include "tests/unit/simulate/runs.h"
#include "tests/unit/simulate/same_run.h"

namespace qsim {
namespace {

/// Operations of the rows whose outputs take the place of an input.
std::set<std::string> in_place_operations(const RunResult& run) {
  std::set<std::string> found;
  for (const MemoryRange& range : run.memory_map.activation_buffer.ranges) {
    if (range.use == MemoryUse::in_place) found.insert(run.layers[range.first_row].op);
  }
  return found;
}

TEST_CASE("tensors in the place of what they are made from have the same values") {
  std::set<std::string> found;
  for (test::RandomPair& made : test::random_pairs(test::draws(160), 71'000)) {
    INFO("seed " << made.seed);
    const RunResult tile = test::run_with(made, Values::tile);
    test::check_same_values(test::run_with(made, Values::layer), tile);
    found.merge(in_place_operations(tile));
  }
  // Element by element of one input and of two, and by rows of channels.
  CAPTURE(found);
  CHECK(found.size() >= 3);
  for (const std::string moves : {"transpose", "slice", "pad", "concat", "max_pool2d", "resize"})
    CHECK(!found.contains(moves));
}

TEST_CASE("a place is taken only where each element is read before it is written") {
  const auto replaceable = [](const Dims& input, const Dims& stride, const Dims& offset, int bits) {
    VectorProblem problem;
    problem.function = arithmetic::UnaryFunction{arithmetic::CopyFunction{}};
    problem.extent = {1, 4, 4, 8};
    problem.output = {problem.extent, dense_layout(problem.extent, {8, true}, 0)};
    VectorInput from;
    from.tensor = {input, dense_layout(input, {bits, true}, 0)};
    from.stride = stride;
    from.offset = offset;
    problem.inputs = {from};
    LoweredRow row;
    row.problems = {std::make_shared<const VectorProblem>(problem)};
    row.inputs = {{7}};
    return replaceable_inputs(row);
  };
  constexpr Dims kOnes{1, 1, 1, 1};
  CHECK(replaceable({1, 4, 4, 8}, kOnes, {}, 8) == std::vector{7});
  CHECK(replaceable({1, 4, 4, 8}, kOnes, {0, 1, 0, 0}, 8).empty());  // shifted
  CHECK(replaceable({1, 8, 8, 8}, {1, 2, 2, 1}, {}, 8).empty());     // strided
  CHECK(replaceable({1, 4, 4, 8}, {1, 0, 0, 1}, {}, 8).empty());     // broadcast
  CHECK(replaceable({1, 4, 4, 8}, kOnes, {}, 4).empty());            // another width
}

}  // namespace
}  // namespace qsim
