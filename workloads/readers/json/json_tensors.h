// The tensors of a workload file while it is being read: by name, and with or without a known shape.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json_reader.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Builds Graph::tensors. A tensor whose shape could not be found out (because of a problem reported before)
/// is there all the same, so that what refers to it is not reported as well.
class TensorTable {
 public:
  TensorTable(Graph& graph, ProblemList& problems) : graph_(graph), problems_(problems) {}

  /// Adds a tensor; an empty or a second name is a problem at `path`. Shape absent: unknown.
  TensorId add(const std::string& path, const std::string& name, std::optional<Shape> shape,
               std::optional<Quantization> quantization);
  /// kNoTensor when there is none.
  [[nodiscard]] TensorId find(const std::string& name) const;
  [[nodiscard]] bool has_shape(TensorId id) const { return has_shape_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  Graph& graph_;
  ProblemList& problems_;
  std::map<std::string, TensorId> by_name_;
  std::vector<bool> has_shape_;
};

/// Reads "shape": dimensions of at least 1 whose product can be stored; nothing after a problem.
[[nodiscard]] std::optional<Shape> read_shape(JsonObject& description, const std::string& key = "shape");

/// Reads "model_axes": dimension i of the model is dimension model_axes[i] of the shape. validate() checks
/// them.
[[nodiscard]] std::vector<int> read_model_axes(JsonObject& description);

/// `word` in quotation marks; a hint that names the nearest of `known`.
[[nodiscard]] std::string in_quotes(const std::string& word);
[[nodiscard]] std::string nearest_hint(const std::string& word, const std::vector<std::string>& known);

}  // namespace qsim
