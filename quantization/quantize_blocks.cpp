#include "quantization/quantize_blocks.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "quantization/float_forms.h"
#include "quantization/graph_edits.h"
#include "workloads/graph/blocks.h"
#include "workloads/ops/block_rows.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

class BlockQuantizer {
 public:
  BlockQuantizer(Graph& graph, const std::vector<ObservedValues>& observed)
      : graph_(graph), observed_(observed), forms_(graph) {
    for (TensorId id = 0; id < static_cast<TensorId>(graph.tensors.size()); ++id)
      uses_.push_back(use_count(graph, id));
  }

  BlockLayers run() {
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (Node& node : nodes) {
      if (is_product(node)) {
        add_product(std::move(node));
      } else if (reads_blocks(node) && (block_function(graph_, node) || keeps_blocks(node))) {
        if (!keeps_blocks(node)) ++done_.vector_layers;
        add_in_blocks(std::move(node));
      } else {
        done_.host_nodes.push_back(node.name);
        for (TensorId& id : node.inputs) id = in_floats(id, node.place);
        graph_.nodes.push_back(std::move(node));
      }
    }
    for (TensorId& id : graph_.outputs) id = in_floats(id, "graph outputs");
    return std::move(done_);
  }

 private:
  /// Channels of an operand meet channels of the other.
  [[nodiscard]] bool is_product(const Node& node) const {
    const auto* convolution = std::get_if<Conv2dOp>(&node.op);
    if (convolution == nullptr && !std::holds_alternative<FullyConnectedOp>(node.op)) return false;
    if (convolution != nullptr && convolution->groups != 1) return false;
    const Tensor& weights = graph_.tensor(node.inputs[1]);
    const Tensor& input = graph_.tensor(node.inputs[0]);
    return weights.is_constant() && weights.is_float() && !input.is_constant() &&
           channels_of(input) == weights.shape.back() &&
           graph_.tensor(node.outputs[0]).shape.back() == weights.shape[0];
  }

  /// All inputs are made in blocks.
  [[nodiscard]] bool reads_blocks(const Node& node) const {
    return std::ranges::all_of(node.inputs,
                               [&](TensorId id) { return id != kNoTensor && has_blocks(graph_.tensor(id)); });
  }

  /// Another shape of the same pixels.
  [[nodiscard]] bool keeps_blocks(const Node& node) const {
    return std::holds_alternative<ReshapeOp>(node.op) &&
           channels_of(graph_.tensor(node.inputs[0])) == channels_of(graph_.tensor(node.outputs[0]));
  }

  /// The other form of an activation.
  TensorId companion(TensorId id, const std::string& place) {
    if (!has_blocks(graph_.tensor(id))) return forms_.other(id, in_blocks(graph_.tensor(id)), place);
    Tensor form = graph_.tensor(id);
    form.shape.back() = channels_of(form);
    form.type = ElementType::f32;
    form.quantization.reset();
    return forms_.other(id, std::move(form), place);
  }

  TensorId in_floats(TensorId id, const std::string& place) {
    return id != kNoTensor && has_blocks(graph_.tensor(id)) ? companion(id, place) : id;
  }

  void add_product(Node node) {
    ++done_.layers;
    const TensorId input = node.inputs[0];
    const Range& seen = observed_[static_cast<std::size_t>(input)].limits();
    const double largest =
        std::max(std::abs(static_cast<double>(seen.low)), std::abs(static_cast<double>(seen.high)));
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor;
    Tensor weights =
        block_weights(graph_.tensor(node.inputs[1]), has_bias ? &graph_.tensor(node.inputs[2]) : nullptr,
                      largest > 0.0 ? std::ldexp(1.0, std::ilogb(largest) + 1) : 0.0);
    if (!has_blocks(graph_.tensor(input))) node.inputs[0] = companion(input, node.place);
    if (uses_[static_cast<std::size_t>(node.inputs[1])] > 1) {
      node.inputs[1] = forms_.add_tensor(std::move(weights), "#" + node.name);
    } else {
      graph_.tensor(node.inputs[1]) = std::move(weights);
    }
    add_in_blocks(std::move(node));
  }

  /// With its output in blocks, and in floats where it is one of the graph's.
  void add_in_blocks(Node node) {
    Tensor& output = graph_.tensor(node.outputs[0]);
    const bool is_output = std::ranges::find(graph_.outputs, node.outputs[0]) != graph_.outputs.end();
    if (!is_output) {
      output = in_blocks(std::move(output));
      graph_.nodes.push_back(std::move(node));
      return;
    }
    // The name stays with the floats.
    const TensorId floats = node.outputs[0];
    const std::string place = node.place;
    const TensorId blocks = forms_.add_tensor(in_blocks(graph_.tensor(floats)), "#blocks");
    node.outputs[0] = blocks;
    forms_.set_other(floats, blocks);
    graph_.nodes.push_back(std::move(node));
    graph_.nodes.push_back(
        {graph_.tensor(floats).name + "#dequantize", place, DequantizeOp{}, {blocks}, {floats}});
  }

  /// `input_limit`: above every |x|.
  [[nodiscard]] static Tensor block_weights(const Tensor& floats, const Tensor* bias, double input_limit) {
    Tensor weights = in_blocks(floats);
    TensorData data(ElementType::i8, weights.shape);
    const std::int64_t channels = floats.shape.back();
    to_blocks(floats.data->as<float>(), channels, data.as<std::int8_t>());
    std::vector<float> values(static_cast<std::size_t>(floats.data->size()));
    from_blocks(data.as<std::int8_t>(), channels, values);
    const auto outputs = static_cast<std::size_t>(floats.shape[0]);
    const std::size_t depth = values.size() / outputs;
    double limit = 0.0;
    for (std::size_t n = 0; n < outputs; ++n) {
      double sum = 0.0;
      for (std::size_t k = 0; k < depth; ++k) sum += std::abs(static_cast<double>(values[n * depth + k]));
      sum *= input_limit;
      if (bias != nullptr) sum += std::abs(static_cast<double>(bias->data->as<float>()[n]));
      limit = std::max(limit, sum);
    }
    weights.quantization->block_range = limit > 0.0 ? std::ilogb(limit) + 1 : 0;
    weights.data = std::move(data);
    return weights;
  }

  Graph& graph_;
  const std::vector<ObservedValues>& observed_;
  std::vector<int> uses_;  ///< By tensor of the float graph.
  FloatForms forms_;
  BlockLayers done_;
};

}  // namespace

BlockLayers quantize_to_blocks(Graph& graph, const std::vector<ObservedValues>& observed) {
  return BlockQuantizer(graph, observed).run();
}

}  // namespace qsim
