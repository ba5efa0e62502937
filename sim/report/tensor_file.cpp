#include "sim/report/tensor_file.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "workloads/formats/safetensors.h"

namespace qsim {
namespace {

/// A list, or its only entry.
template <typename Number>
nlohmann::ordered_json list_or_number(const std::vector<Number>& numbers) {
  return numbers.size() == 1 ? nlohmann::ordered_json(numbers.front()) : nlohmann::ordered_json(numbers);
}

std::string quantization_text(const Quantization& quantization) {
  nlohmann::ordered_json json = {{"bits", quantization.bits},
                                 {"signed", quantization.is_signed},
                                 {"scale", list_or_number(quantization.scales)},
                                 {"zero_point", list_or_number(quantization.zero_points)}};
  if (quantization.scales.size() > 1) json["axis"] = quantization.axis;
  if (quantization.block_size > 0) json["block_size"] = quantization.block_size;
  if (quantization.group_size > 0) json["group_size"] = quantization.group_size;
  return json.dump();
}

}  // namespace

std::vector<std::string> unique_tensor_names(const std::vector<NamedTensor>& tensors) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const NamedTensor& tensor : tensors) {
    const std::string base = tensor.name.empty() ? "tensor_" + std::to_string(names.size()) : tensor.name;
    std::string name = base;
    for (int copy = 2; !taken.insert(name).second; ++copy) name = base + "#" + std::to_string(copy);
    names.push_back(std::move(name));
  }
  return names;
}

TensorData stored_form(const NamedTensor& tensor) {
  const TensorData& data = tensor.data;
  if (!tensor.quantization || data.type == ElementType::f32) return data;
  const ElementType type = smallest_element_type(tensor.quantization->bits, tensor.quantization->is_signed);
  if (type == data.type) return data;
  TensorData stored(type, data.shape);
  for (std::int64_t i = 0; i < data.size(); ++i) stored.set(i, data.at(i));
  return stored;
}

std::vector<NamedTensor> dumped_tensors(const RunResult& result) {
  std::vector<NamedTensor> tensors = result.dump;
  for (const NamedTensor& output : result.outputs) {
    const bool is_there = std::any_of(tensors.begin(), tensors.end(),
                                      [&](const NamedTensor& tensor) { return tensor.name == output.name; });
    if (!is_there) tensors.push_back(output);
  }
  return tensors;
}

void write_tensor_file(const std::string& path, const std::vector<NamedTensor>& tensors) {
  const std::vector<std::string> names = unique_tensor_names(tensors);
  std::vector<FileTensor> stored;
  std::map<std::string, std::string> metadata;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    stored.push_back({names[i], stored_form(tensors[i])});
    if (tensors[i].quantization) metadata[names[i]] = quantization_text(*tensors[i].quantization);
  }
  write_safetensors(path, stored, metadata);
}

}  // namespace qsim
