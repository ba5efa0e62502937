#include "quantization/graph_edits.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "workloads/ops/definition.h"
#include "workloads/ops/unary.h"

namespace qsim {
namespace {

/// The fused activation that a node of its own stands for.
std::optional<Activation> fusible_activation(const Node& node) {
  const auto* op = std::get_if<UnaryOp>(&node.op);
  return op == nullptr ? std::nullopt : activation_of(*op);
}

/// The node that makes a tensor.
Node* producer_of(Graph& graph, TensorId id) {
  const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                  [id](const Node& node) { return node.outputs[0] == id; });
  return found == graph.nodes.end() ? nullptr : &*found;
}

/// Lets `into` make what `absorbed` made, and takes `absorbed` out.
void absorb(Graph& graph, Node& into, std::size_t absorbed) {
  into.outputs = graph.nodes[absorbed].outputs;
  graph.folded_nodes.push_back(graph.nodes[absorbed].name);
  graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(absorbed));
}

/// W'[n] = scale[n] W[n], b'[n] = scale[n] b[n] + shift[n]
void scale_layer(Graph& graph, Node& node, const TensorData& scale, const TensorData& shift) {
  Tensor& weights = own_constant(graph, node, 1);
  const std::size_t channels = scale.as<float>().size();
  const std::span<float> w = weights.data->as<float>();
  const std::size_t depth = w.size() / channels;
  for (std::size_t i = 0; i < w.size(); ++i) {
    w[i] = static_cast<float>(static_cast<double>(w[i]) * static_cast<double>(scale.as<float>()[i / depth]));
  }
  const std::span<float> b = own_bias(graph, node, static_cast<std::int64_t>(channels)).data->as<float>();
  for (std::size_t n = 0; n < channels; ++n) {
    b[n] = static_cast<float>(static_cast<double>(b[n]) * static_cast<double>(scale.as<float>()[n]) +
                              static_cast<double>(shift.as<float>()[n]));
  }
}

}  // namespace

int use_count(const Graph& graph, TensorId id) {
  auto count = std::count(graph.outputs.begin(), graph.outputs.end(), id);
  for (const Node& node : graph.nodes) count += std::count(node.inputs.begin(), node.inputs.end(), id);
  return static_cast<int>(count);
}

Tensor& own_constant(Graph& graph, Node& node, std::size_t input) {
  if (use_count(graph, node.inputs[input]) > 1) {
    Tensor copy = graph.tensor(node.inputs[input]);
    copy.name += "#" + node.name;
    graph.tensors.push_back(std::move(copy));
    node.inputs[input] = static_cast<TensorId>(graph.tensors.size() - 1);
  }
  return graph.tensor(node.inputs[input]);
}

Tensor& own_bias(Graph& graph, Node& node, std::int64_t channels) {
  if (node.inputs.size() > 2 && node.inputs[2] != kNoTensor) return own_constant(graph, node, 2);
  Tensor bias;
  bias.name = node.name + "#bias";
  bias.shape = {channels};
  bias.type = ElementType::f32;
  bias.data = TensorData(ElementType::f32, bias.shape);
  node.inputs.resize(3, kNoTensor);
  graph.tensors.push_back(std::move(bias));
  node.inputs[2] = static_cast<TensorId>(graph.tensors.size() - 1);
  return graph.tensors.back();
}

int fold_batch_norm(Graph& graph) {
  int folded = 0;
  for (std::size_t i = 0; i < graph.nodes.size();) {
    const Node& norm = graph.nodes[i];
    Node* layer = std::holds_alternative<BatchNormOp>(norm.op) ? producer_of(graph, norm.inputs[0]) : nullptr;
    const bool fits =
        layer != nullptr && definition(layer->op).has_weights && use_count(graph, norm.inputs[0]) == 1 &&
        *fused_activation(layer->op) == Activation::none && graph.tensor(layer->inputs[1]).is_float();
    if (!fits) {
      ++i;
      continue;
    }
    // Copies: own_constant() may move the tensors.
    const TensorData scale = *graph.tensor(norm.inputs[1]).data;
    const TensorData shift = *graph.tensor(norm.inputs[2]).data;
    layer->distribution = norm.distribution;
    scale_layer(graph, *layer, scale, shift);
    absorb(graph, *layer, i);
    ++folded;
  }
  return folded;
}

int fuse_activations(Graph& graph) {
  int fused = 0;
  for (std::size_t i = 0; i < graph.nodes.size();) {
    const std::optional<Activation> activation = fusible_activation(graph.nodes[i]);
    Node* before = activation ? producer_of(graph, graph.nodes[i].inputs[0]) : nullptr;
    Activation* slot = before == nullptr ? nullptr : fused_activation(before->op);
    if (slot == nullptr || *slot != Activation::none || use_count(graph, graph.nodes[i].inputs[0]) != 1) {
      ++i;
      continue;
    }
    *slot = *activation;
    absorb(graph, *before, i);
    ++fused;
  }
  return fused;
}

int replace_relu6(Graph& graph) {
  int replaced = 0;
  for (Node& node : graph.nodes) {
    if (Activation* fused = fused_activation(node.op); fused != nullptr && *fused == Activation::relu6) {
      *fused = Activation::relu;
      ++replaced;
    } else if (fusible_activation(node) == Activation::relu6) {
      node.op = UnaryOp{UnaryKind::relu};
      ++replaced;
    }
  }
  return replaced;
}

int dequantize_weights(Graph& graph) {
  int count = 0;
  for (const Node& node : graph.nodes) {
    if (!definition(node.op).has_weights || !is_float_node(graph, node)) continue;
    Tensor& weights = graph.tensor(node.inputs[1]);
    if (weights.is_float()) continue;
    const float scale = weights.quantization->scale();
    TensorData real(ElementType::f32, weights.shape);
    for (std::int64_t i = 0; i < real.size(); ++i) {
      real.as<float>()[static_cast<std::size_t>(i)] = static_cast<float>(weights.data->at(i)) * scale;
    }
    weights.type = ElementType::f32;
    weights.quantization.reset();
    weights.data = std::move(real);
    ++count;
  }
  return count;
}

}  // namespace qsim
