#include "workloads/readers/onnx/operator_reader.h"

#include <algorithm>
#include <array>

#include "workloads/graph/graph_check.h"

namespace qsim::onnx_format {
namespace {

constexpr const char* kMicrosoft = "com.microsoft";

}  // namespace

/// `moves`: takes integers without scales, too, and hands them on.
struct OperatorReader::TableRow {
  const char* domain;
  const char* name;
  Reading read;
  bool moves = false;
};

const OperatorReader::TableRow* OperatorReader::find_row(const std::string& domain,
                                                         const std::string& op_type) {
  using R = OperatorReader;
  static const std::array kRows{
      TableRow{"", "Conv", &R::read_conv},
      TableRow{"", "ConvTranspose", &R::read_conv_transpose},
      TableRow{"", "Gemm", &R::read_gemm},
      TableRow{"", "MatMul", &R::read_matmul},
      TableRow{"", "MaxPool", &R::read_max_pool, true},
      TableRow{"", "AveragePool", &R::read_average_pool},
      TableRow{"", "GlobalAveragePool", &R::read_global_average_pool},
      TableRow{"", "GlobalMaxPool", &R::read_global_max_pool},
      TableRow{"", "ReduceMean", &R::read_reduce_mean},
      TableRow{"", "ReduceSum", &R::read_reduce_sum},
      TableRow{"", "ReduceMax", &R::read_reduce_extreme},
      TableRow{"", "ReduceMin", &R::read_reduce_extreme},
      TableRow{"", "Resize", &R::read_resize, true},
      TableRow{"", "Add", &R::read_add},
      TableRow{"", "Sub", &R::read_sub},
      TableRow{"", "Mul", &R::read_mul},
      TableRow{"", "Div", &R::read_div},
      TableRow{"", "Min", &R::read_min},
      TableRow{"", "Max", &R::read_max},
      TableRow{"", "Pow", &R::read_pow},
      TableRow{"", "Relu", &R::read_function},
      TableRow{"", "LeakyRelu", &R::read_function},
      TableRow{"", "Sigmoid", &R::read_function},
      TableRow{"", "Tanh", &R::read_function},
      TableRow{"", "HardSigmoid", &R::read_function},
      TableRow{"", "HardSwish", &R::read_function},
      TableRow{"", "Elu", &R::read_function},
      TableRow{"", "Erf", &R::read_function},
      TableRow{"", "Exp", &R::read_function},
      TableRow{"", "Log", &R::read_function},
      TableRow{"", "Sqrt", &R::read_function},
      TableRow{"", "Reciprocal", &R::read_function},
      TableRow{"", "Neg", &R::read_function},
      TableRow{"", "Abs", &R::read_function},
      TableRow{"", "Floor", &R::read_function},
      TableRow{"", "Ceil", &R::read_function},
      TableRow{"", "Softplus", &R::read_function},
      TableRow{"", "Clip", &R::read_clip, true},
      TableRow{"", "Gelu", &R::read_gelu},
      TableRow{kMicrosoft, "Gelu", &R::read_gelu},
      TableRow{"", "PRelu", &R::read_prelu},
      TableRow{"", "Softmax", &R::read_softmax},
      TableRow{"", "LogSoftmax", &R::read_softmax},
      TableRow{"", "BatchNormalization", &R::read_batch_norm},
      TableRow{"", "InstanceNormalization", &R::read_instance_norm},
      TableRow{"", "LayerNormalization", &R::read_layer_norm},
      TableRow{"", "Reshape", &R::read_reshape, true},
      TableRow{"", "Flatten", &R::read_flatten, true},
      TableRow{"", "Squeeze", &R::read_squeeze, true},
      TableRow{"", "Unsqueeze", &R::read_unsqueeze, true},
      TableRow{"", "Transpose", &R::read_transpose, true},
      TableRow{"", "Concat", &R::read_concat, true},
      TableRow{"", "Split", &R::read_split, true},
      TableRow{"", "Slice", &R::read_slice, true},
      TableRow{"", "Gather", &R::read_gather, true},
      TableRow{"", "Pad", &R::read_pad, true},
      TableRow{"", "DepthToSpace", &R::read_depth_to_space, true},
      TableRow{"", "SpaceToDepth", &R::read_space_to_depth, true},
      TableRow{"", "Identity", &R::read_identity, true},
      TableRow{"", "Dropout", &R::read_identity, true},
      TableRow{"", "Cast", &R::read_cast, true},
      TableRow{"", "QuantizeLinear", &R::read_quantize, true},
      TableRow{kMicrosoft, "QuantizeLinear", &R::read_quantize, true},
      TableRow{"", "DequantizeLinear", &R::read_dequantize, true},
      TableRow{"", "DynamicQuantizeLinear", &R::read_dynamic_quantize},
      TableRow{kMicrosoft, "DequantizeLinear", &R::read_dequantize, true},
  };
  const auto* found = std::find_if(kRows.begin(), kRows.end(), [&](const TableRow& row) {
    return domain == row.domain && op_type == row.name;
  });
  return found == kRows.end() ? nullptr : found;
}

OperatorReader::OperatorReader(GraphBuilder& builder, const OnnxNode& node)
    : builder_(builder),
      node_(node),
      attributes_(node, builder.model().model().file),
      op_(node.op_type),
      place_(node.place) {}

void OperatorReader::require_known(const GraphBuilder& builder, const OnnxNode& node) {
  const bool is_shape = node.domain.empty() && (node.op_type == "Shape" || node.op_type == "Size");
  if (is_shape || quantized_operator(node) || find_row(node.domain, node.op_type) != nullptr) return;
  const std::string domain = node.domain.empty() ? "" : " of " + node.domain;
  throw InputError(Problem{builder.model().model().file, node.place, "operator " + node.op_type + domain,
                           "an operator that docs/onnx.md lists",
                           "replace it by operators that are read, or leave it out of the model"});
}

void OperatorReader::read() {
  require_known(builder_, node_);
  const std::optional<QuantizedOperator> quantized = quantized_operator(node_);
  const TableRow* row = find_row(quantized ? "" : node_.domain, quantized ? quantized->plain : node_.op_type);
  if (row == nullptr) fail("inputs", "constants", "a value that depends on the model's inputs");
  if (quantized) {
    op_ = quantized->plain;
    take_quantized(*quantized);
  } else if (std::optional<QdqGroup> group = find_qdq_group(builder_, node_)) {
    take_group(std::move(*group));
  } else {
    take_plain(*row);
  }
  (this->*row->read)();
  attributes_.finish();
  if (absorbed_.empty()) return;
  for (std::size_t i = 0; i < node_.outputs.size(); ++i)
    builder_.add_inner(node_.outputs[i], Shape(builder_.info(results_[i].value).shape));
  for (const std::size_t index : absorbed_) {
    const OnnxNode& member = builder_.model().model().nodes[index];
    if (member.op_type == "QuantizeLinear") continue;
    builder_.add_inner(member.outputs.front(), Shape(builder_.info(results_.front().value).shape));
  }
}

void OperatorReader::take_quantized(const QuantizedOperator& op) {
  const auto quantization = [&](const std::string& value, std::optional<std::size_t> scale,
                                std::size_t zero_point, OnnxType type, const Shape& shape) {
    const std::string zero = zero_point < node_.inputs.size() ? node_.inputs[zero_point] : "";
    // Weights have one scale an output channel: the first dimension of a convolution's, the last of a
    // matrix's.
    const std::int64_t axis = op_ == "Conv" || (op_ == "Gemm" && attributes_.flag("transB", false)) ? 0 : -1;
    if (!scale) return builder_.integer_quantization(zero, type, shape, axis, place_ + " \"" + value + "\"");
    return builder_.quantization(node_.inputs[*scale], zero, type, shape, axis,
                                 place_ + " \"" + value + "\"");
  };
  for (const QuantizedOperand& operand : op.operands) {
    const std::string& value = node_.inputs[operand.value];
    if (value.empty()) fail("input " + std::to_string(operand.value), "none", "a tensor");
    if (const std::optional<Operand> differences = difference_operand(operand)) {
      operands_.push_back(*differences);
      continue;
    }
    const ValueInfo& info = builder_.info(value);
    operands_.push_back(
        {value, quantization(value, operand.scale, operand.zero_point, info.type, info.shape)});
  }
  if (op.bias) operands_.push_back({node_.inputs[*op.bias], std::nullopt});
  Result result;
  result.value = node_.outputs.front();
  if (!op.output_scale) {
    result.type = OnnxType::int32;
    result.quantization = Quantization{32, true, {1.0F}, {0}, -1, 0};
    results_.push_back(std::move(result));
    return;
  }
  const bool has_zero_point =
      op.output_zero_point < node_.inputs.size() && !node_.inputs[op.output_zero_point].empty();
  if (op_ == "Gemm" && node_.inputs[*op.output_scale].empty())
    fail("y_scale", "none", "a scale: an integer result", "quantize the output");
  result.type = builder_.info(operands_.front().value).type;
  if (has_zero_point) {
    const std::string& zero_point = node_.inputs[op.output_zero_point];
    if (builder_.is_known(zero_point)) result.type = builder_.info(zero_point).type;
  }
  result.quantization = quantization(result.value, *op.output_scale, op.output_zero_point, result.type, {});
  results_.push_back(std::move(result));
}

void OperatorReader::take_group(QdqGroup group) {
  operands_ = std::move(group.operands);
  results_ = std::move(group.results);
  activation_ = group.activation;
  absorbed_ = std::move(group.absorbed);
  for (const std::size_t index : absorbed_) {
    const OnnxNode& member = builder_.model().model().nodes[index];
    if (member.op_type == "QuantizeLinear") quantize_names_.push_back(member.name);
  }
  std::string names;
  for (const std::string& member : group.members) names += (names.empty() ? "" : ", ") + member;
  place_ += " with " + names;
}

void OperatorReader::take_plain(const TableRow& row) {
  for (const std::string& input : node_.inputs) {
    Operand operand{input, std::nullopt};
    if (!input.empty() && !builder_.is_constant(input)) {
      const ValueInfo& info = builder_.info(input);
      if (!info.forms.empty())
        operand.quantization = builder_.graph().tensor(info.forms.front()).quantization;
    }
    operands_.push_back(std::move(operand));
  }
  if (operands_.empty() || operands_.front().is_absent()) fail("inputs", "none", "at least one");
  const OnnxType type = builder_.info(operands_.front().value).type;
  if (type != OnnxType::float32 && !row.moves) {
    fail("input \"" + operands_.front().value + "\"", onnx_type_name(type) + " without a scale",
         "FLOAT, or integers between DequantizeLinear and QuantizeLinear",
         "quantize the model with its scales, or use the QLinear operator");
  }
  for (const std::string& output : node_.outputs)
    results_.push_back({output, type, operands_.front().quantization});
}

void OperatorReader::fail(const std::string& subject, const std::string& value, const std::string& expected,
                          const std::string& hint) const {
  throw InputError(Problem{file(), place_ + (subject.empty() ? "" : " " + subject), value, expected, hint});
}

void OperatorReader::expect_inputs(std::size_t min, std::size_t max) const {
  if (operands_.size() < min || operands_.size() > max)
    fail("inputs", std::to_string(operands_.size()),
         min == max ? std::to_string(min) : std::to_string(min) + " to " + std::to_string(max));
  for (std::size_t i = 0; i < min; ++i) {
    if (!has(i)) fail("input " + std::to_string(i), "none", "a tensor");
  }
  const bool has_results = op_ == "Split" || op_ == "DynamicQuantizeLinear";
  for (std::size_t i = has_results ? node_.outputs.size() : 1; i < node_.outputs.size(); ++i) {
    const std::string& output = node_.outputs[i];
    if (output.empty() || (builder_.model().consumers(output).empty() && !builder_.model().is_output(output)))
      continue;
    fail("output \"" + output + "\"", "an output beside the first that is used", "the first output alone");
  }
}

TensorId OperatorReader::tensor(std::size_t index, const DimensionOrder& order) {
  return builder_.tensor(operands_[index], order, new_node(ReshapeOp{}, {}));
}

std::optional<std::vector<std::int64_t>> OperatorReader::indices(std::size_t index, const char* what) {
  if (!has(index)) return std::nullopt;
  const OnnxTensor* value = builder_.constant(operands_[index].value);
  if (value == nullptr) {
    fail(std::string(what) + " \"" + operands_[index].value + "\"", "a tensor computed at run time",
         "a constant, or what follows from shapes",
         builder_.constant_remedy(operands_[index].value,
                                  "fix the input shapes with --shape, or fold the model's constants"));
  }
  if (!value->is_integer()) fail(what, onnx_type_name(value->type), "integers");
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < value->size(); ++i) values.push_back(value->integer(i));
  return values;
}

