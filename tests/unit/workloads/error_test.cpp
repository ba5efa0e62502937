#include "workloads/error.h"

#include <catch2/catch.hpp>

using qsim::InputError;
using qsim::Problem;

TEST_CASE("a problem prints as file, place, value, expectation and hint") {
  const Problem problem{"npu.json", "mac_array.rows", "0", "1 to 4096", "use 32"};
  CHECK(problem.to_string() == "npu.json: mac_array.rows: got 0, expected 1 to 4096; use 32");
}

TEST_CASE("parts that are empty leave no separator behind") {
  CHECK(Problem{"a.json", "", "", "a file", ""}.to_string() == "a.json: expected a file");
  CHECK(Problem{"", "--set", "x", "", ""}.to_string() == "--set: got x");
  CHECK(Problem{"a.json", "rows", "", "", "remove it"}.to_string() == "a.json: rows: remove it");
}

TEST_CASE("all problems travel together, a line each") {
  const InputError error(std::vector<Problem>{{"a", "b", "1", "2", ""}, {"a", "c", "3", "4", ""}});
  CHECK(error.problems().size() == 2);
  CHECK(std::string(error.what()) == "a: b: got 1, expected 2\na: c: got 3, expected 4");
}
