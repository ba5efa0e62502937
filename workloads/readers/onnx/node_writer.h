// Private to the ONNX writer: one node of the graph as nodes of the model.
#pragma once

#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {

/// Throws InputError where ONNX has no operator for the node.
void write_node(WriteContext& writer, const Node& node);

}  // namespace qsim::onnx_format
