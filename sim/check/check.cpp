#include "sim/check/check.h"

#include <algorithm>
#include <utility>

#include "sim/check/remarks.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/schedule.h"
#include "workloads/readers/workload_format.h"

namespace qsim {
namespace {

/// The rest of a place behind its node's: "tensor \"x\"" of "subgraph 0 operator 7 ADD tensor \"x\"".
std::string subject_of(const std::string& place, const std::string& node_place) {
  if (!place.starts_with(node_place)) return place;
  const std::size_t start = place.find_first_not_of(" .", node_place.size());
  return start == std::string::npos ? "" : place.substr(start);
}

Reason reason_of(const Problem& problem, const std::string& node_place, const WorkloadFormat& format) {
  Reason reason;
  reason.subject = subject_of(problem.place, node_place);
  reason.text = problem.value.empty() ? "nothing" : problem.value;
  if (!problem.expected.empty()) reason.text += "; expected " + problem.expected;
  reason.remedy = problem.hint.empty() ? std::string(format.remedy) : problem.hint;
  return reason;
}

NodeUnit unit_of(const ScheduledOp& row) {
  if (row.on_host) return NodeUnit::host;
  return row.on_mac_array ? NodeUnit::mac_array : NodeUnit::vector_unit;
}

class Checker {
 public:
  Checker(const WorkloadSurvey& survey, const HardwareConfig& hardware)
      : survey_(survey), hardware_(hardware) {}

  CheckResult run() {
    result_.workload = survey_.name;
    result_.format = survey_.format;
    result_.hardware = hardware_.name;
    for (const Problem& problem : survey_.problems)
      result_.problems.push_back(reason_of(problem, "", *survey_.format));
    entries_.resize(survey_.graph.nodes.size());
    is_inserted_.resize(survey_.graph.nodes.size(), false);
    for (const NodeSupport& node : survey_.nodes) add_node(node);
    if (!survey_.graph.nodes.empty()) try_chip();
    return std::move(result_);
  }

 private:
  void add_node(const NodeSupport& node) {
    NodeCheck check{node.name, node.op, node.domain, node.place, node.status, {}, {}, node.remarks};
    for (const Problem& problem : node.problems)
      check.reasons.push_back(reason_of(problem, node.place, *survey_.format));
    if (node.status == NodeStatus::folded) check.unit = NodeUnit::constant;
    if (node.graph_node) entries_[*node.graph_node] = result_.nodes.size();
    for (const std::size_t inserted : node.inserted_nodes) {
      entries_[inserted] = result_.nodes.size();
      is_inserted_[inserted] = true;
    }
    result_.nodes.push_back(std::move(check));
  }

  void try_chip() {
    const Graph& graph = survey_.graph;
    const Schedule schedule = make_schedule(graph, hardware_.dma.pixel_granule_bytes);
    for (const std::size_t entry : entries_) result_.nodes[entry].unit = NodeUnit::none;
    for (std::size_t r = 0; r < schedule.rows.size(); ++r) {
      NodeCheck& node = result_.nodes[entries_[schedule.rows[r].node]];
      const Node& computed = graph.nodes[schedule.rows[r].node];
      if (is_inserted_[schedule.rows[r].node]) {
        node.remarks.push_back("adds " + std::string(op_name(graph, computed)) + " \"" + computed.name +
                               (schedule.rows[r].on_host ? "\" on the host" : "\" on the vector unit"));
        continue;
      }
      node.unit = unit_of(schedule.rows[r]);
      if (node.unit == NodeUnit::host)
        node.remarks.emplace_back(
            "computes in float, which the chip leaves to the host: quantize it to run it there");
      for (std::string& remark : remarks_of_row(graph, schedule, r, hardware_))
        node.remarks.push_back(std::move(remark));
    }
    for (const CompileProblem& found : try_compile(graph, hardware_, false).problems) {
      if (!found.node) {
        result_.problems.push_back(reason_of(found.problem, "", *survey_.format));
        continue;
      }
      NodeCheck& node = result_.nodes[entries_[*found.node]];
      node.status = NodeStatus::unsupported;
      node.reasons.push_back(reason_of(found.problem, node.place, *survey_.format));
    }
  }

  const WorkloadSurvey& survey_;
  const HardwareConfig& hardware_;
  std::vector<std::size_t> entries_;  ///< By node of the graph: its index in result_.nodes.
  std::vector<bool> is_inserted_;     ///< By node of the graph: it prepares an operand of its entry.
  CheckResult result_;
};

}  // namespace

std::string_view node_unit_name(NodeUnit unit) {
  switch (unit) {
    case NodeUnit::mac_array:
      return "mac_array";
    case NodeUnit::vector_unit:
      return "vector_unit";
    case NodeUnit::host:
      return "host";
    case NodeUnit::constant:
      return "constant";
    case NodeUnit::none:
      break;
  }
  return "none";
}

CheckCounts CheckResult::counts() const {
  CheckCounts counts;
  for (const NodeCheck& node : nodes) {
    ++(node.status == NodeStatus::supported ? counts.supported
       : node.status == NodeStatus::folded  ? counts.folded
                                            : counts.unsupported);
  }
  return counts;
}

bool CheckResult::is_supported() const {
  return problems.empty() && counts().unsupported == 0;
}

CheckResult check_workload(const WorkloadSurvey& survey, const HardwareConfig& hardware) {
  return Checker(survey, hardware).run();
}

WorkloadSurvey quantized(WorkloadSurvey survey, Graph graph) {
  survey.graph = std::move(graph);
  survey.nodes.clear();
  for (std::size_t i = 0; i < survey.graph.nodes.size(); ++i) {
    const Node& node = survey.graph.nodes[i];
    NodeSupport support;
    support.name = node.name;
    support.op = op_name(survey.graph, node);
    support.place = node.place;
    support.graph_node = i;
    survey.nodes.push_back(std::move(support));
  }
  for (const std::string& name : survey.graph.folded_nodes) {
    NodeSupport support;
    support.name = name;
    support.op = "folded";
    support.status = NodeStatus::folded;
    survey.nodes.push_back(std::move(support));
  }
  return survey;
}

}  // namespace qsim
