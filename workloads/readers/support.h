// What qsim makes of every node of a model, before any chip comes into it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/graph/graph.h"
#include "workloads/readers/load.h"

namespace qsim {

struct WorkloadFormat;

enum class NodeStatus {
  supported,
  folded,       ///< Its value is known when reading; nothing is left to compute.
  unsupported,  ///< `problems` says why.
};

/// One node of the model: an operator of a .tflite or .onnx file, a layer of a workload in JSON.
struct NodeSupport {
  std::string name;  ///< As in the graph; of an operator without a name its first output's.
  std::string op;    ///< The file's word: "CONV_2D", "conv2d", "Conv", `custom operator "MyOp"`.
  std::optional<std::string> domain;  ///< ONNX only; "" is the default domain.
  std::string place;                  ///< Where the file has it.
  NodeStatus status = NodeStatus::supported;
  std::vector<Problem> problems;
  std::vector<std::string> remarks;  ///< What is worth knowing though it keeps nothing from running.
  /// Its node in WorkloadSurvey::graph. Absent: there is none, or other problems hide its shapes.
  std::optional<std::size_t> graph_node;
  /// Nodes of the graph that prepare its operands (another order of dimensions, another scale), or take part
  /// in it.
  std::vector<std::size_t> inserted_nodes;
};

struct WorkloadSurvey {
  const WorkloadFormat* format = nullptr;
  std::string name;
  std::vector<NodeSupport> nodes;  ///< All of them, in the order of the file.
  std::vector<Problem> problems;   ///< Of the model, not of one node.
  /// Where nothing is unsupported the graph that load_workload() reads. Otherwise what is right of it:
  /// outputs of the other nodes are inputs of this graph, so that a chip can be tried on it all the same;
  /// tensors that no node of it uses may be wrong.
  Graph graph;

  /// load_workload() reads it.
  [[nodiscard]] bool is_supported() const;
};

/// Looks at every node whatever is wrong with the others. The file is found as by load_workload(). Throws
/// InputError where it is damaged so that its nodes cannot be listed.
[[nodiscard]] WorkloadSurvey survey_workload(const std::string& name_or_path,
                                             const std::vector<std::string>& search_dirs,
                                             const InputShapes& shapes = {});

}  // namespace qsim
