// QuantizeLinear and DequantizeLinear that no group takes in.
#include "workloads/readers/onnx/operator_reader.h"

namespace qsim::onnx_format {
namespace {

/// Most slices of an activation with a scale each.
constexpr std::size_t kMaxSlices = 256;

Quantization slice_of(const Quantization& q, std::size_t slice) {
  Quantization one = q;
  one.scales = {q.scales[slice]};
  one.zero_points = {q.zero_point(static_cast<std::int64_t>(slice))};
  one.axis = -1;
  return one;
}

}  // namespace

/// A scale for each slice of an axis: the slices are converted one by one and joined, stored integers as they
/// are (scale 1, zero point 0), since a tensor of the graph has one scale.
void OperatorReader::convert_slices(const Quantization& q, bool to_integers) {
  const Shape x = shape(0);
  if (q.scales.size() > kMaxSlices) {
    fail("scale", std::to_string(q.scales.size()) + " scales of an activation",
         "at most " + std::to_string(kMaxSlices), "quantize activations per tensor");
  }
  const DimensionOrder order = this->order(0);
  const auto axis = static_cast<std::size_t>(order.axes[static_cast<std::size_t>(q.axis)]);
  const std::optional<ElementType> stored =
      graph_element_type(to_integers ? results_.front().type : builder_.info(operand(0).value).type);
  const TensorId whole = tensor(0, order);
  const Quantization plain{q.bits, q.is_signed, {1.0F}, {0}, -1, 0};
  Shape part = order.graph_shape(x);
  const Shape full = part;
  part[axis] = 1;
  const auto step = [&](const std::string& what, Op op, TensorId input, ElementType type,
                        const std::optional<Quantization>& quantization) {
    Node node = new_node(std::move(op), {input});
    node.name += "#" + what;
    const TensorId output = builder_.add_tensor(node_.outputs.front() + "#" + what, type, part, quantization);
    node.outputs = {output};
    builder_.add_node(std::move(node));
    return output;
  };
  std::vector<TensorId> parts;
  for (std::size_t i = 0; i < q.scales.size(); ++i) {
    StridedSliceOp slice{std::vector<std::int64_t>(full.size(), 0), std::vector<std::int64_t>(full.size(), 1),
                         part};
    slice.begin[axis] = static_cast<std::int64_t>(i);
    const Quantization own = slice_of(q, i);
    const Tensor given = builder_.graph().tensor(whole);
    const TensorId cut = step("slice", std::move(slice), whole, given.type, given.quantization);
    if (to_integers) {
      const TensorId converted = step("quantize", QuantizeOp{}, cut, *stored, own);
      parts.push_back(step("scale", ReshapeOp{}, converted, *stored, plain));
    } else {
      const TensorId scaled = step("scale", ReshapeOp{}, cut, *stored, own);
      parts.push_back(step("dequantize", DequantizeOp{}, scaled, ElementType::f32, std::nullopt));
    }
  }
  if (to_integers) results_.front().quantization = plain;
  emit(ConcatOp{static_cast<int>(axis)}, std::move(parts), x, order);
}

void OperatorReader::read_quantize() {
  expect_inputs(2, 3);
  attributes_.ignore("saturate");
  const Shape x = shape(0);
  const OnnxType type = quantized_type(builder_, node_);
  if (attributes_.integer("block_size", 0) != 0)
    fail("attribute block_size", "blocks of an activation", "one scale for the tensor");
  if (builder_.info(operand(0).value).type != OnnxType::float32)
    fail("input \"" + operand(0).value + "\"", onnx_type_name(builder_.info(operand(0).value).type), "FLOAT");
  attributes_.ignore("output_dtype");
  attributes_.ignore("precision");
  const std::string zero_point = has(2) ? operand(2).value : "";
  results_.front().type = type;
  results_.front().quantization =
      builder_.quantization(operand(1).value, zero_point, type, x, attributes_.integer("axis", 1), place_);
  if (results_.front().quantization->scales.size() != 1)
    return convert_slices(Quantization(*results_.front().quantization), true);
  // From one scale to another: the float between is never stored.
  const std::optional<Operand> source = builder_.info(operand(0).value).dequantized;
  const bool requantizes = source && !is_constant(0) && builder_.info(operand(0).value).forms.empty();
  if (requantizes) operands_.front() = *source;
  emit(QuantizeOp{}, {tensor(0, order(0))}, x, order(0));
}

void OperatorReader::read_dequantize() {
  expect_inputs(2, 3);
  const ValueInfo& x = builder_.info(operand(0).value);
  const std::string zero_point = has(2) ? operand(2).value : "";
  const bool is_constant = builder_.is_constant(operand(0).value);
  attributes_.ignore("output_dtype");
  const std::int64_t axis = attributes_.integer("axis", 1);
  const bool is_blocked = attributes_.integer("block_size", 0) != 0;
  if (is_blocked && !is_constant)
    fail("attribute block_size", "blocks of an activation", "one scale for the tensor");
  Operand source{operand(0).value, std::nullopt};
  source.quantization = builder_.quantization(operand(1).value, zero_point, x.type, x.shape, axis, place_);
  if (!is_constant && source.quantization->scales.size() != 1) {
    results_.front().type = OnnxType::float32;
    results_.front().quantization.reset();
    return convert_slices(*source.quantization, false);
  }
  if (!is_constant && builder_.info(operand(0).value).type == OnnxType::int32)
    fail("input \"" + operand(0).value + "\"", "INT32 computed at run time", "integers of at most 16 bits");
  builder_.add_dequantized(node_.outputs.front(), source, node_);
}

}  // namespace qsim::onnx_format
