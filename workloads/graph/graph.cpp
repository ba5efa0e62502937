#include "workloads/graph/graph.h"

#include "workloads/graph/blocks.h"
#include "workloads/ops/definition.h"

namespace qsim {

std::string_view op_name(const Graph& graph, const Node& node) {
  return form_of(graph, node).name;
}

bool is_float_node(const Graph& graph, const Node& node) {
  if (converts_blocks(graph, node)) return true;
  if (!graph.tensor(node.inputs[0]).is_float()) return false;
  return graph.tensor(node.outputs[0]).is_float() || definition(node.op).quantizes_by_range;
}

Shape dynamic_result_shape(DynamicResult result, const Shape& input) {
  const bool is_tensor = result == DynamicResult::values || result == DynamicResult::differences;
  return is_tensor ? input : Shape{};
}

std::optional<Quantization> dynamic_result_quantization(DynamicResult result) {
  if (result == DynamicResult::scale) return std::nullopt;
  const bool is_signed = result == DynamicResult::differences;
  return Quantization{is_signed ? 16 : 8, is_signed, {1.0F}, {0}, -1, 0};
}

std::int64_t mac_count(const Graph& graph, const Node& node) {
  const OpDefinition& row = definition(node.op);
  if (row.engine != Engine::mac_array) return 0;
  const std::int64_t outputs = values_of(graph.tensor(node.outputs[0]));
  if (!row.has_weights) return outputs * graph.tensor(node.inputs[0]).shape.back();
  // Weights are [out_channels, reduction...], so that reduction length = elements / out_channels.
  const Tensor& weights = graph.tensor(node.inputs[1]);
  return outputs * (values_of(weights) / weights.shape[0]);
}

}  // namespace qsim
