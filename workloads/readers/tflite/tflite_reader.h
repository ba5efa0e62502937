// TensorFlow Lite models (.tflite): full-integer quantized networks with int8 or int16 activations.
#pragma once

#include <string>

#include "workloads/graph/graph.h"

namespace qsim {

struct WorkloadFormat;

/// Reads subgraph 0 of a .tflite file. Tensor names, shapes and layout (NHWC) are the model's own; nodes are
/// named after their first output tensor. Operators on shapes that are known when reading are folded. The
/// graph is validated. Throws InputError with every operator that is not supported, where it is, and what
/// would help.
[[nodiscard]] Graph read_tflite(const std::string& path);

/// Its row of workload_format.h.
[[nodiscard]] const WorkloadFormat& tflite_workload_format();

}  // namespace qsim
