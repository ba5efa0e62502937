#include "workloads/readers/onnx/broadcasting.h"

namespace qsim::onnx_format {
namespace {

/// Right-aligns a shape to `rank` dimensions, as broadcasting does.
Shape aligned(const Shape& shape, std::size_t rank) {
  Shape result(rank - shape.size(), 1);
  result.insert(result.end(), shape.begin(), shape.end());
  return result;
}

}  // namespace

TensorId broadcast_operand(OperatorContext& context, std::size_t index, const DimensionOrder& order) {
  const std::size_t rank = order.axes.size();
  const Operand& given = context.operand(index);
  if (context.shape(index).size() == rank || context.is_constant(index)) return context.tensor(index, order);
  const TensorId from = context.tensor(index, DimensionOrder::plain(context.shape(index).size()));
  const Tensor original = context.builder.graph().tensor(from);
  const std::string name = original.name + "#broadcast";
  Node node = context.new_node(ReshapeOp{}, {from});
  node.name += "#broadcast";
  const Shape wide = aligned(context.shape(index), rank);
  node.outputs = {
      context.builder.add_result({name, context.builder.info(given.value).type, original.quantization}, wide,
                                 DimensionOrder::plain(rank))};
  context.builder.add_node(std::move(node), context.index);
  return context.builder.tensor({name, given.quantization}, order,
                                {context.node.name, context.place, context.index});
}

DimensionOrder common_order(const OperatorContext& context, std::size_t rank) {
  std::optional<DimensionOrder> common;
  bool differs = false;
  for (std::size_t i = 0; i < context.operands.size(); ++i) {
    if (!context.has(i) || context.is_constant(i) || context.shape(i).size() != rank) continue;
    differs = differs || (common && *common != context.order(i));
    if (!common) common = context.order(i);
  }
  if (!common) return DimensionOrder::plain(rank);
  if (differs && context.builder.wants_channels_last(context.results.front().value))
    return DimensionOrder::channels_last(rank);
  return *common;
}

}  // namespace qsim::onnx_format
