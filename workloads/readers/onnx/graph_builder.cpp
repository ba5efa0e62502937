#include "workloads/readers/onnx/graph_builder.h"

#include <algorithm>
#include <cassert>

#include "workloads/graph/strided_copy.h"
#include "workloads/readers/onnx/qonnx_quantizer.h"
#include "workloads/readers/onnx/split_moves.h"

namespace qsim::onnx_format {
namespace {

bool same_parameters(const std::optional<Quantization>& a, const std::optional<Quantization>& b) {
  if (!a || !b) return !a && !b;
  return a->bits == b->bits && a->is_signed == b->is_signed && a->scales == b->scales &&
         a->zero_points == b->zero_points && a->axis == b->axis;
}

Quantization with_axis(Quantization q, const DimensionOrder& order) {
  if (q.axis >= 0) q.axis = order.axes[static_cast<std::size_t>(q.axis)];
  return q;
}

}  // namespace

GraphBuilder::GraphBuilder(const ModelGraph& model, Graph& graph)
    : model_(model), graph_(graph), has_qonnx_(uses_qonnx(model.model())) {
  find_wishes();
}

std::string GraphBuilder::unique_tensor_name(const std::string& name) {
  std::string unique = name;
  for (int n = 2; !tensor_names_.insert(unique).second; ++n) unique = name + "#" + std::to_string(n);
  return unique;
}

std::string GraphBuilder::unique_node_name(const std::string& name) {
  std::string unique = name;
  for (int n = 2; !node_names_.insert(unique).second; ++n) unique = name + "#" + std::to_string(n);
  return unique;
}

void GraphBuilder::add_node(Node node, std::size_t origin) {
  if (needs_split(graph_, node)) {
    const SplitSinks sinks{[this](const Tensor& like, const std::string& name, const Shape& shape) {
                             return add_tensor(name, like.type, shape, like.quantization);
                           },
                           [this, origin](Node step) { add_node(std::move(step), origin); }};
    return split_move(graph_, node, sinks);
  }
  sources_.push_back({origin, node.name == model_.model().nodes[origin].name});
  node.name = unique_node_name(node.name);
  graph_.nodes.push_back(std::move(node));
}

TensorId GraphBuilder::add_tensor(const std::string& name, ElementType type, const Shape& graph_shape,
                                  const std::optional<Quantization>& quantization) {
  Tensor tensor;
  tensor.name = unique_tensor_name(name);
  tensor.shape = graph_shape;
  tensor.type = type;
  tensor.quantization = quantization;
  graph_.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(graph_.tensors.size() - 1);
}

TensorId GraphBuilder::add_result(const Result& result, const Shape& shape, const DimensionOrder& order) {
  const std::optional<ElementType> type = graph_element_type(result.type);
  assert(type.has_value());
  const TensorId id = add_tensor(result.value, *type, order.graph_shape(shape), result.quantization);
  if (!order.is_plain()) graph_.tensor(id).model_axes = order.axes;
  ValueInfo& added = add_value(result.value);
  added.type = result.type;
  added.shape = shape;
  added.forms = {id};
  return id;
}

DimensionOrder GraphBuilder::order_of(TensorId id) const {
  const Tensor& tensor = graph_.tensor(id);
  if (tensor.model_axes.empty()) return DimensionOrder::plain(tensor.shape.size());
  return {tensor.model_axes, tensor.shape.size()};
}

DimensionOrder GraphBuilder::order_of(const std::string& value) const {
  const ValueInfo& known = info(value);
  if (!known.forms.empty()) return order_of(known.forms.front());
  if (known.dequantized) return order_of(known.dequantized->value);
  return DimensionOrder::plain(known.shape.size());
}

TensorId GraphBuilder::tensor(const Operand& operand, const DimensionOrder& order, const NodeOrigin& user) {
  if (is_constant(operand.value)) return constant_operand(operand, order);
  ValueInfo& known = values_.at(operand.value);
  if (known.forms.empty()) dequantize(known, operand.value);
  for (const TensorId id : known.forms) {
    const bool same_scale =
        !operand.quantization || same_parameters(graph_.tensor(id).quantization, operand.quantization);
    if (same_scale && order_of(id) == order) return id;
  }
  const auto lies_so = std::find_if(known.forms.begin(), known.forms.end(),
                                    [&](TensorId form) { return order_of(form) == order; });
  TensorId id = lies_so != known.forms.end() ? *lies_so : known.forms.front();
  if (order_of(id) != order) {
    id = reordered(id, known.shape, order, user);
    known.forms.push_back(id);
  }
  if (operand.quantization && !same_parameters(graph_.tensor(id).quantization, operand.quantization)) {
    id = reinterpreted(id, *operand.quantization, user);
    known.forms.push_back(id);
  }
  return id;
}

/// The node that DequantizeLinear stands for, now that somebody wants the float.
void GraphBuilder::dequantize(ValueInfo& known, const std::string& value) {
  assert(known.dequantized.has_value());
  const std::size_t index = known.dequantize_node;
  const OnnxNode& own = model_.model().nodes[index];
  Node node{own.name, own.place, DequantizeOp{}, {}, {}};
  const Operand source = *known.dequantized;
  const DimensionOrder order = order_of(source.value);
  node.inputs = {tensor(source, order, {own.name, own.place, index})};
  node.outputs = {add_result({value, OnnxType::float32, {}}, known.shape, order)};
  add_node(std::move(node), index);
}

/// A transposition where elements move, a reshape where they do not.
TensorId GraphBuilder::reordered(TensorId from, const Shape& shape, const DimensionOrder& target,
                                 const NodeOrigin& user) {
  const DimensionOrder source = order_of(from);
  const auto make = [&](Op op, TensorId input, const Shape& graph_shape, const std::vector<int>& axes) {
    const Tensor original = graph_.tensor(input);
    const TensorId output =
        add_tensor(graph_.tensor(from).name + "#layout", original.type, graph_shape, original.quantization);
    graph_.tensor(output).model_axes = axes;
    add_node({user.name + "#layout",
              user.place + " layout of \"" + graph_.tensor(from).name + "\"",
              std::move(op),
              {input},
              {output}},
             user.index);
    return output;
  };
  const std::vector<int> target_axes = target.is_plain() ? std::vector<int>{} : target.axes;
  if (same_element_order(shape, source, target))
    return make(ReshapeOp{}, from, target.graph_shape(shape), target_axes);
  // The source's dimensions, those of the model in the target's order and those that stay empty first.
  TransposeOp transpose;
  const std::vector<int> dimensions = source.model_dimensions();
  for (std::size_t d = 0; d < dimensions.size(); ++d) {
    if (dimensions[d] < 0) transpose.permutation.push_back(static_cast<int>(d));
  }
  const std::size_t empty = transpose.permutation.size();
  std::vector<int> axes(shape.size());
  for (const int d : target.model_dimensions()) {
    if (d < 0) continue;
    axes[static_cast<std::size_t>(d)] = static_cast<int>(transpose.permutation.size());
    transpose.permutation.push_back(source.axes[static_cast<std::size_t>(d)]);
  }
  if (empty == 0 && source.rank == target.rank)
    return make(std::move(transpose), from, target.graph_shape(shape), target_axes);
  const DimensionOrder between{axes, source.rank};
  const TensorId moved = make(std::move(transpose), from, between.graph_shape(shape), axes);
  if (between == target) return moved;
  return make(ReshapeOp{}, moved, target.graph_shape(shape), target_axes);
}

/// The same integers at another scale.
TensorId GraphBuilder::reinterpreted(TensorId from, const Quantization& quantization,
                                     const NodeOrigin& user) {
  const Tensor original = graph_.tensor(from);
  const TensorId output = add_tensor(original.name + "#scale", original.type, original.shape, quantization);
  graph_.tensor(output).model_axes = original.model_axes;
  add_node({user.name + "#scale",
            user.place + " scale of \"" + original.name + "\"",
            ReshapeOp{},
            {from},
            {output}},
           user.index);
  return output;
}

TensorId GraphBuilder::constant_operand(const Operand& operand, const DimensionOrder& order) {
  ConstantKey key{operand.value, order.axes, {}, {}};
  if (operand.quantization) {
    key.scales = operand.quantization->scales;
    key.zero_points = operand.quantization->zero_points;
  }
  const auto found = constant_tensors_.find(key);
  if (found != constant_tensors_.end()) return found->second;
  const OnnxTensor& given = *constant(operand.value);
  TensorId id = kNoTensor;
  if (given.shape.size() == order.axes.size()) {
    id = constant_tensor(operand.value, given, order, operand.quantization);
  } else {
    // Broadcasting aligns dimensions at the end.
    assert(given.shape.size() < order.axes.size());
    const std::size_t added = order.axes.size() - given.shape.size();
    OnnxTensor wide = given;
    wide.shape.insert(wide.shape.begin(), added, 1);
    std::optional<Quantization> quantization = operand.quantization;
    if (quantization && quantization->axis >= 0) quantization->axis += static_cast<int>(added);
    id = constant_tensor(operand.value, wide, order, quantization);
  }
  constant_tensors_[key] = id;
  return id;
}

TensorId GraphBuilder::constant_tensor(const std::string& value, const OnnxTensor& tensor,
                                       const DimensionOrder& order,
                                       const std::optional<Quantization>& quantization) {
  // The graph's dimension d is the model's order.model_dimensions()[d].
  const std::vector<std::int64_t> strides = row_major_strides(tensor.shape);
  std::vector<std::int64_t> graph_strides;
  for (const int d : order.model_dimensions())
    graph_strides.push_back(d < 0 ? 0 : strides[static_cast<std::size_t>(d)]);
  const Shape shape = order.graph_shape(tensor.shape);
  const std::optional<ElementType> type = graph_element_type(tensor.type);
  if (!type) {
    throw InputError(Problem{model_.model().file, "constant \"" + value + "\"", onnx_type_name(tensor.type),
                             "FLOAT or integers of at most 16 bits", "convert the model to float32"});
  }
  count_constant(value, tensor.bytes.size());
  const TensorId id = add_tensor(
      value, *type, shape, quantization ? std::optional(with_axis(*quantization, order)) : std::nullopt);
  Tensor& added = graph_.tensor(id);
  added.data.emplace();
  added.data->type = *type;
  added.data->shape = shape;
  added.data->bytes = order.is_plain() ? tensor.bytes : rearranged(tensor, shape, graph_strides, 0).bytes;
  if (!order.is_plain()) added.model_axes = order.axes;
  return id;
}

}  // namespace qsim::onnx_format
