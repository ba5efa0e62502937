// What is wrong with a workload is reported with its JSON path, all of it at once.
#include <algorithm>
#include <catch2/catch.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"
#include "workloads/formats/safetensors.h"
#include "workloads/readers/json/json_workload.h"

using qsim::Problem;

namespace {

std::vector<Problem> problems_of(const std::string& text, const std::string& path = "t.json") {
  try {
    (void)qsim::read_workload_json_text(text, path);
  } catch (const qsim::InputError& error) {
    return error.problems();
  }
  return {};
}

/// A workload around these layers, with an int8 input "x" of 1x8x8x4.
std::vector<Problem> layer_problems(const std::string& layers, const std::string& more = "") {
  return problems_of(
      R"({"name": "t", "semantics": "tflite", "inputs": [{"name": "x", "shape": [1, 8, 8, 4], "scale": 0.5}],)" +
      more + R"("layers": [)" + layers + R"(], "outputs": ["y"]})");
}

Problem only_problem(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) UNSCOPED_INFO(problem.to_string());
  REQUIRE(problems.size() == 1);
  return problems[0];
}

/// A convolution "y" with this description of its weights.
std::string conv(const std::string& weights) {
  return R"({"op": "conv2d", "name": "y", "input": "x", "weights": )" + weights +
         R"(, "output": {"scale": 1}})";
}

}  // namespace

TEST_CASE("an empty object lacks every required key") {
  std::vector<std::string> places;
  for (const Problem& problem : problems_of("{}")) places.push_back(problem.place);
  CHECK(places == std::vector<std::string>{"name", "semantics", "inputs", "layers", "outputs"});
}

TEST_CASE("an unknown operation is named with the nearest one, and what follows from it is not") {
  const Problem problem = only_problem(layer_problems(
      R"({"op": "conv2", "name": "a", "input": "x", "weights": 3}, {"op": "relu", "name": "y", "input": "a"})"));
  CHECK(problem.place == "layers[0].op");
  CHECK(problem.hint == "did you mean \"conv2d\"?");
}

TEST_CASE("unknown keys are named with the nearest one") {
  const Problem problem = only_problem(
      layer_problems(R"({"op": "max_pool2d", "name": "y", "input": "x", "kernel": 2, "strides": 2})"));
  CHECK(problem.place == "layers[0].strides");
  CHECK(problem.hint == "did you mean \"stride\"?");
}

TEST_CASE("an input that leads nowhere is named with the nearest tensor") {
  const Problem problem = only_problem(layer_problems(
      R"({"op": "relu", "name": "conv1", "input": "x"}, {"op": "relu", "name": "y", "input": "conv2"})"));
  CHECK(problem.place == "layers[1].input");
  CHECK(problem.hint == "did you mean \"conv1\"?");
}

