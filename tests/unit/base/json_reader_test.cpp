#include "base/json_reader.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <limits>

#include "tests/unit/base/scratch_folder.h"

using qsim::InputError;
using qsim::JsonObject;
using qsim::Problem;
using qsim::ProblemList;

namespace {

std::vector<Problem> problems_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.problems();
  }
  return {};
}

std::vector<Problem> parse_problems(const std::string& text) {
  return problems_of([&] { (void)qsim::parse_json_text(text, "f.json"); });
}

/// Reads `text` with `read` and returns what was wrong with it.
std::vector<Problem> read_problems(const std::string& text, const std::function<void(JsonObject&)>& read) {
  return problems_of([&] {
    const auto json = qsim::parse_json_text(text, "f.json");
    ProblemList problems("f.json");
    JsonObject object(json, "", problems);
    read(object);
    object.finish();
    problems.throw_if_any();
  });
}

}  // namespace

TEST_CASE("a well-formed text is read in the order in which it is written") {
  const auto json =
      qsim::parse_json_text(R"({"z": [1, -2, 2.5], "a": {"b": null, "c": true}, "s": "x\u00e9"})", "f");
  CHECK(json.dump() == R"({"z":[1,-2,2.5],"a":{"b":null,"c":true},"s":"xé"})");
}

TEST_CASE("a syntax error is reported with line and column") {
  const auto problems = parse_problems("{\n  \"a\": 1,\n  \"b\" 2\n}\n");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].file == "f.json");
  CHECK(problems[0].place == "line 3, column 7");
  CHECK(problems[0].expected.find("':'") != std::string::npos);
}

TEST_CASE("a duplicate key is reported where it stands the second time") {
  const auto problems = parse_problems("{\"a\": 1,\n \"b\": {\"a\": 2}, \"a\": 3}");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].value == "\"a\"");
  CHECK(problems[0].place == "line 2, column 19");
}

TEST_CASE("the same key in two objects is no duplicate") {
  CHECK(parse_problems(R"([{"a":1},{"a":1}])").empty());
}

TEST_CASE("nesting is read up to 64 levels and refused at 65") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse_problems(nested(64)).empty());
  const auto problems = parse_problems(nested(65));
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].place == "line 1, column 65");
  CHECK(problems[0].expected == "at most 64 levels of nesting");
}

TEST_CASE("what is not JSON is refused") {
  const std::string text = GENERATE(as<std::string>{}, "", " ", "NaN", "[Infinity]", "[-Infinity]", "[1e999]",
                                    "[01]", "{\"a\":1,}", "[1] 2", "{", "\"\x01\"", "\"\xff\"",
                                    "[1, /* two */ 2]", "'a'", "{\"a\"", "[\"\\u12\"]");
  CAPTURE(text);
  const auto problems = parse_problems(text);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].place.find("line 1") == 0);
  CHECK_FALSE(problems[0].expected.empty());
}

TEST_CASE("integers are exact, inside the range and never strings, booleans or fractions") {
  const auto read = [](const std::string& value) {
    std::int64_t number = -1;
    const auto problems =
        read_problems("{\"n\": " + value + "}", [&](JsonObject& o) { number = o.integer("n", 1, 8); });
    return problems.empty() ? std::optional(number) : std::nullopt;
  };
  CHECK(read("8") == 8);
  CHECK(read("8.0") == 8);
  CHECK(read("1e0") == 1);
  for (const char* wrong :
       {"9", "0", "8.5", "\"8\"", "true", "null", "[8]", "1e30", "18446744073709551615"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read(wrong).has_value());
  }
}

