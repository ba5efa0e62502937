#include "sim/check/check_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "sim/check/text_layout.h"
#include "workloads/readers/workload_format.h"

namespace qsim {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kMaxOpColumns = 28;
constexpr std::size_t kUnitColumns = 11;
constexpr std::size_t kVerdictColumns = 13;

const char* verdict_text(NodeStatus status) {
  switch (status) {
    case NodeStatus::supported:
      return "supported";
    case NodeStatus::folded:
      return "folded";
    case NodeStatus::unsupported:
      break;
  }
  return "NOT supported";
}

std::string op_text(const NodeCheck& node) {
  return node.domain && !node.domain->empty() ? *node.domain + "." + node.op : node.op;
}

std::string table(const CheckResult& result) {
  std::size_t number = 1;
  std::size_t name = 4;
  std::size_t op = 9;
  for (const NodeCheck& node : result.nodes) {
    name = std::max(name, columns_of(node.name));
    op = std::max(op, columns_of(op_text(node)));
  }
  number = std::max(number, std::to_string(result.nodes.size()).size());
  op = std::min(op, kMaxOpColumns);
  constexpr std::size_t kGaps = 4 * 2;
  name = std::min(name, kColumns - number - op - kUnitColumns - kVerdictColumns - kGaps);
  const auto line = [&](const std::string& n, const std::string& node, const std::string& operation,
                        std::string_view unit, const std::string& verdict) {
    return std::string(number - std::min(number, n.size()), ' ') + n + "  " + to_columns(node, name) + "  " +
           to_columns(operation, op) + "  " + to_columns(unit, kUnitColumns) + "  " + verdict + "\n";
  };
  std::string text = line("#", "node", "operation", "runs on", "verdict");
  for (std::size_t i = 0; i < result.nodes.size(); ++i) {
    const NodeCheck& node = result.nodes[i];
    text += line(std::to_string(i), node.name, op_text(node), node.unit ? node_unit_name(*node.unit) : "-",
                 verdict_text(node.status));
  }
  return text;
}

/// Texts in the order of their first use, each with the nodes that it is about (none: the whole).
class NodeGroups {
 public:
  void add(const std::string& text, std::size_t node) { nodes(text).push_back(node); }
  std::vector<std::size_t>& nodes(const std::string& text) {
    const auto [found, is_new] = index_.try_emplace(text, groups_.size());
    if (is_new) groups_.push_back({text, {}});
    return groups_[found->second].second;
  }
  [[nodiscard]] const std::vector<std::pair<std::string, std::vector<std::size_t>>>& all() const {
    return groups_;
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::size_t>>> groups_;
  std::map<std::string, std::size_t> index_;
};

/// "node 7: ", "nodes 1-4, 9: " or nothing.
std::string nodes_text(const std::vector<std::size_t>& nodes) {
  if (nodes.empty()) return "";
  return (nodes.size() == 1 ? "node " : "nodes ") + ranges_of(nodes) + ": ";
}

/// What is wrong, under what to do about it.
std::string reasons(const CheckResult& result) {
  std::vector<std::string> remedies;
  std::map<std::string, NodeGroups> groups;
  const auto group_of = [&](const Reason& reason) -> NodeGroups& {
    if (groups.count(reason.remedy) == 0) remedies.push_back(reason.remedy);
    return groups[reason.remedy];
  };
  for (const Reason& problem : result.problems) {
    const std::string subject = problem.subject.empty() ? "" : problem.subject + ": ";
    static_cast<void>(group_of(problem).nodes(subject + problem.text));
  }
  for (std::size_t i = 0; i < result.nodes.size(); ++i) {
    for (const Reason& reason : result.nodes[i].reasons) group_of(reason).add(reason.text, i);
  }
  std::string text;
  for (const std::string& remedy : remedies) {
    text += "\n" + wrapped("to do: ", remedy, kColumns);
    for (const auto& [reason, nodes] : groups[remedy].all())
      text += wrapped("  " + nodes_text(nodes), reason, kColumns);
  }
  return text;
}

std::string remarks(const CheckResult& result) {
  NodeGroups groups;
  for (std::size_t i = 0; i < result.nodes.size(); ++i) {
    for (const std::string& remark : result.nodes[i].remarks) groups.add(remark, i);
  }
  std::string text = groups.all().empty() ? "" : "\nremarks\n";
  for (const auto& [remark, nodes] : groups.all())
    text += wrapped("  " + nodes_text(nodes), remark, kColumns);
  return text;
}

}  // namespace

std::string check_text(const CheckResult& result, const std::string& kernels) {
  const CheckCounts counts = result.counts();
  std::string text =
      wrapped("workload  ", fmt::format("{} ({})", result.workload, result.format->title), kColumns);
  text += wrapped("hardware  ", result.hardware, kColumns);
  text += wrapped("kernels   ", kernels + " on this computer", kColumns) + "\n";
  text += table(result) + reasons(result) + remarks(result);
  text += fmt::format("\n{} nodes: {} supported, {} folded, {} not supported\n", result.nodes.size(),
                      counts.supported, counts.folded, counts.unsupported);
  text +=
      result.is_supported() ? "the network runs on this chip\n" : "the network does not run on this chip\n";
  return text;
}

}  // namespace qsim
