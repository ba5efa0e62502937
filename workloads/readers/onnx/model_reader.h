// Private to read_onnx() and survey_onnx(): a model converted node by node, with what became of each.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/onnx_model.h"
#include "workloads/readers/onnx/onnx_reader.h"

namespace qsim::onnx_format {

/// What became of one node of the model.
struct NodeOutcome {
  enum class Kind {
    hidden,     ///< Not looked at: a problem elsewhere leaves its inputs unknown.
    converted,  ///< Nodes `graph_nodes` of the graph.
    folded,     ///< Its value is a constant.
    absorbed,   ///< Part of another node: Relu behind Conv, DequantizeLinear before it.
    refused,    ///< `problems` says why.
  };
  Kind kind = Kind::hidden;
  std::vector<std::size_t> graph_nodes;  ///< The node's own first, then those that prepare its operands.
  std::vector<Problem> problems;
  std::vector<std::string> remarks;
};

struct ModelReading {
  Graph graph;
  std::vector<NodeOutcome> nodes;  ///< By node of the model, in the file's order.
  std::vector<Problem> problems;   ///< Of the model: inputs with open dimensions, outputs that are none.
};

/// Converts what can be, the model's double pairs merged (double_pairs.h). Throws InputError where the nodes
/// do not hang together at all (ModelGraph).
[[nodiscard]] ModelReading read_model(OnnxModel& model, const ReadOptions& options);

}  // namespace qsim::onnx_format
