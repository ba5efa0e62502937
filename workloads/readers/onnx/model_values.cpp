#include "workloads/readers/onnx/model_values.h"

#include <utility>

namespace qsim::onnx_format {

ModelValues::ModelValues(const OnnxModel& model) {
  for (const OnnxInitializer& initializer : model.initializers)
    constants_.emplace(initializer.name, &initializer.tensor);
  for (std::size_t i = 0; i < model.nodes.size(); ++i) {
    if (!model.nodes[i].merged_into) add_links(model.nodes[i], i);
  }
  for (const OnnxValue& output : model.outputs) uses_[output.name].is_output = true;
}

void ModelValues::add_links(const OnnxNode& node, std::size_t index) {
  for (const std::string& input : node.inputs) {
    Uses& uses = uses_[input];
    ++uses.count;
    uses.last = index;
  }
  for (const std::string& output : node.outputs) producers_.emplace(output, index);
  if (node.op_type != "Constant" || node.outputs.size() != 1) return;
  for (const OnnxAttribute& attribute : node.attributes) {
    const auto* tensor = std::get_if<OnnxTensor>(&attribute.value);
    if (attribute.name == "value" && tensor != nullptr) constants_.emplace(node.outputs.front(), tensor);
  }
}

const OnnxTensor* ModelValues::constant(const std::string& name) const {
  const auto found = constants_.find(name);
  return found == constants_.end() ? nullptr : found->second;
}

const OnnxTensor* ModelValues::constant(const OnnxNode& node, std::size_t input) const {
  return input < node.inputs.size() ? constant(node.inputs[input]) : nullptr;
}

std::optional<std::size_t> ModelValues::producer(const std::string& name) const {
  const auto found = producers_.find(name);
  return found == producers_.end() ? std::nullopt : std::optional(found->second);
}

ModelValues::Uses ModelValues::uses(const std::string& name) const {
  const auto found = uses_.find(name);
  return found == uses_.end() ? Uses{} : found->second;
}

std::string ModelValues::add_constant(const std::string& wanted, OnnxTensor tensor) {
  std::string name = wanted;
  for (int n = 2; constants_.contains(name) || producers_.contains(name) || uses_.contains(name); ++n)
    name = wanted + "#" + std::to_string(n);
  added_.push_back({name, std::move(tensor)});
  constants_.emplace(name, &added_.back().tensor);
  return name;
}

void ModelValues::give_constants_to(OnnxModel& model) {
  for (OnnxInitializer& constant : added_) model.initializers.push_back(std::move(constant));
  added_.clear();
}

}  // namespace qsim::onnx_format
