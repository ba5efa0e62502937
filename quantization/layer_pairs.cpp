#include "quantization/layer_pairs.h"

#include <algorithm>
#include <optional>

#include "quantization/graph_edits.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

bool is_layer(const Graph& graph, const Node& node) {
  return definition(node.op).has_weights && graph.tensor(node.inputs[1]).is_float();
}

/// The only node that reads a tensor, where there is one and the tensor is no output.
std::optional<std::size_t> only_reader(const Graph& graph, TensorId id) {
  if (use_count(graph, id) != 1) return std::nullopt;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (std::ranges::count(graph.nodes[i].inputs, id) > 0) return i;
  }
  return std::nullopt;
}

/// The layer that the channels of layer `first` reach with their factors.
std::optional<LayerPair> pair_from(const Graph& graph, std::size_t first_index) {
  const Node& first = graph.nodes[first_index];
  LayerPair pair{first_index, 0, {}};
  const Activation activation = *fused_activation(first.op);
  if (activation != Activation::none && activation != Activation::relu) return std::nullopt;
  TensorId id = first.outputs[0];
  const std::int64_t channels = graph.tensor(id).shape.back();
  while (const std::optional<std::size_t> reader = only_reader(graph, id)) {
    const Node& node = graph.nodes[*reader];
    const Shape& shape = graph.tensor(id).shape;
    if (node.inputs[0] != id) return std::nullopt;
    if (is_layer(graph, node)) {
      const bool is_flat = std::holds_alternative<FullyConnectedOp>(node.op);
      const std::int64_t depth = graph.tensor(node.inputs[1]).shape.back();
      if (is_flat ? depth % channels != 0 : shape.back() != channels) return std::nullopt;
      pair.second = *reader;
      return pair;
    }
    const auto keeps_factors = definition(node.op).keeps_factors;
    if (keeps_factors == nullptr || shape.back() != channels || !keeps_factors(node.op, shape)) {
      return std::nullopt;
    }
    pair.between.push_back(*reader);
    id = node.outputs[0];
  }
  return std::nullopt;
}

}  // namespace

std::vector<LayerPair> layer_pairs(const Graph& graph) {
  std::vector<LayerPair> pairs;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!is_layer(graph, graph.nodes[i])) continue;
    if (std::optional<LayerPair> pair = pair_from(graph, i)) pairs.push_back(std::move(*pair));
  }
  return pairs;
}

}  // namespace qsim
