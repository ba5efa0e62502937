#include "workloads/readers/load.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"
#include "workloads/readers/workload_format.h"

namespace {

const std::string kModels = QSIM_MODELS_FOLDER;

std::string tiny(const std::string& name) {
  return R"({"name": ")" + name + R"(", "description": "One relu", "semantics": "tflite",
    "inputs": [{"name": "x", "shape": [1, 4], "scale": 1}], "layers": [{"op": "relu", "name": "y", "input": "x"}], "outputs": ["y"]})";
}

/// Makes a folder the current one for as long as it lives.
class CurrentFolder {
 public:
  explicit CurrentFolder(const std::string& path) : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(path);
  }
  CurrentFolder(const CurrentFolder&) = delete;
  CurrentFolder& operator=(const CurrentFolder&) = delete;
  ~CurrentFolder() { std::filesystem::current_path(before_); }

 private:
  std::filesystem::path before_;
};

std::int64_t total_macs(const qsim::Graph& graph) {
  std::int64_t macs = 0;
  for (const qsim::Node& node : graph.nodes) macs += qsim::mac_count(graph, node);
  return macs;
}

std::int64_t weight_count(const qsim::Graph& graph) {
  std::int64_t count = 0;
  for (const qsim::Node& node : graph.nodes) {
    if (node.inputs.size() > 1 && qsim::mac_count(graph, node) > 0 &&
        graph.tensor(node.inputs[1]).is_constant())
      count += qsim::element_count(graph.tensor(node.inputs[1]).shape);
  }
  return count;
}

}  // namespace

TEST_CASE("what ships is found by its name, with and without .json, from any folder") {
  const ScratchFolder folder;
  const CurrentFolder current(folder.path(""));
  CHECK(qsim::load_workload("resnet8", {kModels}).name == "resnet8");
  CHECK(qsim::load_workload("resnet8.json", {kModels}).name == "resnet8");
}

TEST_CASE("every name that is listed is found") {
  const ScratchFolder folder;
  qsim::write_file_atomically(folder.path("one.json"), tiny("one"));
  qsim::write_file_atomically(folder.path("two.tflite"), tiny("two"));  // content tells the format
  for (const auto& [name, description] : qsim::list_workloads({folder.path("")}))
    CHECK(qsim::load_workload(name, {folder.path("")}).name == name);
  CHECK(qsim::list_workloads({folder.path("")}).size() == 2);
}

TEST_CASE("a file in the current folder goes before what ships") {
  const ScratchFolder folder;
  const CurrentFolder current(folder.path(""));
  qsim::write_file_atomically("resnet8.json", tiny("mine"));
  CHECK(qsim::load_workload("resnet8.json", {kModels}).name == "mine");
  CHECK(qsim::load_workload("resnet8", {kModels}).name == "resnet8");
}

TEST_CASE("the first search folder that has a name wins") {
  const ScratchFolder folder;
  qsim::write_file_atomically(folder.path("resnet8.json"), tiny("first"));
  CHECK(qsim::load_workload("resnet8", {folder.path(""), kModels}).name == "first");
}

TEST_CASE("content tells the format, whatever the file is called") {
  const ScratchFolder folder;
  qsim::write_file_atomically(folder.path("model.txt"), "\n  " + tiny("t"));
  CHECK(qsim::load_workload(folder.path("model.txt"), {}).name == "t");
}

TEST_CASE("every format has a row of its own, and a file is told by content or extension") {
  std::set<std::string_view> names;
  std::set<std::string_view> extensions;
  for (const qsim::WorkloadFormat* format : qsim::workload_formats()) {
    names.insert(format->name);
    extensions.insert(format->extension);
    CHECK((format->read != nullptr && format->survey != nullptr));
  }
  CHECK(names == std::set<std::string_view>{"json", "onnx", "tflite", "scalesim"});
  CHECK(extensions.size() == names.size());

  const ScratchFolder folder;
  const auto format_of = [&](const std::string& name, const std::string& content) {
    qsim::write_file_atomically(folder.path(name), content);
    return qsim::workload_format(folder.path(name)).name;
  };
  CHECK(format_of("a.onnx", std::string("\x1c\0\0\0TFL3", 8)) == "tflite");
  CHECK(format_of("b.tflite", std::string("{\0\0\0TFL3", 8)) == "tflite");
  CHECK(format_of("c.csv", " {}") == "json");
  CHECK(format_of("d.ONNX", "\x08\x07") == "onnx");
  CHECK(format_of("e.csv", "Layer name, M,") == "scalesim");
  CHECK_THROWS_WITH(format_of("f.bin", "\x08\x07"),
                    Catch::Contains("a workload in JSON, a .onnx model, a .tflite model or a SCALE-Sim"));
}