TEST_CASE("the largest and the smallest integer are read exactly") {
  const auto any = [](const std::string& value) {
    std::int64_t number = 0;
    const auto limits = std::numeric_limits<std::int64_t>();
    CHECK(read_problems("{\"n\": " + value + "}", [&](JsonObject& o) {
            number = o.integer("n", limits.min(), limits.max());
          }).empty());
    return number;
  };
  CHECK(any("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(any("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("all problems of a file are reported together, with path, value and what was expected") {
  const auto problems = read_problems(
      R"({"rows": 0, "cols": "four", "style": "fixd", "inner": {"x": 1}, "rowz": 3})", [](JsonObject& o) {
        CHECK(o.integer("rows", 1, 1024) == 0);
        CHECK(o.integer("cols", 1, 1024, 7) == 7);
        CHECK(o.choice("style", {"fixed", "native"}, "native") == 1);
        JsonObject inner = o.object("inner");
        CHECK(inner.number("y", 0, 1) == 0.0);
        inner.finish();
      });
  REQUIRE(problems.size() == 6);
  CHECK(problems[0].place == "rows");
  CHECK(problems[0].value == "0");
  CHECK(problems[0].expected == "an integer from 1 to 1024");
  CHECK(problems[1].value == "\"four\"");
  CHECK(problems[2].hint == "did you mean \"fixed\"?");
  CHECK(problems[3].place == "inner.y");
  CHECK(problems[3].value == "nothing");
  CHECK(problems[4].place == "inner.x");
  CHECK(problems[5].place == "rowz");
  CHECK(problems[5].hint == "did you mean \"rows\"?");
}

TEST_CASE("a child that is not an object is a problem and reads as empty") {
  const auto problems = read_problems(R"({"dram": 3})", [](JsonObject& o) {
    JsonObject child = o.object("dram");
    CHECK(child.integer("banks", 1, 8, 4) == 4);
    child.finish();
  });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].place == "dram");
}

TEST_CASE("a wrong entry of a list is reported at its index") {
  const auto problems = read_problems(R"({"shape": [1, 2, "3", 4]})",
                                      [](JsonObject& o) { CHECK(o.integers("shape", 1, 100).empty()); });
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].place == "shape[2]");
}

TEST_CASE("fallbacks stand in for absent keys only") {
  CHECK(read_problems(R"({"b": false, "s": "t", "n": 0.5, "l": [3]})", [](JsonObject& o) {
          CHECK(o.boolean("b", true) == false);
          CHECK(o.boolean("absent_b", true) == true);
          CHECK(o.string("s", "u") == "t");
          CHECK(o.string("absent_s", "u") == "u");
          CHECK(o.number("n", 0, 1, 0.25) == 0.5);
          CHECK(o.number("absent_n", 0, 1, 0.25) == 0.25);
          CHECK(o.integers("l", 0, 9, std::vector<std::int64_t>{1}) == std::vector<std::int64_t>{3});
          CHECK(o.integers("absent_l", 0, 9, std::vector<std::int64_t>{1}) == std::vector<std::int64_t>{1});
          CHECK(o.has("s"));
          CHECK_FALSE(o.has("absent_s"));
        }).empty());
}

TEST_CASE("the nearest name is at most three edits away and shares something with the word") {
  CHECK(qsim::nearest_name("conv2", {"conv2d", "concat"}) == "conv2d");
  CHECK(qsim::nearest_name("ocnv2d", {"conv2d", "concat"}) == "conv2d");
  CHECK(qsim::nearest_name("Conv2D", {"conv2d"}) == "conv2d");
  CHECK(qsim::nearest_name("matmul", {"conv2d", "softmax"}).empty());
  CHECK(qsim::nearest_name("a", {"b", "c"}).empty());
}

TEST_CASE("a file that is missing, a folder or too large is bad input") {
  const ScratchFolder folder;
  CHECK(problems_of([&] { (void)qsim::parse_json_file(folder.path("none.json")); }).size() == 1);
  CHECK(problems_of([&] { (void)qsim::parse_json_file(folder.path("")); }).size() == 1);
  std::ofstream(folder.path("ten.json")) << "[1,2,3,45]";
  CHECK(problems_of([&] { (void)qsim::parse_json_file(folder.path("ten.json"), 9); }).size() == 1);
  CHECK(qsim::parse_json_file(folder.path("ten.json"), 10).size() == 4);
}
