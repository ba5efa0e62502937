// Private to the writer of workload files.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "workloads/formats/safetensors.h"
#include "workloads/graph/graph.h"

namespace qsim {

using OrderedJson = nlohmann::ordered_json;

/// A float32 as the shortest number that reads back as the same float32.
[[nodiscard]] OrderedJson float_json(float value);

/// Describes nodes one after the other. A constant is described where it is first used and named afterwards.
class LayerWriter {
 public:
  explicit LayerWriter(const Graph& graph) : graph_(graph) {}

  [[nodiscard]] OrderedJson input(TensorId id) const;
  /// Constants that no layer can describe: those of operations that read a tensor by name, and outputs.
  [[nodiscard]] std::vector<OrderedJson> shared_constants();
  [[nodiscard]] OrderedJson layer(const Node& node);
  [[nodiscard]] std::vector<FileTensor> constants() const { return constants_; }

 private:
  [[nodiscard]] OrderedJson constant(TensorId id, const std::string& default_name);
  [[nodiscard]] OrderedJson bias(const Node& node);
  [[nodiscard]] OrderedJson operand(TensorId id, const std::string& default_name);
  [[nodiscard]] OrderedJson output(const Node& node, bool decides_shape) const;
  [[nodiscard]] bool is_described(TensorId id) const { return described_.count(id) != 0; }
  void keep(TensorId id);

  const Graph& graph_;
  std::set<TensorId> described_;
  std::vector<FileTensor> constants_;
};

}  // namespace qsim
