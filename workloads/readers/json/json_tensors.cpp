#include "workloads/readers/json/json_tensors.h"

#include "workloads/graph/graph_check.h"

namespace qsim {

TensorId TensorTable::add(const std::string& path, const std::string& name, std::optional<Shape> shape,
                          std::optional<Quantization> quantization) {
  const auto id = static_cast<TensorId>(graph_.tensors.size());
  if (name.empty()) problems_.add(path, "\"\"", "a name");
  if (!name.empty() && !by_name_.emplace(name, id).second) {
    problems_.add(path, in_quotes(name), "a name that no other tensor has");
  }
  Tensor tensor;
  tensor.name = name;
  tensor.type =
      quantization ? smallest_element_type(quantization->bits, quantization->is_signed) : ElementType::f32;
  tensor.quantization = std::move(quantization);
  has_shape_.push_back(shape.has_value());
  tensor.shape = std::move(shape).value_or(Shape{1});
  graph_.tensors.push_back(std::move(tensor));
  return id;
}

TensorId TensorTable::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? kNoTensor : found->second;
}

std::vector<std::string> TensorTable::names() const {
  std::vector<std::string> names;
  for (const auto& [name, id] : by_name_) names.push_back(name);
  return names;
}

std::optional<Shape> read_shape(JsonObject& description, const std::string& key) {
  const nlohmann::ordered_json* value = description.raw(key);
  const bool wrong_type = value == nullptr || !value->is_array();
  Shape shape = description.integers(key, 1, kMaxTensorElements);
  if (wrong_type || shape.size() != value->size()) return std::nullopt;  // integers() has reported it.
  if (checked_element_count(shape) < 0) {
    description.problem(key, "at most " + std::to_string(kMaxTensorElements) + " elements");
    return std::nullopt;
  }
  if (shape.size() > 8) {
    description.problem(key, "at most 8 dimensions");
    return std::nullopt;
  }
  return shape;
}

std::vector<int> read_model_axes(JsonObject& description) {
  std::vector<int> axes;
  for (const std::int64_t axis : description.integers("model_axes", 0, 7, std::vector<std::int64_t>{}))
    axes.push_back(static_cast<int>(axis));
  return axes;
}

std::string in_quotes(const std::string& word) {
  return '"' + word + '"';
}

std::string nearest_hint(const std::string& word, const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(word, known);
  return nearest.empty() ? "" : "did you mean " + in_quotes(nearest) + "?";
}

}  // namespace qsim
