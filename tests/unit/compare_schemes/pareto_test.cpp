#include "sim/compare_schemes/pareto.h"

#include <catch2/catch.hpp>

namespace qsim {

TEST_CASE("a point dominates where it is nowhere worse and somewhere better") {
  CHECK(dominates({1, 2, 3}, {1, 2, 4}));
  CHECK(dominates({0, 0, 0}, {1, 1, 1}));
  CHECK_FALSE(dominates({1, 2, 3}, {1, 2, 3}));
  CHECK_FALSE(dominates({1, 2, 3}, {2, 1, 3}));
  CHECK_FALSE(dominates({1, 2, 4}, {1, 2, 3}));
}

TEST_CASE("the front has what nothing dominates, equal points together, and no absent ones") {
  CHECK(pareto_front({}).empty());
  const std::vector<std::optional<ParetoPoint>> points{
      ParetoPoint{3, 3, 1}, ParetoPoint{1, 3, 3}, ParetoPoint{1, 3, 3}, ParetoPoint{3, 3, 2}, std::nullopt};
  CHECK(pareto_front(points) == std::vector<bool>{true, true, true, false, false});
  // Two figures of three make no point worse where the third is better.
  CHECK(pareto_front({ParetoPoint{9, 9, 0}, ParetoPoint{1, 1, 1}}) == std::vector<bool>{true, true});
}

}  // namespace qsim
