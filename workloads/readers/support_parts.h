// Private to survey_workload(): the surveys by file format, and what they share.
#pragma once

#include <string>
#include <vector>

#include "workloads/readers/support.h"

namespace qsim {

[[nodiscard]] WorkloadSurvey survey_json(const std::string& path);
[[nodiscard]] WorkloadSurvey survey_tflite(const std::string& path);
[[nodiscard]] WorkloadSurvey survey_scalesim(const std::string& path);
[[nodiscard]] WorkloadSurvey survey_onnx(const std::string& path, const InputShapes& shapes);

/// Takes what a reader made, with NodeSupport::graph_node set for the nodes of `graph`: adds validate()'s
/// problems to the nodes that they stop, then cuts those out (and the nodes that touch one of `unknown`
/// tensors, with a remark).
void finish_survey(WorkloadSurvey& survey, Graph graph, const std::vector<TensorId>& unknown);

}  // namespace qsim