TEST_CASE("a cycle is named, once") {
  const Problem problem =
      only_problem(layer_problems(R"({"op": "add", "name": "a", "inputs": ["x", "c"], "output": {"scale": 1}},
                        {"op": "relu", "name": "b", "input": "a"}, {"op": "relu", "name": "c", "input": "b"},
                        {"op": "relu", "name": "y", "input": "c"})"));
  CHECK(problem.value == "\"b\" -> \"c\" -> \"a\" -> \"b\"");
}

TEST_CASE("a layer that needs itself is a cycle") {
  CHECK(only_problem(layer_problems(R"({"op": "relu", "name": "y", "input": "y"})")).value ==
        "\"y\" -> \"y\"");
}

TEST_CASE("names are used once") {
  CHECK(only_problem(
            layer_problems(
                R"({"op": "relu", "name": "y", "input": "x"}, {"op": "relu", "name": "y", "input": "x"})"))
            .place == "layers[1].output");
  CHECK(only_problem(
            layer_problems(
                R"({"op": "relu", "name": "x", "input": "x"}, {"op": "relu", "name": "y", "input": "x"})"))
            .place == "layers[0].output");
}

TEST_CASE("scales are positive and finite as float32") {
  for (const char* scale : {"0", "-1", "1e39", "1e-50", "\"1\"", "null", "[]", "[0.1, 0]", "true"}) {
    CAPTURE(scale);
    const auto problems =
        layer_problems(conv(R"({"shape": [2, 1, 1, 4], "axis": 0, "scale": )" + std::string(scale) + "}"));
    REQUIRE_FALSE(problems.empty());
    CHECK(problems[0].place == "layers[0].weights.scale");
  }
}

TEST_CASE("quantization stays inside its limits") {
  const auto place = [](const std::string& weights) {
    return only_problem(layer_problems(conv(weights))).place;
  };
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": 1, "bits": 0})") == "layers[0].weights.bits");
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": 1, "bits": 17})") == "layers[0].weights.bits");
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": 1, "zero_point": 128})") == "layers[0].weights.zero_point");
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": 1, "signed": false, "zero_point": -1})") ==
        "layers[0].weights.zero_point");
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": 1, "axis": 4})") == "layers[0].weights.axis");
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": [1, 2, 3], "axis": 0})") == "layers[0].weights.scale");
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": [1, 2]})") == "layers[0].weights.axis");
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": 1, "group_size": 3})") == "layers[0].weights.group_size");
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": [1, 2], "group_size": 2})") == "layers[0].weights.scale");
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": [1, 2, 3, 0], "group_size": 2})") ==
        "layers[0].weights.scale");
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": 1, "group_size": 2, "group_multipliers": [1, 2, 3]})") ==
        "layers[0].weights.group_multipliers");
  CHECK(place(R"({"shape": [2, 1, 1, 4], "scale": 1, "group_size": 2, "zero_point": [1, 2, 3]})") ==
        "layers[0].weights.zero_point");
}

TEST_CASE("shapes that do not fit are reported where they are used") {
  CHECK(only_problem(layer_problems(conv(R"({"shape": [2, 1, 1, 5], "scale": 1})"))).place == "layers[0]");
  CHECK(only_problem(layer_problems(conv(R"({"shape": [2, 9, 9, 4], "scale": 1})"))).place == "layers[0]");
  CHECK(only_problem(layer_problems(conv(R"({"shape": [2, 0, 1, 4], "scale": 1})"))).place ==
        "layers[0].weights.shape[1]");
  CHECK(only_problem(layer_problems(R"({"op": "reshape", "name": "y", "input": "x", "shape": [3, -1]})"))
            .place == "layers[0]");
  CHECK(only_problem(
            layer_problems(R"({"op": "relu", "name": "y", "input": "x", "output": {"shape": [1, 8, 8, 5]}})"))
            .place == "layers[0].output.shape");
}

TEST_CASE("sizes that overflow are refused before anything is allocated") {
  CHECK(only_problem(layer_problems(conv(R"({"shape": [1000000, 1000, 1000, 4], "scale": 1})"))).place ==
        "layers[0].weights.shape");
  CHECK(only_problem(layer_problems(
                         conv(R"({"shape": [1000000000, 1000000000, 1000000000, 1000000000], "scale": 1})")))
            .place == "layers[0].weights.shape");
  // Padding that makes an output of 2^40 elements.
  CHECK(
      only_problem(
          layer_problems(
              R"({"op": "pad", "name": "y", "input": "x", "before": [0, 1000000, 1000000, 0], "after": [0, 0, 0, 0]})"))
          .place == "layers[0]");
  std::string layers;
  for (int i = 0; i < 10; ++i) {
    layers +=
        R"({"op": "fully_connected", "name": "f)" + std::to_string(i) +
        R"(", "input": "x", "weights": {"shape": [4194304, 256], "scale": 1}, "output": {"scale": 1}},)";
  }
  // Nine times 2^30 bytes; the limit is 2^33.
  const Problem problem =
      only_problem(layer_problems(layers + R"({"op": "relu", "name": "y", "input": "x"})"));
  CHECK(problem.place == "layers[8].weights");
}

TEST_CASE("operations that keep their input's integers do not take another quantization") {
  const Problem problem = only_problem(layer_problems(
      R"({"op": "max_pool2d", "name": "y", "input": "x", "kernel": 2, "output": {"scale": 0.25}})"));
  CHECK(problem.place == "layers[0].output");
  CHECK(only_problem(
            layer_problems(R"({"op": "softmax", "name": "y", "input": "x", "output": {"scale": 0.1}})"))
            .hint == "\"tflite\" semantics fixes it; \"override\": true where the model says otherwise");
}

