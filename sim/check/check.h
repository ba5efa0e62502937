// Whether a network runs on a chip, node by node, before anything runs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hw_models/hardware_config.h"
#include "workloads/readers/support.h"

namespace qsim {

/// Where a node runs.
enum class NodeUnit {
  mac_array,
  vector_unit,
  host,
  constant,  ///< Nowhere: its value is known before the run.
  none,      ///< Nowhere: its output is its input's bytes.
};
/// "mac_array"
[[nodiscard]] std::string_view node_unit_name(NodeUnit unit);

/// One thing that keeps a node from running.
struct Reason {
  std::string subject;  ///< Part of the node that it is about ("tensor \"x\""); empty: the node.
  std::string text;     ///< What is there and what was expected.
  std::string remedy;   ///< What to do about it.
};

struct NodeCheck {
  std::string name;
  std::string op;
  std::optional<std::string> domain;  ///< ONNX only.
  std::string place;
  NodeStatus status = NodeStatus::supported;
  std::optional<NodeUnit> unit;  ///< Absent: not known, because of a reason here or elsewhere.
  std::vector<Reason> reasons;   ///< Of what is unsupported.
  std::vector<std::string> remarks;
};

struct CheckCounts {
  std::size_t supported = 0, folded = 0, unsupported = 0;
};

struct CheckResult {
  std::string workload;
  const WorkloadFormat* format = nullptr;
  std::string hardware;
  std::vector<NodeCheck> nodes;  ///< In the order of the file.
  std::vector<Reason> problems;  ///< Of the network or the chip as a whole.

  [[nodiscard]] CheckCounts counts() const;
  /// A run would start.
  [[nodiscard]] bool is_supported() const;
};

/// The survey of a network that became `graph`: the nodes that a run would execute, and those that are no
/// more.
[[nodiscard]] WorkloadSurvey quantized(WorkloadSurvey survey, Graph graph);

/// Joins what a survey found with what the chip lacks: units, buffers, DRAM. The chip is tried with the
/// compiler itself, so that the verdict is that of a run; hints name the least values with which the nodes
/// that can be checked fit.
[[nodiscard]] CheckResult check_workload(const WorkloadSurvey& survey, const HardwareConfig& hardware);

}  // namespace qsim
