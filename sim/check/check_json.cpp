#include "sim/check/check_json.h"

#include <algorithm>

#include "workloads/readers/workload_format.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;

const char* status_name(NodeStatus status) {
  switch (status) {
    case NodeStatus::supported:
      return "supported";
    case NodeStatus::folded:
      return "folded";
    case NodeStatus::unsupported:
      break;
  }
  return "unsupported";
}

std::string reason_text(const Reason& reason) {
  return reason.subject.empty() ? reason.text : reason.subject + ": " + reason.text;
}

/// The reasons of a node, and what to do about them, each thing once; null where there are none.
template <typename Text>
Json joined(const std::vector<Reason>& reasons, const Text& text) {
  if (reasons.empty()) return nullptr;
  std::vector<std::string> parts;
  for (const Reason& reason : reasons) {
    std::string part = text(reason);
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
  }
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : "; ") + part;
  return all;
}

Json node_json(const NodeCheck& node) {
  Json json;
  json["name"] = node.name;
  json["op"] = node.op;
  if (node.domain) json["domain"] = *node.domain;
  json["place"] = node.place;
  json["status"] = status_name(node.status);
  json["unit"] = node.unit ? Json(std::string(node_unit_name(*node.unit))) : Json(nullptr);
  json["reason"] = joined(node.reasons, reason_text);
  json["remedy"] = joined(node.reasons, [](const Reason& reason) { return reason.remedy; });
  json["remarks"] = node.remarks;
  return json;
}

}  // namespace

Json check_json(const CheckResult& result) {
  const CheckCounts counts = result.counts();
  Json json;
  json["schema_version"] = kSchemaVersion;
  json["workload"] = {{"name", result.workload}, {"format", result.format->name}};
  json["hardware"] = result.hardware;
  json["nodes"] = Json::array();
  for (const NodeCheck& node : result.nodes) json["nodes"].push_back(node_json(node));
  json["problems"] = Json::array();
  for (const Reason& problem : result.problems)
    json["problems"].push_back({{"reason", reason_text(problem)}, {"remedy", problem.remedy}});
  json["summary"] = {{"nodes", result.nodes.size()},
                     {"supported", counts.supported},
                     {"folded", counts.folded},
                     {"unsupported", counts.unsupported},
                     {"is_supported", result.is_supported()}};
  return json;
}

}  // namespace qsim