TEST_CASE("values in the file are counted and stay inside their width") {
  CHECK(only_problem(layer_problems(conv(R"({"shape": [1, 1, 1, 4], "scale": 1, "values": [1, 2, 3]})")))
            .place == "layers[0].weights.values");
  CHECK(only_problem(
            layer_problems(conv(R"({"shape": [1, 1, 1, 4], "bits": 4, "scale": 1, "values": [1, 2, 8, 3]})")))
            .value == "element 2 = 8");
}

TEST_CASE("tensor files that are missing, or hold something else, are reported with the tensor") {
  const ScratchFolder folder;
  const auto problems = [&](const std::string& tensors) {
    return problems_of(
        R"({"name": "t", "semantics": "tflite", "tensors": )" + tensors +
            R"(, "inputs": [{"name": "x", "shape": [1, 1, 1, 4], "scale": 0.5}], "layers": [)" +
            conv(R"({"shape": [2, 1, 1, 4], "bits": 4, "scale": 1})") + R"(], "outputs": ["y"]})",
        folder.path("t.json"));
  };
  CHECK(only_problem(problems("\"none.safetensors\"")).place == "tensors");
  const auto write = [&](const std::string& name, qsim::ElementType type, const qsim::Shape& shape,
                         std::int64_t value) {
    qsim::TensorData data(type, shape);
    data.set(0, value);
    const std::vector<qsim::FileTensor> tensors{{name, data}};
    qsim::write_safetensors(folder.path("t.safetensors"), tensors, {});
  };
  write("y.weight", qsim::ElementType::i8, {2, 1, 1, 4}, 0);
  const Problem missing = only_problem(problems("\"t.safetensors\""));
  CHECK(missing.place == "layers[0].weights");
  CHECK(missing.hint.find("\"y.weight\"") != std::string::npos);
  write("y.weights", qsim::ElementType::i16, {2, 1, 1, 4}, 0);
  CHECK(only_problem(problems("\"t.safetensors\"")).value.find("I16") == 0);
  write("y.weights", qsim::ElementType::i8, {4, 1, 1, 2}, 0);
  CHECK(only_problem(problems("{\"file\": \"t.safetensors\"}")).value.find("I8 of shape 4x1x1x2") == 0);
  write("y.weights", qsim::ElementType::i8, {2, 1, 1, 4}, 8);
  CHECK(only_problem(problems("\"t.safetensors\"")).value == "element 0 = 8");
  write("y.weights", qsim::ElementType::i8, {2, 1, 1, 4}, -8);
  CHECK(problems("\"t.safetensors\"").empty());
}

TEST_CASE("outputs name tensors, each once") {
  const std::string head =
      R"({"name": "t", "semantics": "tflite", "inputs": [{"name": "x", "shape": [1, 4], "scale": 1}],
                              "layers": [{"op": "relu", "name": "y", "input": "x"}], "outputs": )";
  CHECK(only_problem(problems_of(head + R"(["z"]})")).place == "outputs[0]");
  CHECK(only_problem(problems_of(head + R"(["y", "y"]})")).place == "outputs[1]");
  CHECK(only_problem(problems_of(head + R"([]})")).place == "outputs");
  CHECK(only_problem(problems_of(head + R"([3]})")).place == "outputs[0]");
}

TEST_CASE("many problems come together") {
  const auto problems = layer_problems(
      R"({"op": "conv2d", "name": "a", "input": "nowhere", "stride": 0, "weights": {"shape": [2, 1, 1], "scale": -1}, "output": {"scale": 1}},
                                          {"op": "mean", "name": "b", "input": "x", "axes": [7], "output": {"bits": 99, "scale": 1}},
                                          {"op": "softmax", "name": "y", "input": "x", "beta": "hot"}, 5)");
  std::vector<std::string> places;
  for (const Problem& problem : problems) places.push_back(problem.place);
  for (const char* place : {"layers[0].input", "layers[0].stride", "layers[0].weights.scale",
                            "layers[1].axes[0]", "layers[1].output.bits", "layers[2].beta", "layers[3]"}) {
    CAPTURE(place);
    CHECK(std::find(places.begin(), places.end(), place) != places.end());
  }
}
