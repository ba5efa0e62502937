#include "base/error.h"

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

TEST_CASE("a message is one line of printable text whatever the names are") {
  const Problem problem{"a\nb", "tensor \"\x1b[2J\"", "\xff", "no \t", "\xe2\x80\xae"};
  CHECK(problem.to_string() == R"(a\nb: tensor "\x1b[2J": got \xff, expected no \t; \u{202e})");
}

TEST_CASE("long parts are shortened in the middle") {
  const std::string name(100'000, 'n');
  const std::string line = Problem{"file", name, name, "less", "shorten it"}.to_string();
  CHECK(line.size() < 1'000);
  CHECK(line.find("nn ... nn") != std::string::npos);
  CHECK(line.ends_with(", expected less; shorten it"));
}

TEST_CASE("of very many problems the first are listed and the rest is counted") {
  std::vector<Problem> problems(qsim::kMostListedProblems + 3'217, Problem{"f", "p", "1", "2", ""});
  const InputError error(problems);
  CHECK(error.problems().size() == qsim::kMostListedProblems);
  CHECK(error.omitted() == 3'217);
  REQUIRE(error.lines().size() == qsim::kMostListedProblems + 1);
  CHECK(error.lines().back() == "... and 3,217 more");
  CHECK(std::string(error.what()).ends_with("\n... and 3,217 more"));
}

TEST_CASE("a collector keeps as many problems as are listed, and counts those of other files") {
  qsim::ProblemCollector collector;
  CHECK_NOTHROW(collector.throw_if_any());
  for (std::size_t i = 0; i < qsim::kMostListedProblems - 1; ++i)
    collector.add(Problem{"a", "", "1", "2", ""});
  CHECK_FALSE(collector.is_full());
  collector.add(InputError({Problem{"b", "", "1", "2", ""}, Problem{"b", "", "3", "4", ""}}, 10));
  CHECK(collector.is_full());
  CHECK(collector.all().size() == qsim::kMostListedProblems);
  try {
    collector.throw_if_any();
    FAIL("no error");
  } catch (const InputError& error) {
    CHECK(error.omitted() == 11);  // One of b's two, and the ten that b had left out.
  }
}