std::optional<std::vector<std::int64_t>> OperatorReader::list(std::size_t index, const char* attribute) {
  auto stated = attributes_.integers(attribute);
  return has(index) ? indices(index, attribute) : stated;
}

std::optional<std::vector<float>> OperatorReader::reals(std::size_t index, const char* what) {
  if (!has(index)) return std::nullopt;
  const OnnxTensor* value = builder_.constant(operands_[index].value);
  if (value == nullptr)
    fail(std::string(what) + " \"" + operands_[index].value + "\"", "a tensor computed at run time",
         "a constant", builder_.constant_remedy(operands_[index].value));
  if (value->type != OnnxType::float32) fail(what, onnx_type_name(value->type), "FLOAT");
  std::vector<float> values;
  for (std::int64_t i = 0; i < value->size(); ++i) values.push_back(value->get<float>(i));
  return values;
}

std::int64_t OperatorReader::wrapped_axis(std::int64_t axis, std::size_t rank, const char* what) const {
  const auto size = static_cast<std::int64_t>(rank);
  const std::int64_t wrapped = axis < 0 ? axis + size : axis;
  if (wrapped < 0 || wrapped >= size)
    fail(what, std::to_string(axis), std::to_string(-size) + " to " + std::to_string(size - 1));
  return wrapped;
}

