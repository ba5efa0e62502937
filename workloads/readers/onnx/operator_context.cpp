#include "workloads/readers/onnx/operator_context.h"

#include "workloads/graph/graph_check.h"

namespace qsim::onnx_format {

OperatorContext::OperatorContext(GraphBuilder& graph_builder, std::size_t node_index,
                                 const OperatorRow& plain_row)
    : builder(graph_builder),
      index(node_index),
      node(builder.model().model().nodes[node_index]),
      row(plain_row),
      attributes(node, builder.model().model().file),
      place(node.place) {}

void OperatorContext::fail(const std::string& subject, const std::string& value, const std::string& expected,
                           const std::string& hint) const {
  throw InputError(Problem{file(), place + (subject.empty() ? "" : " " + subject), value, expected, hint});
}

void OperatorContext::expect_inputs(std::size_t min, std::size_t max) const {
  if (operands.size() < min || operands.size() > max)
    fail("inputs", std::to_string(operands.size()),
         min == max ? std::to_string(min) : std::to_string(min) + " to " + std::to_string(max));
  for (std::size_t i = 0; i < min; ++i) {
    if (!has(i)) fail("input " + std::to_string(i), "none", "a tensor");
  }
  for (std::size_t i = row.has_several_results ? node.outputs.size() : 1; i < node.outputs.size(); ++i) {
    const std::string& output = node.outputs[i];
    if (output.empty() || (builder.model().consumers(output).empty() && !builder.model().is_output(output)))
      continue;
    fail("output \"" + output + "\"", "an output beside the first that is used", "the first output alone");
  }
}

TensorId OperatorContext::tensor(std::size_t i, const DimensionOrder& order) {
  return builder.tensor(operands[i], order, {node.name, place, index});
}

std::optional<std::vector<std::int64_t>> OperatorContext::indices(std::size_t i, const char* what) {
  if (!has(i)) return std::nullopt;
  const OnnxTensor* value = builder.constant(operands[i].value);
  if (value == nullptr) {
    fail(std::string(what) + " \"" + operands[i].value + "\"", "a tensor computed at run time",
         "a constant, or what follows from shapes",
         builder.constant_remedy(operands[i].value,
                                 "fix the input shapes with --shape, or fold the model's constants"));
  }
  if (!value->is_integer()) fail(what, onnx_type_name(value->type), "integers");
  std::vector<std::int64_t> values;
  for (std::int64_t e = 0, count = value->size(); e < count; ++e) values.push_back(value->integer(e));
  return values;
}

std::optional<std::vector<std::int64_t>> OperatorContext::list(std::size_t i, const char* attribute) {
  auto stated = attributes.integers(attribute);
  return has(i) ? indices(i, attribute) : stated;
}

std::optional<std::vector<float>> OperatorContext::reals(std::size_t i, const char* what) {
  if (!has(i)) return std::nullopt;
  const OnnxTensor* value = builder.constant(operands[i].value);
  if (value == nullptr)
    fail(std::string(what) + " \"" + operands[i].value + "\"", "a tensor computed at run time", "a constant",
         builder.constant_remedy(operands[i].value));
  if (value->type != OnnxType::float32) fail(what, onnx_type_name(value->type), "FLOAT");
  std::vector<float> values;
  for (std::int64_t e = 0, count = value->size(); e < count; ++e) values.push_back(value->get<float>(e));
  return values;
}

std::int64_t OperatorContext::wrapped_axis(std::int64_t axis, std::size_t rank, const char* what) const {
  const auto size = static_cast<std::int64_t>(rank);
  const std::int64_t wrapped = axis < 0 ? axis + size : axis;
  if (wrapped < 0 || wrapped >= size)
    fail(what, std::to_string(axis), std::to_string(-size) + " to " + std::to_string(size - 1));
  return wrapped;
}

Node OperatorContext::new_node(Op op, std::vector<TensorId> inputs) const {
  return {node.name, place, std::move(op), std::move(inputs), {}};
}

TensorId OperatorContext::add_step(const std::string& suffix, Op op, std::vector<TensorId> inputs,
                                   const Shape& graph_shape) {
  const Tensor like = builder.graph().tensor(inputs.front());
  Node step = new_node(std::move(op), std::move(inputs));
  step.name += "#" + suffix;
  const TensorId output =
      builder.add_tensor(results.front().value + "#" + suffix, like.type, graph_shape, like.quantization);
  step.outputs = {output};
  builder.add_node(std::move(step), index);
  return output;
}

void OperatorContext::emit(Op op, std::vector<TensorId> inputs, const Shape& shape,
                           const DimensionOrder& order, std::size_t result) {
  const Result& made = results[result];
  if (!graph_element_type(made.type))
    fail("output", onnx_type_name(made.type), "FLOAT or integers of at most 16 bits",
         "convert the model to float32");
  if (checked_element_count(shape) < 0) {
    fail("output", "shape " + to_string(shape),
         "dimensions of at least 1 and at most " + std::to_string(kMaxTensorElements) + " elements");
  }
  Node added = new_node(std::move(op), std::move(inputs));
  added.outputs = {builder.add_result(made, shape, order)};
  added.requantization = made.requantization;
  builder.add_node(std::move(added), index);
}

void OperatorContext::emit_move(Op op, std::vector<TensorId> inputs, const Shape& shape,
                                const DimensionOrder& order, std::size_t result) {
  const std::optional<Quantization> to = results[result].quantization;
  const std::optional<Quantization> from = builder.graph().tensor(inputs.front()).quantization;
  const bool same = !to || (from && from->bits == to->bits && from->is_signed == to->is_signed &&
                            from->scales == to->scales && from->zero_points == to->zero_points);
  if (same) return emit(std::move(op), std::move(inputs), shape, order, result);
  const ElementType type = builder.graph().tensor(inputs.front()).type;
  Node move = new_node(std::move(op), std::move(inputs));
  const TensorId moved =
      builder.add_tensor(results[result].value + "#before", type, order.graph_shape(shape), from);
  if (!order.is_plain()) builder.graph().tensor(moved).model_axes = order.axes;
  move.outputs = {moved};
  builder.add_node(std::move(move), index);
  Node requantize = new_node(QuantizeOp{}, {moved});
  const bool has_own = result < quantizers.size();
  requantize.name =
      has_own ? builder.model().model().nodes[quantizers[result]].name : node.name + "#requantize";
  requantize.outputs = {builder.add_result(results[result], shape, order)};
  builder.add_node(std::move(requantize), has_own ? quantizers[result] : index);
}

}  // namespace qsim::onnx_format
