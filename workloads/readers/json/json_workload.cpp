#include "workloads/readers/json/json_workload.h"

#include <algorithm>
#include <limits>
#include <set>

#include "base/json_reader.h"
#include "workloads/readers/json/json_constants.h"
#include "workloads/readers/json/json_layers.h"
#include "workloads/readers/json/json_quantization.h"
#include "workloads/readers/json/json_tensors.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;
using arithmetic::RoundingProfile;

std::optional<RoundingProfile> read_rounding_profile(JsonObject& root) {
  constexpr std::array kProfiles{RoundingProfile::float32,
                                 RoundingProfile::fixed_point_double_rounding,
                                 RoundingProfile::fixed_point_single_rounding,
                                 RoundingProfile::fixed_point_16bit_multiplier,
                                 RoundingProfile::float64,
                                 RoundingProfile::power_of_two};
  std::vector<std::string> names{"auto"};
  for (const RoundingProfile profile : kProfiles)
    names.emplace_back(arithmetic::rounding_profile_name(profile));
  const std::size_t choice = root.choice("rounding_profile", names, "auto");
  return choice == 0 ? std::nullopt : std::optional(kProfiles[choice - 1]);
}

/// Elements of a list with their JSON paths; a value that is no list is a problem.
std::vector<std::pair<const Json*, std::string>> entries(JsonObject& root, const std::string& key,
                                                         bool required) {
  const Json* list = root.raw(key);
  std::vector<std::pair<const Json*, std::string>> result;
  if (list == nullptr && !required) return result;
  if (list == nullptr || !list->is_array() || list->empty()) {
    root.problem(key, "a list with at least one entry", list == nullptr ? "this key is required" : "");
    return result;
  }
  for (std::size_t i = 0; i < list->size(); ++i)
    result.emplace_back(&(*list)[i], key + "[" + std::to_string(i) + "]");
  return result;
}

/// The only value that an input of indices may have.
void read_required_value(JsonObject& description, Tensor& tensor) {
  const bool is_index = tensor.type == ElementType::i32 || tensor.type == ElementType::i64;
  const std::int64_t limit = tensor.type == ElementType::i32 ? std::numeric_limits<std::int32_t>::max()
                                                             : std::numeric_limits<std::int64_t>::max();
  const auto values = description.integers("required_value", -limit - 1, limit);
  if (!is_index || static_cast<std::int64_t>(values.size()) != element_count(tensor.shape)) {
    description.problem("required_value", "an integer an element, of an input of type int32 or int64");
    return;
  }
  tensor.required_value.emplace(tensor.type, tensor.shape);
  for (std::size_t i = 0; i < values.size(); ++i)
    tensor.required_value->set(static_cast<std::int64_t>(i), values[i]);
}

void read_input(const Json& json, const std::string& path, Graph& graph, TensorTable& table,
                ProblemList& problems) {
  JsonObject description(json, path, problems);
  if (!json.is_object()) return;
  const std::string name = description.string("name");
  const std::optional<Shape> shape = read_shape(description);
  constexpr std::array kTypes{ElementType::i8, ElementType::f32, ElementType::i32, ElementType::i64};
  const std::size_t type = description.choice("type", {"integer", "float32", "int32", "int64"}, "integer");
  std::optional<Quantization> quantization;
  if (type == 0) quantization = read_quantization(description, QuantizationUse::activation, shape);
  const TensorId id = table.add(path, name, shape, std::move(quantization));
  if (type > 0) graph.tensor(id).type = kTypes[type];
  graph.tensor(id).model_axes = read_model_axes(description);
  if (description.raw("required_value") != nullptr) read_required_value(description, graph.tensor(id));
  description.finish();
  graph.inputs.push_back(id);
}

std::vector<std::string> read_lines(JsonObject& root, const std::string& key) {
  const Json* list = root.raw(key);
  std::vector<std::string> lines;
  if (list == nullptr) return lines;
  const bool all_text = list->is_array() && std::all_of(list->begin(), list->end(),
                                                        [](const Json& line) { return line.is_string(); });
  if (!all_text) {
    root.problem(key, "a list of strings");
    return lines;
  }
  for (const Json& line : *list) lines.push_back(line.get<std::string>());
  return lines;
}

void read_output(const Json& json, const std::string& path, Graph& graph, const TensorTable& table,
                 ProblemList& problems, std::set<TensorId>& seen) {
  const std::string name = json.is_string() ? json.get<std::string>() : "";
  const TensorId id = table.find(name);
  const bool repeated = !seen.insert(id).second;
  if (id == kNoTensor || repeated) {
    problems.add(
        path, written_value(json),
        repeated && id != kNoTensor ? "each output once" : "the name of a tensor that a layer computes",
        id == kNoTensor && !problems.is_full() ? nearest_hint(name, table.names()) : "");
    return;
  }
  graph.outputs.push_back(id);
}

/// What is done with a workload that has problems.
enum class OnProblems {
  stop,   ///< It gets no values.
  go_on,  ///< What is right in it gets its values.
};

JsonWorkload read_parts(const Json& json, const std::string& path, OnProblems on_problems) {
  // What goes on says of each layer what is wrong with it, so it needs every problem.
  constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
  ProblemList problems(path, "docs/workload_format.md describes every key",
                       on_problems == OnProblems::go_on ? all : kMostListedProblems);
  JsonObject root(json, "", problems);
  JsonWorkload workload;
  Graph& graph = workload.graph;
  graph.source = path;
  graph.name = root.string("name");
  (void)root.string("$schema", "");
  (void)root.string("description", "");
  graph.semantics = root.choice("semantics", {"onnx", "tflite"}) == 0 ? Semantics::onnx : Semantics::tflite;
  graph.rounding_profile = read_rounding_profile(root);
  graph.folded_nodes = read_lines(root, "folded_nodes");
  graph.provenance = read_lines(root, "provenance");
  TensorTable table(graph, problems);
  ConstantSources constants(root.raw("tensors"), problems);
  for (const auto& [entry, place] : entries(root, "inputs", true))
    read_input(*entry, place, graph, table, problems);
  for (const auto& [entry, place] : entries(root, "constants", false)) {
    (void)read_constant_tensor(graph, table, constants, *entry, place, "", problems);
  }
  const Json* layers = root.raw("layers");
  LayerReader(graph, table, constants, problems).read(layers);
  workload.layers = list_layers(layers);
  std::set<TensorId> seen;
  for (const auto& [entry, place] : entries(root, "outputs", true))
    read_output(*entry, place, graph, table, problems, seen);
  root.finish();
  if (problems.empty() || on_problems == OnProblems::go_on) constants.fill(graph, problems);
  workload.problems = problems.all();
  workload.omitted_problems = problems.omitted();
  workload.unknown_tensors = constants.unfilled();
  for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
    const auto id = static_cast<TensorId>(t);
    if (!table.has_shape(id)) workload.unknown_tensors.push_back(id);
  }
  return workload;
}

Graph read_graph(const Json& json, const std::string& path) {
  JsonWorkload workload = read_parts(json, path, OnProblems::stop);
  if (!workload.problems.empty()) throw InputError(std::move(workload.problems), workload.omitted_problems);
  validate(workload.graph);
  return std::move(workload.graph);
}

}  // namespace

Graph read_workload_json(const std::string& path) {
  return read_graph(parse_json_file(path), path);
}

Graph read_workload_json_text(std::string_view text, const std::string& path) {
  return read_graph(parse_json_text(text, path), path);
}

JsonWorkload read_workload_json_leniently(const std::string& path) {
  return read_parts(parse_json_file(path), path, OnProblems::go_on);
}

}  // namespace qsim