Node OperatorReader::new_node(Op op, std::vector<TensorId> inputs) const {
  return {node_.name, place_, std::move(op), std::move(inputs), {}};
}

void OperatorReader::emit(Op op, std::vector<TensorId> inputs, const Shape& shape,
                          const DimensionOrder& order, std::size_t index) {
  const Result& result = results_[index];
  if (!graph_element_type(result.type))
    fail("output", onnx_type_name(result.type), "FLOAT or integers of at most 16 bits",
         "convert the model to float32");
  if (checked_element_count(shape) < 0) {
    fail("output", "shape " + to_string(shape),
         "dimensions of at least 1 and at most " + std::to_string(kMaxTensorElements) + " elements");
  }
  Node node = new_node(std::move(op), std::move(inputs));
  node.outputs = {builder_.add_result(result, shape, order)};
  builder_.add_node(std::move(node));
}

TensorId OperatorReader::add_step(const std::string& suffix, Op op, std::vector<TensorId> inputs,
                                  const Shape& graph_shape) {
  const Tensor like = builder_.graph().tensor(inputs.front());
  Node node = new_node(std::move(op), std::move(inputs));
  node.name += "#" + suffix;
  const TensorId output =
      builder_.add_tensor(results_.front().value + "#" + suffix, like.type, graph_shape, like.quantization);
  node.outputs = {output};
  builder_.add_node(std::move(node));
  return output;
}

