#include "workloads/readers/onnx/model_graph.h"

#include <algorithm>
#include <queue>
#include <set>

#include "workloads/readers/onnx/qonnx_quantizer.h"

namespace qsim::onnx_format {
namespace {

constexpr std::int64_t kFirstOpset = 10;
/// Exporters of QONNX wrote models of opset 9 for long; what they use is the same in 10.
constexpr std::int64_t kFirstQonnxOpset = 9;
constexpr std::int64_t kLastOpset = 21;
constexpr const char* kExportHint = "export the model again";

}  // namespace

ModelGraph::ModelGraph(const OnnxModel& model) : model_(model) {
  check_opsets();
  add_sources();
  add_uses();
  if (!problems_.empty()) throw InputError(problems_);
  sort();
  if (!problems_.empty()) throw InputError(problems_);
}

void ModelGraph::report(const std::string& place, const std::string& value, const std::string& expected,
                        const std::string& hint) {
  problems_.push_back({model_.file, place, value, expected, hint});
}

void ModelGraph::check_opsets() {
  const std::string range = "opset " + std::to_string(kFirstOpset) + " to " + std::to_string(kLastOpset);
  for (const OnnxOpset& opset : model_.opsets) {
    if (!opset.domain.empty()) continue;
    opset_ = opset.version;
    const bool is_older = opset.version == kFirstQonnxOpset && uses_qonnx(model_);
    if ((opset.version >= kFirstOpset || is_older) && opset.version <= kLastOpset) continue;
    opset_problems_.push_back({model_.file, "opset_import", "opset " + std::to_string(opset.version), range,
                               "convert the model with onnx.version_converter"});
  }
  if (opset_ == 0)
    opset_problems_.push_back(
        {model_.file, "opset_import", "none of the default domain", range, kExportHint});
}

void ModelGraph::add_sources() {
  std::set<std::string> sources;
  const auto add = [&](const std::string& value, const std::string& place) {
    if (!sources.insert(value).second)
      report(place, "value \"" + value + "\", which has a source already", "one source of each value",
             kExportHint);
  };
  for (const OnnxInitializer& initializer : model_.initializers) {
    const std::string place = "graph initializer \"" + initializer.name + "\"";
    if (initializer.name.empty()) report(place, "no name", "a name", kExportHint);
    add(initializer.name, place);
    initializers_[initializer.name] = &initializer.tensor;
  }
  for (const OnnxValue& input : model_.inputs) {
    const std::string place = "graph input \"" + input.name + "\"";
    if (initializers_.count(input.name) != 0) continue;
    if (input.name.empty()) report(place, "no name", "a name", kExportHint);
    if (input.kind != "tensor")
      report(place, "a " + input.kind, "a tensor", "export the model with tensors alone");
    add(input.name, place);
    inputs_.push_back(&input);
  }
  for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
    const OnnxNode& node = model_.nodes[i];
    if (node.merged_into) continue;
    if (node.outputs.empty() || node.outputs[0].empty())
      report(node.place, "no outputs", "at least one output", kExportHint);
    for (const std::string& output : node.outputs) {
      if (output.empty()) continue;
      add(output, node.place);
      producers_[output] = i;
    }
  }
}

void ModelGraph::add_uses() {
  const auto has_source = [&](const std::string& value) {
    return producers_.count(value) != 0 || initializers_.count(value) != 0 ||
           std::any_of(inputs_.begin(), inputs_.end(),
                       [&](const OnnxValue* input) { return input->name == value; });
  };
  for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
    if (model_.nodes[i].merged_into) continue;
    for (const std::string& input : model_.nodes[i].inputs) {
      if (input.empty()) continue;
      consumers_[input].push_back(i);
      if (!has_source(input))
        report(model_.nodes[i].place, "input \"" + input + "\", which nothing makes",
               "a graph input, an initializer or the output of a node", kExportHint);
    }
  }
  if (model_.outputs.empty()) report("graph outputs", "none", "at least one", kExportHint);
  std::set<std::string> outputs;
  for (const OnnxValue& output : model_.outputs) {
    const std::string place = "graph output \"" + output.name + "\"";
    if (output.kind != "tensor" && output.kind != "value without type")
      report(place, "a " + output.kind, "a tensor", "export the model with tensors alone");
    if (!has_source(output.name))
      report(place, "a value that nothing makes", "the output of a node", kExportHint);
    if (!outputs.insert(output.name).second)
      report(place, "an output given twice", "one of each name", kExportHint);
  }
}

/// Kahn's algorithm; of the nodes that can run the first in the file runs.
void ModelGraph::sort() {
  std::vector<std::size_t> waits(model_.nodes.size(), 0);
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  std::size_t count = 0;
  for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
    if (model_.nodes[i].merged_into) continue;
    ++count;
    for (const std::string& input : model_.nodes[i].inputs) waits[i] += producers_.count(input);
    if (waits[i] == 0) ready.push(i);
  }
  while (!ready.empty()) {
    const std::size_t next = ready.top();
    ready.pop();
    order_.push_back(next);
    for (const std::string& output : model_.nodes[next].outputs) {
      if (output.empty()) continue;
      for (const std::size_t user : consumers(output)) {
        if (--waits[user] == 0) ready.push(user);
      }
    }
  }
  if (order_.size() == count) return;
  report_cycle(std::move(waits));
}

/// `waits` is above 0 for the nodes in cycles and behind them; the latter end where no such node uses their
/// outputs.
void ModelGraph::report_cycle(std::vector<std::size_t> waits) {
  const auto is_used = [&](const OnnxNode& node) {
    return std::any_of(node.outputs.begin(), node.outputs.end(), [&](const std::string& output) {
      const std::vector<std::size_t>& users = consumers(output);
      return std::any_of(users.begin(), users.end(), [&](std::size_t user) { return waits[user] > 0; });
    });
  };
  std::vector<std::size_t> ends;
  const auto note_end = [&](std::size_t i) {
    if (waits[i] == 0 || is_used(model_.nodes[i])) return;
    waits[i] = 0;
    ends.push_back(i);
  };
  for (std::size_t i = 0; i < waits.size(); ++i) note_end(i);
  while (!ends.empty()) {
    const OnnxNode& node = model_.nodes[ends.back()];
    ends.pop_back();
    for (const std::string& input : node.inputs) {
      if (const std::optional<std::size_t> index = producer(input)) note_end(*index);
    }
  }
  const auto first = std::find_if(waits.begin(), waits.end(), [](std::size_t count) { return count > 0; });
  const auto count =
      std::count_if(waits.begin(), waits.end(), [](std::size_t waiting) { return waiting > 0; });
  report(model_.nodes[static_cast<std::size_t>(first - waits.begin())].place,
         "a cycle: " + std::to_string(count) + " nodes wait for each other", "a graph without cycles",
         kExportHint);
}

std::optional<std::size_t> ModelGraph::producer(const std::string& value) const {
  const auto found = producers_.find(value);
  return found == producers_.end() ? std::nullopt : std::optional(found->second);
}

const std::vector<std::size_t>& ModelGraph::consumers(const std::string& value) const {
  static const std::vector<std::size_t> kNone;
  const auto found = consumers_.find(value);
  return found == consumers_.end() ? kNone : found->second;
}

const OnnxTensor* ModelGraph::initializer(const std::string& value) const {
  const auto found = initializers_.find(value);
  return found == initializers_.end() ? nullptr : found->second;
}

bool ModelGraph::is_output(const std::string& value) const {
  return std::any_of(model_.outputs.begin(), model_.outputs.end(),
                     [&](const OnnxValue& output) { return output.name == value; });
}

}  // namespace qsim::onnx_format
