// The row of ONNX models, and the survey of their nodes.
#include <filesystem>

#include "workloads/readers/onnx/model_reader.h"
#include "workloads/readers/onnx/onnx_model.h"
#include "workloads/readers/onnx/onnx_reader.h"
#include "workloads/readers/support_parts.h"
#include "workloads/readers/workload_format.h"

namespace qsim {
namespace {

using Kind = onnx_format::NodeOutcome::Kind;

NodeSupport support_of(OnnxNode& node, onnx_format::NodeOutcome& outcome) {
  NodeSupport support;
  support.name = std::move(node.name);
  support.op = std::move(node.op_type);
  support.domain = std::move(node.domain);
  support.place = std::move(node.place);
  support.problems = std::move(outcome.problems);
  support.remarks = std::move(outcome.remarks);
  if (outcome.kind == Kind::folded || outcome.kind == Kind::absorbed) support.status = NodeStatus::folded;
  if (outcome.kind == Kind::refused) support.status = NodeStatus::unsupported;
  if (outcome.kind == Kind::hidden)
    support.remarks.emplace_back("not checked further: a problem elsewhere hides its inputs");
  if (outcome.graph_nodes.empty()) return support;
  support.graph_node = outcome.graph_nodes.front();
  support.inserted_nodes.assign(outcome.graph_nodes.begin() + 1, outcome.graph_nodes.end());
  return support;
}

WorkloadSurvey survey_onnx(const std::string& path, const ReadOptions& options) {
  OnnxModel model = read_onnx_model(path);
  onnx_format::ModelReading reading = onnx_format::read_model(model, options);
  WorkloadSurvey survey;
  survey.name = reading.graph.name;
  survey.problems = std::move(reading.problems);
  for (std::size_t i = 0; i < model.nodes.size(); ++i)
    survey.nodes.push_back(support_of(model.nodes[i], reading.nodes[i]));
  if (survey.nodes.empty())
    survey.problems.push_back({path, "graph", "no nodes", "at least one", "export the model again"});
  finish_survey(survey, std::move(reading.graph), {});
  return survey;
}

}  // namespace

const WorkloadFormat& onnx_workload_format() {
  static constexpr WorkloadFormat kFormat{.name = "onnx",
                                          .title = "ONNX",
                                          .extension = ".onnx",
                                          .short_name = ".onnx",
                                          .phrase = "a .onnx model",
                                          .remedy = "change it in the model and convert it again",
                                          .has_open_shapes = true,
                                          .read = read_onnx,
                                          .survey = survey_onnx};
  return kFormat;
}

}  // namespace qsim
