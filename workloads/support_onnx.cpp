// Nodes of an ONNX model, none of which this version runs.
#include <filesystem>
#include <map>

#include "workloads/onnx/onnx_model.h"
#include "workloads/support_parts.h"

namespace qsim {

WorkloadSurvey survey_onnx(const std::string& path) {
  OnnxModel model = read_onnx_model(path);
  std::map<std::string, std::string> files;  // Of initializers whose data lies elsewhere.
  for (const OnnxInitializer& initializer : model.initializers) {
    if (initializer.external_data) files[initializer.name] = initializer.external_data->location;
  }
  WorkloadSurvey survey;
  survey.format = WorkloadFormat::onnx;
  survey.name = std::filesystem::path(path).stem().string();
  for (OnnxNode& node : model.nodes) {
    NodeSupport support;
    support.name = std::move(node.name);
    support.op = std::move(node.op_type);
    support.domain = std::move(node.domain);
    support.place = std::move(node.place);
    support.status = NodeStatus::unsupported;
    support.problems = {{path, support.place, "an operator of an ONNX model",
                         "a .tflite model or a workload in JSON", kOnnxHint}};
    for (const std::string& input : node.inputs) {
      const auto file = files.find(input);
      if (file == files.end()) continue;
      support.remarks.push_back("\"" + input + "\" lies in another file, \"" + file->second + "\"");
    }
    survey.nodes.push_back(std::move(support));
  }
  if (survey.nodes.empty())
    survey.problems = {{path, "graph", "no nodes", "a .tflite model or a workload in JSON", kOnnxHint}};
  return survey;
}

}  // namespace qsim
