#include "workloads/readers/tflite/tflite_reader.h"

#include <flatbuffers/base.h>

#include <filesystem>

#include "base/error.h"
#include "base/read_file.h"
#include "workloads/readers/support_parts.h"
#include "workloads/readers/tflite/graph_builder.h"
#include "workloads/readers/tflite/operator_table.h"
#include "workloads/readers/workload_format.h"

namespace qsim {
namespace {

/// FlatBuffers address 31 bits; data behind them is not read from larger files.
constexpr std::int64_t kMaxFileBytes = FLATBUFFERS_MAX_BUFFER_SIZE - 1;

std::vector<std::byte> read_model_file(const std::string& path) {
  return read_file(path, {"a .tflite file that can be read", kMaxFileBytes, "split the network"});
}

/// The operator's own node is the one that writes its first output.
void add_nodes(NodeSupport& support, const tflite::ConvertedModel& model, std::size_t index) {
  const tflite::ConvertedOperator& op = model.operators[index];
  for (std::size_t n = op.first_node; n < op.end_node; ++n) {
    if (model.graph.nodes[n].outputs[0] == op.first_output) {
      support.graph_node = n;
    } else {
      support.inserted_nodes.push_back(n);
    }
  }
}

}  // namespace

Graph read_tflite(const std::string& path) {
  const std::vector<std::byte> bytes = read_model_file(path);
  const tflite::Model model = tflite::read_model(bytes, path);
  Graph graph = tflite::GraphBuilder(model).build();
  graph.name = std::filesystem::path(path).stem().string();
  validate(graph);
  return graph;
}

namespace {

WorkloadSurvey survey_tflite(const std::string& path, const ReadOptions& /*options*/) {
  const std::vector<std::byte> bytes = read_model_file(path);
  const tflite::Model model = tflite::read_model(bytes, path);
  tflite::ConvertedModel converted = tflite::GraphBuilder(model).convert();
  WorkloadSurvey survey;
  survey.name = std::filesystem::path(path).stem().string();
  survey.problems = std::move(converted.problems);
  for (std::size_t i = 0; i < model.operators.size(); ++i) {
    const tflite::ModelOperator& op = model.operators[i];
    tflite::ConvertedOperator& found = converted.operators[i];
    NodeSupport support;
    support.name = model.tensors[static_cast<std::size_t>(op.outputs[0])].name;
    support.op = op.code == tflite::kCustomOperator ? "custom operator \"" + op.custom_name + '"' : op.name;
    support.place = op.place;
    support.status = found.is_folded ? NodeStatus::folded : NodeStatus::supported;
    support.problems = std::move(found.problems);
    add_nodes(support, converted, i);
    survey.nodes.push_back(std::move(support));
  }
  converted.graph.name = survey.name;
  finish_survey(survey, std::move(converted.graph), {});
  return survey;
}

/// The file identifier of a FlatBuffer stands behind the offset of its root table.
bool begins_as_tflite(std::string_view start) {
  return start.size() >= 8 && start.substr(4, 4) == "TFL3";
}

std::string describe_tflite(const std::string& /*path*/) {
  return "TFLite model";
}

}  // namespace

const WorkloadFormat& tflite_workload_format() {
  static constexpr WorkloadFormat kFormat{
      .name = "tflite",
      .title = "TFLite",
      .extension = ".tflite",
      .short_name = ".tflite",
      .phrase = "a .tflite model",
      .remedy = "change it in the model and convert it again",
      .begins_as = begins_as_tflite,
      .describe = describe_tflite,
      .read = [](const std::string& path, const ReadOptions& /*options*/) { return read_tflite(path); },
      .survey = survey_tflite};
  return kFormat;
}

}  // namespace qsim