TEST_CASE("a name that is not there is answered with what ships and the nearest name") {
  try {
    (void)qsim::load_workload("mobilenet", {kModels});
    FAIL("no error");
  } catch (const qsim::InputError& error) {
    const qsim::Problem& problem = error.problems()[0];
    CHECK(problem.expected.find("bert_base_layer, decoder_7b_decode, decoder_7b_prefill, mobilenet_v2, "
                                "resnet, resnet18, resnet50, resnet8, vgg16") != std::string::npos);
    CHECK(problem.hint.find("mobilenet_v2") != std::string::npos);
  }
}

TEST_CASE("ONNX models and other files are refused with what to do") {
  const ScratchFolder folder;
  for (const char* name : {"model.onnx", "model.bin"}) {
    qsim::write_file_atomically(folder.path(name), "\x08\x07\x12\x07pytorch");
    try {
      (void)qsim::load_workload(folder.path(name), {});
      FAIL("no error");
    } catch (const qsim::InputError& error) {
      CHECK(error.problems()[0].file == folder.path(name));
      CHECK_FALSE(error.problems()[0].hint.empty());
    }
  }
  CHECK_THROWS_AS(qsim::load_workload(folder.path(""), {}), qsim::InputError);
  CHECK_THROWS_AS(qsim::load_workload("", {kModels}), qsim::InputError);
}

TEST_CASE("workloads are listed by name with their descriptions") {
  const std::vector<qsim::ListedWorkload> listed = qsim::list_workloads({kModels});
  REQUIRE(listed.size() == 9);
  CHECK(listed[3].name == "mobilenet_v2");
  CHECK(listed[3].description.find("MobileNet") != std::string::npos);
  CHECK(qsim::list_workloads({"/no/such/folder"}).empty());
}

TEST_CASE("the networks that ship have the size of the ones they are called after") {
  struct Size {
    const char* name;
    double mega_macs, mega_weights;
  };
  // ResNet-18 and -50: torchvision's 1.814 and 4.089 GMAC, parameters without batch norms and biases;
  // MobileNetV2: 300.8 MMAC; ResNet-8 of MLPerf Tiny: 12.5 MMAC. BERT base, 128 tokens: four products by 768
  // x 768, two by 768 x 3072, and twice 12 products of 128 x 128 x 64. VGG-16: 15.47 GMAC, 138.34 M weights
  // (torchvision's without biases). A layer of 7 billion parameters: four products by 4096 x 4096, three by
  // 4096 x 11008, and for each token and key (512 x 512 or 512) two products of 4096.
  for (const Size size :
       {Size{"resnet18", 1814.07, 11.679}, Size{"resnet50", 4089.18, 25.503},
        Size{"mobilenet_v2", 300.77, 3.470}, Size{"resnet8", 12.50, 0.0774}, Size{"resnet", 16.17, 0.307},
        Size{"bert_base_layer", 931.14, 7.078}, Size{"vgg16", 15470.26, 138.344},
        Size{"decoder_7b_prefill", 105763.57, 202.375}, Size{"decoder_7b_decode", 206.57, 202.375}}) {
    CAPTURE(size.name);
    const qsim::Graph graph = qsim::load_workload(size.name, {kModels});
    CHECK(static_cast<double>(total_macs(graph)) / 1e6 == Approx(size.mega_macs).epsilon(0.001));
    CHECK(static_cast<double>(weight_count(graph)) / 1e6 == Approx(size.mega_weights).epsilon(0.002));
  }
}