void OperatorReader::emit_move(Op op, std::vector<TensorId> inputs, const Shape& shape,
                               const DimensionOrder& order, std::size_t index) {
  const std::optional<Quantization> to = results_[index].quantization;
  const std::optional<Quantization> from = builder_.graph().tensor(inputs.front()).quantization;
  const bool same = !to || (from && from->bits == to->bits && from->is_signed == to->is_signed &&
                            from->scales == to->scales && from->zero_points == to->zero_points);
  if (same) return emit(std::move(op), std::move(inputs), shape, order, index);
  const ElementType type = builder_.graph().tensor(inputs.front()).type;
  Node node = new_node(std::move(op), std::move(inputs));
  const TensorId moved =
      builder_.add_tensor(results_[index].value + "#before", type, order.graph_shape(shape), from);
  if (!order.is_plain()) builder_.graph().tensor(moved).model_axes = order.axes;
  node.outputs = {moved};
  builder_.add_node(std::move(node));
  Node requantize = new_node(QuantizeOp{}, {moved});
  requantize.name = index < quantize_names_.size() ? quantize_names_[index] : node_.name + "#requantize";
  requantize.outputs = {builder_.add_result(results_[index], shape, order)};
  builder_.add_node(std::move(requantize));
}

}  // namespace qsim::onnx_format
