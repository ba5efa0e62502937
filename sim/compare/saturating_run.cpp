#include "sim/compare/saturating_run.h"

#include "sim/compare/compare_tensors.h"
#include "sim/compare/mac_sums.h"
#include "sim/compare/suspects.h"
#include "workloads/execute/execute.h"
#include "workloads/graph/blocks.h"
#include "workloads/graph/conv_geometry.h"

namespace qsim {
namespace {

std::optional<TensorData> stored(const TensorSet& set, const Tensor& tensor) {
  const NamedTensor* found = set.find(tensor.name);
  return found == nullptr ? std::nullopt : as_graph_stores(tensor, found->data);
}

/// Layers whose kernels saturate in ONNX Runtime (docs/compare_outputs.md).
bool loses_pairs(const Graph& graph, const Node& node) {
  if (is_float_node(graph, node) || multiplies_blocks(graph, node) || mac_count(graph, node) == 0)
    return false;
  if (!graph.tensor(node.inputs[1]).is_constant() || !has_saturated_pairs(graph, node)) return false;
  if (graph.tensor(node.inputs[0]).quantization->is_signed) return false;
  if (!std::holds_alternative<Conv2dOp>(node.op)) return true;
  const ConvGeometry g = conv_geometry(graph, node);
  const bool is_depthwise = g.groups > 1 && g.group_channels() == 1 && g.group_outputs() == 1;
  return !is_depthwise && graph.tensor(node.outputs[0]).quantization->bits <= 16;
}

/// The network on kernels of either kind.
class Run {
 public:
  Run(const Graph& graph, PairSum pairs) : graph_(graph), pairs_(pairs), executor_(graph) {}

  bool set_inputs(const TensorSet& values, const TensorSet& reference) {
    for (const TensorId id : graph_.inputs) {
      std::optional<TensorData> value = stored(reference, graph_.tensor(id));
      if (!value) value = stored(values, graph_.tensor(id));
      if (!value) return false;
      executor_.set_input(id, std::move(*value));
    }
    return true;
  }

  /// Whether every tensor of `reference` that a node computes comes out; ends at the first that does not.
  bool gives(const TensorSet& reference) {
    MacContext context;
    context.rounding_profile = arithmetic::RoundingProfile::float32;
    for (const Node& node : graph_.nodes) {
      const TensorId id = node.outputs[0];
      if (pairs_ == PairSum::saturated_to_16_bits && loses_pairs(graph_, node)) {
        executor_.set_input(id, saturated_output(layer_of(node)));
      } else {
        static_cast<void>(executor_.run_node(node, context));
      }
      const std::optional<TensorData> wanted = stored(reference, graph_.tensor(id));
      if (wanted && compare_values(executor_.value(id), *wanted, {}).unequal > 0) return false;
    }
    return true;
  }

 private:
  [[nodiscard]] LayerInputs layer_of(const Node& node) const {
    LayerInputs layer{graph_, node, {}};
    for (const TensorId id : node.inputs)
      layer.values.push_back(id == kNoTensor ? nullptr : &executor_.value(id));
    return layer;
  }

  const Graph& graph_;
  PairSum pairs_;
  Executor executor_;
};

bool gives(const Graph& graph, PairSum pairs, const TensorSet& values, const TensorSet& reference) {
  Run run(graph, pairs);
  return run.set_inputs(values, reference) && run.gives(reference);
}

}  // namespace

bool only_saturating_kernels_give(const Graph& graph, const TensorSet& values, const TensorSet& reference) {
  return graph.semantics == Semantics::onnx &&
         gives(graph, PairSum::saturated_to_16_bits, values, reference) &&
         !gives(graph, PairSum::exact, values, reference);
}

}  // namespace qsim
