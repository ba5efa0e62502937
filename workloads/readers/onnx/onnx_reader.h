// ONNX models as graphs: docs/onnx.md says what is read, what is folded and how values lie.
#pragma once

#include <string>

#include "workloads/graph/graph.h"
#include "workloads/readers/load.h"

namespace qsim {

struct OnnxReadOptions {
  /// Shapes of inputs, in the model's order, for dimensions that the model leaves open.
  InputShapes shapes;
  /// .npy files of inputs by name: those that have to be known when reading (scales, weights, shapes) become
  /// constants, and are listed in Graph::constant_inputs; the others are left alone.
  InputArrays arrays = {};
};

/// Reads a model into a graph with channels last (Tensor::model_axes says how the model has them). Throws
/// InputError with every node that cannot be read.
[[nodiscard]] Graph read_onnx(const std::string& path, const OnnxReadOptions& options = {});

}  // namespace qsim
