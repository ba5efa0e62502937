#include "sim/compare/tensor_set.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json_reader.h"
#include "workloads/formats/npy.h"
#include "workloads/formats/safetensors.h"
#include "workloads/graph/layout.h"

namespace qsim {
namespace {

/// {"bits": 8, "signed": true, "scale": 0.5, "zero_point": -3}: one scale, as activations have.
std::optional<Quantization> read_quantization(const std::string& text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  const auto is = [&](const char* key, auto test) { return json.contains(key) && (json[key].*test)(); };
  if (!json.is_object() || !is("bits", &nlohmann::json::is_number_integer) ||
      !is("signed", &nlohmann::json::is_boolean) || !is("scale", &nlohmann::json::is_number) ||
      !is("zero_point", &nlohmann::json::is_number_integer)) {
    return std::nullopt;
  }
  Quantization q;
  q.bits = json["bits"].get<int>();
  q.is_signed = json["signed"].get<bool>();
  q.scales = {json["scale"].get<float>()};
  q.zero_points = {json["zero_point"].get<std::int32_t>()};
  return q;
}

std::string lower_extension(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 6;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i > 0 ? ", " : "") + names[i];
  return names.size() > kShown ? text + ", .." : text;
}

}  // namespace

const NamedTensor* TensorSet::find(const std::string& name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const NamedTensor& tensor) { return tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

std::vector<std::string> TensorSet::names() const {
  std::vector<std::string> names;
  for (const NamedTensor& tensor : tensors) names.push_back(tensor.name);
  return names;
}

TensorSet read_tensor_set(const std::string& path) {
  TensorSet set{path, {}};
  if (lower_extension(path) == ".npy") {
    set.tensors.push_back({"", read_npy(path), std::nullopt});
    return set;
  }
  SafetensorsReader reader(path);
  for (const std::string& name : reader.names()) {
    NamedTensor tensor{name, reader.read(name), std::nullopt};
    const auto metadata = reader.metadata().find(name);
    const bool is_integer = tensor.data.type != ElementType::f32;
    if (metadata != reader.metadata().end() && is_integer)
      tensor.quantization = read_quantization(metadata->second);
    set.tensors.push_back(std::move(tensor));
  }
  return set;
}

std::optional<TensorData> as_graph_stores(const Tensor& tensor, const TensorData& data) {
  if (data.shape != model_shape(tensor) || (data.type == ElementType::f32) != tensor.is_float())
    return std::nullopt;
  if (data.type == tensor.type) return from_model_layout(data, tensor);
  TensorData converted(tensor.type, data.shape);
  for (std::int64_t i = 0; i < data.size(); ++i) {
    converted.set(i, data.at(i));
    if (converted.at(i) != data.at(i)) return std::nullopt;
  }
  return from_model_layout(std::move(converted), tensor);
}

void keep_tensor(TensorSet& set, const std::string& name) {
  const NamedTensor* tensor = set.find(name);
  const bool is_nameless = set.tensors.size() == 1 && set.tensors[0].name.empty();
  if (is_nameless) return;
  if (tensor == nullptr) {
    const std::string nearest = nearest_name(name, set.names());
    throw InputError({"--tensor", "", '"' + name + '"', "one of the tensors of " + set.source,
                      nearest.empty() ? "it has " + listed(set.names()) : "did you mean " + nearest + "?"});
  }
  set.tensors = {NamedTensor(*tensor)};
}

void name_single_tensor(TensorSet& a, TensorSet& b) {
  const auto is_nameless = [](const TensorSet& set) {
    return set.tensors.size() == 1 && set.tensors[0].name.empty();
  };
  if (is_nameless(a) == is_nameless(b)) return;
  TensorSet& nameless = is_nameless(a) ? a : b;
  const TensorSet& named = is_nameless(a) ? b : a;
  if (named.tensors.size() != 1) {
    throw InputError({nameless.source, "", "an array without a name",
                      "a file with names beside the " + std::to_string(named.tensors.size()) +
                          " tensors of " + named.source,
                      "choose one of them: --tensor NAME"});
  }
  nameless.tensors[0].name = named.tensors[0].name;
}

}  // namespace qsim
