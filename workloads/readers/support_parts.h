// Private to the formats' surveys: what they share.
#pragma once

#include <vector>

#include "workloads/readers/support.h"

namespace qsim {

/// Takes what a reader made, with NodeSupport::graph_node set for the nodes of `graph`: adds validate()'s
/// problems to the nodes that they stop, then cuts those out (and the nodes that touch one of `unknown`
/// tensors, with a remark).
void finish_survey(WorkloadSurvey& survey, Graph graph, const std::vector<TensorId>& unknown);

}  // namespace qsim
