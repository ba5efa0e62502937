// The layers of a workload file: their wiring first, then, in an order that computes, everything else.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "workloads/readers/json/json_constants.h"
#include "workloads/readers/json/json_ops.h"
#include "workloads/readers/json/json_tensors.h"
#include "workloads/readers/json/json_workload.h"

namespace qsim {

/// All entries of the list (nullptr: none) in the order of the file.
[[nodiscard]] std::vector<ListedLayer> list_layers(const nlohmann::ordered_json* layers);

class LayerReader {
 public:
  /// Graph inputs and constants are in `table` already.
  LayerReader(Graph& graph, TensorTable& table, ConstantSources& constants, ProblemList& problems)
      : graph_(graph), table_(table), constants_(constants), problems_(problems) {}

  /// Reads the "layers" list (nullptr: absent) and appends its nodes to the graph.
  void read(const nlohmann::ordered_json* layers);

 private:
  struct Layer {
    JsonObject json;
    std::string path;
    std::string name;
    const OpForm* form = nullptr;     ///< nullptr: the operation is unknown.
    std::vector<std::string> inputs;  ///< Names; "" for a constant that is described in place.
    std::string output;
  };

  void read_wiring(const nlohmann::ordered_json& json, const std::string& path);
  void read_input_names(Layer& layer);
  [[nodiscard]] std::vector<std::size_t> read_order();
  void read_layer(Layer& layer);
  [[nodiscard]] std::vector<TensorId> read_inputs(Layer& layer);
  [[nodiscard]] TensorId read_constant(Layer& layer, const nlohmann::ordered_json& description,
                                       const std::string& path, const std::string& default_name);
  [[nodiscard]] TensorId find_constant(Layer& layer, const std::string& key, const std::string& name);
  void read_weights(Layer& layer, Node& node);
  void read_bias(Layer& layer, Node& node);
  void add_output(Layer& layer, Node& node, const std::optional<Shape>& attribute_shape);
  [[nodiscard]] std::optional<Quantization> read_output_quantization(Layer& layer, const Node& node,
                                                                     JsonObject& description,
                                                                     const std::optional<Shape>& shape);
  [[nodiscard]] std::optional<Shape> shape_of(TensorId id) const;
  [[nodiscard]] bool known(TensorId id) const { return id != kNoTensor && table_.has_shape(id); }

  Graph& graph_;
  TensorTable& table_;
  ConstantSources& constants_;
  ProblemList& problems_;
  std::vector<Layer> layers_;
  std::map<std::string, std::size_t> producer_;  ///< Layer by output name.
};

/// Reads a constant from its description (name, shape, quantization, values). `default_name` is taken where
/// the description has none; "" makes the name required.
[[nodiscard]] TensorId read_constant_tensor(Graph& graph, TensorTable& table, ConstantSources& constants,
                                            const nlohmann::ordered_json& description,
                                            const std::string& path, const std::string& default_name,
                                            ProblemList& problems);

}  // namespace qsim
