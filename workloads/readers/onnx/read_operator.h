// Private to the model reader: one node of the model into nodes of the graph.
#pragma once

#include <cstddef>
#include <vector>

#include "workloads/readers/onnx/graph_builder.h"

namespace qsim::onnx_format {

/// Throws InputError where the operator is none that is read, whatever its inputs are.
void require_known(const GraphBuilder& builder, const OnnxNode& node);

/// Adds the operation of a node whose inputs are known; throws InputError where it cannot be. Returns the
/// nodes of the model that the operation took in.
std::vector<std::size_t> read_operator(GraphBuilder& builder, std::size_t index);

}  // namespace qsim::onnx_format
