// The row of workloads in JSON, and the survey of their layers.
#include <charconv>
#include <map>

#include "base/json_reader.h"
#include "workloads/readers/json/json_workload.h"
#include "workloads/readers/support_parts.h"
#include "workloads/readers/workload_format.h"

namespace qsim {
namespace {

/// Which layer a JSON path is in: "layers[3].weights.scale" is in 3.
std::optional<std::size_t> layer_of(const std::string& place) {
  constexpr std::string_view kStart = "layers[";
  if (!place.starts_with(kStart)) return std::nullopt;
  std::size_t index = 0;
  const char* end = place.data() + place.size();
  const auto [rest, error] = std::from_chars(place.data() + kStart.size(), end, index);
  return error == std::errc() && rest != end && *rest == ']' ? std::optional(index) : std::nullopt;
}

/// Layers that are right but read from a cycle have neither node nor problem.
void explain_waiting(NodeSupport& layer, const std::string& file) {
  layer.problems.push_back({file, layer.place, "a layer that waits for layers on a cycle",
                            "inputs that can be computed",
                            "break the cycle, which is spelled out at one of its layers"});
}

WorkloadSurvey survey_json(const std::string& path, const ReadOptions& /*options*/) {
  JsonWorkload workload = read_workload_json_leniently(path);
  if (workload.layers.empty() && !workload.problems.empty()) throw InputError(std::move(workload.problems));
  WorkloadSurvey survey;
  survey.name = workload.graph.name;
  std::map<std::string, std::size_t> nodes;  // Of the graph, by place.
  for (std::size_t n = 0; n < workload.graph.nodes.size(); ++n) nodes[workload.graph.nodes[n].place] = n;
  for (ListedLayer& layer : workload.layers) {
    NodeSupport support;
    support.name = layer.name.empty() ? layer.path : std::move(layer.name);
    support.op = std::move(layer.op);
    support.place = std::move(layer.path);
    const auto node = nodes.find(support.place);
    if (node != nodes.end()) support.graph_node = node->second;
    survey.nodes.push_back(std::move(support));
  }
  for (Problem& problem : workload.problems) {
    const std::optional<std::size_t> layer = layer_of(problem.place);
    const bool is_listed = layer && *layer < survey.nodes.size();
    (is_listed ? survey.nodes[*layer].problems : survey.problems).push_back(std::move(problem));
  }
  for (NodeSupport& layer : survey.nodes) {
    if (!layer.graph_node && layer.problems.empty()) explain_waiting(layer, path);
  }
  finish_survey(survey, std::move(workload.graph), workload.unknown_tensors);
  return survey;
}

Graph read_json(const std::string& path, const ReadOptions& /*options*/) {
  return read_workload_json(path);
}

/// A brace, perhaps behind white space and a byte order mark; text has no NUL.
bool begins_as_json(std::string_view start) {
  const std::size_t first = start.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return first != std::string_view::npos && start[first] == '{' && start.find('\0') == std::string_view::npos;
}

/// The file's own line about itself; where it does not parse what is wrong.
std::string describe_json(const std::string& path) {
  try {
    const nlohmann::ordered_json json = parse_json_file(path);
    const auto found = json.is_object() ? json.find("description") : json.end();
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
  } catch (const InputError& error) {
    return error.problems().front().to_string();
  }
}

}  // namespace

const WorkloadFormat& json_workload_format() {
  static constexpr WorkloadFormat kFormat{.name = "json",
                                          .title = "workload JSON",
                                          .extension = ".json",
                                          .short_name = "workload JSON",
                                          .phrase = "a workload in JSON",
                                          .remedy = "mend it in the workload file",
                                          .begins_as = begins_as_json,
                                          .describe = describe_json,
                                          .read = read_json,
                                          .survey = survey_json};
  return kFormat;
}

}  // namespace qsim
