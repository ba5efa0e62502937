// Nodes of an ONNX model, as the reader takes them.
#include <filesystem>

#include "workloads/readers/onnx/model_reader.h"
#include "workloads/readers/onnx/onnx_model.h"
#include "workloads/readers/support_parts.h"

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

}  // namespace

WorkloadSurvey survey_onnx(const std::string& path, const InputShapes& shapes) {
  OnnxModel model = read_onnx_model(path);
  onnx_format::ModelReading reading = onnx_format::read_model(model, {shapes});
  WorkloadSurvey survey;
  survey.format = WorkloadFormat::onnx;
  survey.name = reading.graph.name;
  survey.problems = std::move(reading.problems);
  for (std::size_t i = 0; i < model.nodes.size(); ++i)
    survey.nodes.push_back(support_of(model.nodes[i], reading.nodes[i]));
  if (survey.nodes.empty())
    survey.problems.push_back({path, "graph", "no nodes", "at least one", "export the model again"});
  finish_survey(survey, std::move(reading.graph), {});
  return survey;
}

}  // namespace qsim
