// The reader and configs/schemas/workload.schema.json know the same keys. What the reader knows is taken from
// its message about a key that it does not: 'a known key: "op", "name", ..'.
#include <algorithm>
#include <catch2/catch.hpp>
#include <regex>
#include <set>

#include "base/error.h"
#include "base/json_reader.h"
#include "workloads/readers/json/json_ops.h"
#include "workloads/readers/json/json_workload.h"

namespace {

using Json = nlohmann::ordered_json;
using Keys = std::set<std::string>;

const Json& schema() {
  static const Json json = qsim::parse_json_file(QSIM_SCHEMAS_FOLDER "/workload.schema.json");
  return json;
}

Keys schema_keys(const Json& definition) {
  Keys keys;
  for (const auto& member : definition["properties"].items()) keys.insert(member.key());
  return keys;
}

/// What the reader says it knows where `text` has the key "?".
Keys reader_keys(const std::string& text, const std::string& place) {
  Keys keys;
  try {
    (void)qsim::read_workload_json_text(text, "t.json");
  } catch (const qsim::InputError& error) {
    for (const qsim::Problem& problem : error.problems()) {
      if (problem.place != place || problem.expected.find("a known key: ") != 0) continue;
      static const std::regex kQuoted("\"([^\"]*)\"");
      for (std::sregex_iterator it(problem.expected.begin(), problem.expected.end(), kQuoted), end; it != end;
           ++it) {
        keys.insert((*it)[1]);
      }
    }
  }
  return keys;
}

std::string workload(const std::string& input, const std::string& layer, const std::string& more = "") {
  return R"({"name": "t", "semantics": "tflite", )" + more +
         R"("inputs": [{"name": "x", "shape": [1, 2, 2, 4], "scale": 1)" + input + R"(}], "layers": [)" +
         layer + R"(], "outputs": ["y"]})";
}

std::string conv(const std::string& weights, const std::string& bias, const std::string& output) {
  return R"({"op": "conv2d", "name": "y", "input": "x", "weights": {"shape": [2, 1, 1, 4], "scale": 1)" +
         weights + R"(}, "bias": {)" + bias + R"(}, "output": {"scale": 1)" + output + "}}";
}

}  // namespace

TEST_CASE("the operations of the schema are those of the rows") {
  INFO("ninja qsim_write_workload_schema, then run it with configs/schemas/workload.schema.json");
  CHECK(qsim::with_operations(schema()).dump(2) == schema().dump(2));
}

TEST_CASE("every operation of the schema has the reader's keys") {
  std::size_t operations = 0;
  for (const Json& choice : schema()["properties"]["layers"]["items"]["oneOf"]) {
    const std::string op = choice["$ref"].get<std::string>().substr(std::string("#/$defs/").size());
    CAPTURE(op);
    const std::string layer = R"({"op": ")" + op + R"(", "name": "y", "?": 0})";
    CHECK(schema_keys(schema()["$defs"][op]) == reader_keys(workload("", layer), "layers[0].?"));
    ++operations;
  }
  const auto names = [] {
    try {
      (void)qsim::read_workload_json_text(workload("", R"({"op": "?", "name": "y"})"), "t.json");
    } catch (const qsim::InputError& error) {
      return error.problems()[0].expected;
    }
    return std::string();
  }();
  CHECK(static_cast<std::size_t>(std::count(names.begin(), names.end(), '"')) == 2 * operations);
}

TEST_CASE("the top level, inputs and outputs of the schema have the reader's keys") {
  CHECK(schema_keys(schema()) == reader_keys(workload("", "", R"("?": 0, )"), "?"));
  CHECK(schema_keys(schema()["$defs"]["input"]) == reader_keys(workload(R"(, "?": 0)", ""), "inputs[0].?"));
  // "shape" is read where it is.
  CHECK(schema_keys(schema()["$defs"]["output"]["oneOf"][1]) ==
        reader_keys(workload("", conv("", "", R"(, "shape": [1, 2, 2, 2], "?": 0)")), "layers[0].output.?"));
}

TEST_CASE("constants of the schema have the reader's keys") {
  const auto all = [](const auto& keys_with) {
    Keys keys;
    for (const char* source : {"", R"("values": [], )", R"("generator": "uniform", )"})
      keys.merge(keys_with(std::string(source)));
    return keys;
  };
  CHECK(schema_keys(schema()["$defs"]["constant"]) == all([](const std::string& source) {
          return reader_keys(workload("", conv(", " + source + R"("?": 0)", "", "")), "layers[0].weights.?");
        }));
  CHECK(schema_keys(schema()["$defs"]["bias"]["oneOf"][1]) == all([](const std::string& source) {
          return reader_keys(workload("", conv("", source + R"("?": 0)", "")), "layers[0].bias.?");
        }));
}

TEST_CASE("the tensor sources of the schema have the reader's keys") {
  const Json& choices = schema()["properties"]["tensors"]["oneOf"];
  CHECK(schema_keys(choices[1]) == reader_keys(workload("", "", R"("tensors": {"?": 0}, )"), "tensors.?"));
  CHECK(schema_keys(choices[2]) ==
        reader_keys(workload("", "", R"("tensors": {"file": "none", "?": 0}, )"), "tensors.?"));
}
