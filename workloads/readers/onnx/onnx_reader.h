// ONNX models as graphs: docs/onnx.md says what is read, what is folded and how values lie.
#pragma once

#include <string>

#include "workloads/graph/graph.h"
#include "workloads/readers/load.h"

namespace qsim {

struct WorkloadFormat;

/// Reads a model into a graph with channels last (Tensor::model_axes says how the model has them). Throws
/// InputError with every node that cannot be read.
[[nodiscard]] Graph read_onnx(const std::string& path, const ReadOptions& options = {});

/// Its row of workload_format.h.
[[nodiscard]] const WorkloadFormat& onnx_workload_format();

}  // namespace qsim
