#include "workloads/readers/json/json_write.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "workloads/graph/blocks.h"
#include "workloads/readers/json/json_write_parts.h"

namespace qsim {
namespace {

/// `json` on one line with a space after commas and colons.
std::string on_one_line(const OrderedJson& json) {
  if (!json.is_structured() || json.empty()) return json.dump();
  std::string text(1, json.is_array() ? '[' : '{');
  bool first = true;
  for (const auto& member : json.items()) {
    if (!first) text += ", ";
    first = false;
    if (json.is_object()) text += OrderedJson(member.key()).dump() + ": ";
    text += on_one_line(member.value());
  }
  return text + (json.is_array() ? ']' : '}');
}

/// The keys of the root a line each, the entries of lists of objects too.
std::string as_text(const OrderedJson& root) {
  std::string text;
  for (const auto& member : root.items()) {
    text += (text.empty() ? "{" : ",\n ") + OrderedJson(member.key()).dump() + ": ";
    const OrderedJson& value = member.value();
    const bool is_long = value.is_array() && !value.empty() && value[0].is_object();
    if (!is_long) {
      text += on_one_line(value);
      continue;
    }
    text += "[\n";
    for (std::size_t i = 0; i < value.size(); ++i)
      text += "  " + on_one_line(value[i]) + (i + 1 < value.size() ? ",\n" : "\n ");
    text += "]";
  }
  return text + "}\n";
}

/// JSON is UTF-8; safetensors reserves a name.
void check_names(const Graph& graph) {
  const auto is_utf8 = [](const std::string& name) {
    return OrderedJson(name).dump(-1, ' ', false, OrderedJson::error_handler_t::ignore) ==
           OrderedJson(name).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  };
  std::vector<Problem> problems;
  const auto report = [&](const std::string& place, const std::string& name, const std::string& expected) {
    problems.push_back({graph.source, place,
                        OrderedJson(name).dump(-1, ' ', true, OrderedJson::error_handler_t::replace),
                        expected, "rename it in the model"});
  };
  for (const Tensor& tensor : graph.tensors) {
    if (!is_utf8(tensor.name)) report("tensor name", tensor.name, "UTF-8");
    if (tensor.name == "__metadata__")
      report("tensor name", tensor.name, "another name than the format's own");
  }
  for (const Node& node : graph.nodes) {
    if (!is_utf8(node.name)) report("name of " + node.place, node.name, "UTF-8");
    if (node.requantization)
      problems.push_back({graph.source, node.place, "factors, summands or limits of a quantizer of QONNX",
                          "scale and zero point alone", "keep the model in ONNX"});
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

}  // namespace

WorkloadText encode_workload(const Graph& graph, const std::string& tensor_file) {
  check_names(graph);
  LayerWriter writer(graph);
  OrderedJson root = {{"name", graph.name},
                      {"semantics", graph.semantics == Semantics::onnx ? "onnx" : "tflite"}};
  if (graph.rounding_profile)
    root["rounding_profile"] = arithmetic::rounding_profile_name(*graph.rounding_profile);
  root["tensors"] = tensor_file;
  root["inputs"] = OrderedJson::array();
  for (const TensorId id : graph.inputs) root["inputs"].push_back(writer.input(id));
  const std::vector<OrderedJson> shared = writer.shared_constants();
  if (!shared.empty()) root["constants"] = shared;
  root["layers"] = OrderedJson::array();
  for (const Node& node : graph.nodes) root["layers"].push_back(writer.layer(node));
  root["outputs"] = OrderedJson::array();
  for (const TensorId id : graph.outputs) root["outputs"].push_back(graph.tensor(id).name);
  if (!graph.folded_nodes.empty()) root["folded_nodes"] = graph.folded_nodes;
  if (!graph.provenance.empty()) root["provenance"] = graph.provenance;
  WorkloadText text{"", writer.constants()};
  if (text.constants.empty()) root.erase("tensors");
  text.json = as_text(root);
  return text;
}

std::string tensor_file_beside(const std::string& path) {
  return std::filesystem::path(path).replace_extension(".weights.safetensors").string();
}

void write_workload_json(const Graph& graph, const std::string& path) {
  refuse_blocks_in_files(graph);
  const std::string tensor_path = tensor_file_beside(path);
  const WorkloadText text = encode_workload(graph, std::filesystem::path(tensor_path).filename().string());
  std::vector<FileContent> files;
  if (!text.constants.empty()) files.push_back({tensor_path, encode_safetensors(text.constants, {})});
  const auto json = std::as_bytes(std::span(text.json));
  files.push_back({path, {json.begin(), json.end()}});
  write_files_atomically(files);
}

}  // namespace qsim
