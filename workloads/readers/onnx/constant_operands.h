// Which operands of a node have to be known when reading: scales, weights, shapes. A model may leave them to
// its inputs, as ONNX's own node tests do; their values are then given with the model.
#pragma once

#include <cstddef>

#include "workloads/readers/onnx/model_graph.h"

namespace qsim::onnx_format {

/// Operand `index` of the node is no activation.
[[nodiscard]] bool takes_constant(const OnnxNode& node, std::size_t index);
/// The value has users, and all of them take it as a constant.
[[nodiscard]] bool is_parameter(const ModelGraph& model, const std::string& value);

}  // namespace qsim::onnx_format
