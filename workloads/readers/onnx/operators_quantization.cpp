// QuantizeLinear and DequantizeLinear that no group takes in, and DynamicQuantizeLinear.
#include <array>

#include "workloads/readers/onnx/dynamic_operands.h"
#include "workloads/readers/onnx/fold_functions.h"
#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/qdq_groups.h"
#include "workloads/readers/onnx/write_context.h"

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

/// A scale for each slice of an axis: the slices are converted one by one and joined, stored integers as they
/// are (scale 1, zero point 0), since a tensor of the graph has one scale.
void convert_slices(OperatorContext& context, const Quantization& q, bool to_integers) {
  const Shape x = context.shape(0);
  if (q.scales.size() > kMaxSlices) {
    context.fail("scale", std::to_string(q.scales.size()) + " scales of an activation",
                 "at most " + std::to_string(kMaxSlices), "quantize activations per tensor");
  }
  const DimensionOrder order = context.order(0);
  const auto axis = static_cast<std::size_t>(order.axes[static_cast<std::size_t>(q.axis)]);
  const std::optional<ElementType> stored =
      graph_element_type(to_integers ? context.results.front().type : context.info(0).type);
  const TensorId whole = context.tensor(0, order);
  const Quantization plain{q.bits, q.is_signed, {1.0F}, {0}, -1, 0};
  Shape part = order.graph_shape(x);
  const Shape full = part;
  part[axis] = 1;
  const auto step = [&](const std::string& what, Op op, TensorId input, ElementType type,
                        const std::optional<Quantization>& quantization) {
    Node node = context.new_node(std::move(op), {input});
    node.name += "#" + what;
    const TensorId output =
        context.builder.add_tensor(context.node.outputs.front() + "#" + what, type, part, quantization);
    node.outputs = {output};
    context.builder.add_node(std::move(node), context.index);
    return output;
  };
  std::vector<TensorId> parts;
  for (std::size_t i = 0; i < q.scales.size(); ++i) {
    StridedSliceOp slice{std::vector<std::int64_t>(full.size(), 0), std::vector<std::int64_t>(full.size(), 1),
                         part};
    slice.begin[axis] = static_cast<std::int64_t>(i);
    const Quantization own = slice_of(q, i);
    const Tensor given = context.builder.graph().tensor(whole);
    const TensorId cut = step("slice", std::move(slice), whole, given.type, given.quantization);
    if (to_integers) {
      const TensorId converted = step("quantize", QuantizeOp{}, cut, *stored, own);
      parts.push_back(step("scale", ReshapeOp{}, converted, *stored, plain));
    } else {
      const TensorId scaled = step("scale", ReshapeOp{}, cut, *stored, own);
      parts.push_back(step("dequantize", DequantizeOp{}, scaled, ElementType::f32, std::nullopt));
    }
  }
  if (to_integers) context.results.front().quantization = plain;
  context.emit(ConcatOp{static_cast<int>(axis)}, std::move(parts), x, order);
}

void read_quantize(OperatorContext& context) {
  context.expect_inputs(2, 3);
  context.attributes.ignore("saturate");
  const Shape x = context.shape(0);
  const OnnxType type = quantized_type(context.builder, context.node);
  if (context.attributes.integer("block_size", 0) != 0)
    context.fail("attribute block_size", "blocks of an activation", "one scale for the tensor");
  if (context.info(0).type != OnnxType::float32)
    context.fail("input \"" + context.operand(0).value + "\"", onnx_type_name(context.info(0).type), "FLOAT");
  context.attributes.ignore("output_dtype");
  context.attributes.ignore("precision");
  const std::string zero_point = context.has(2) ? context.operand(2).value : "";
  context.results.front().type = type;
  context.results.front().quantization = context.builder.quantization(
      context.operand(1).value, zero_point, type, x, context.attributes.integer("axis", 1), context.place);
  if (context.results.front().quantization->scales.size() != 1)
    return convert_slices(context, Quantization(*context.results.front().quantization), true);
  // From one scale to another: the float between is never stored. The accumulators of a product are no
  // operand: their floats are.
  const std::optional<Operand> source = context.info(0).dequantized;
  const bool requantizes = source && !context.is_constant(0) && context.info(0).forms.empty() &&
                           source->quantization && source->quantization->bits <= 16;
  if (requantizes) context.operands.front() = *source;
  context.emit(QuantizeOp{}, {context.tensor(0, context.order(0))}, x, context.order(0));
}

void read_dequantize(OperatorContext& context) {
  context.expect_inputs(2, 3);
  const ValueInfo& x = context.info(0);
  const std::string zero_point = context.has(2) ? context.operand(2).value : "";
  const bool is_constant = context.builder.is_constant(context.operand(0).value);
  context.attributes.ignore("output_dtype");
  const std::int64_t axis = context.attributes.integer("axis", 1);
  const bool is_blocked = context.attributes.integer("block_size", 0) != 0;
  if (is_blocked && !is_constant)
    context.fail("attribute block_size", "blocks of an activation", "one scale for the tensor");
  Operand source{context.operand(0).value, std::nullopt};
  source.quantization = context.builder.quantization(context.operand(1).value, zero_point, x.type, x.shape,
                                                     axis, context.place);
  if (!is_constant && source.quantization->scales.size() != 1) {
    context.results.front().type = OnnxType::float32;
    context.results.front().quantization.reset();
    return convert_slices(context, *source.quantization, false);
  }
  if (!is_constant && context.info(0).type == OnnxType::int32)
    context.fail("input \"" + context.operand(0).value + "\"", "INT32 computed at run time",
                 "integers of at most 16 bits");
  context.builder.add_dequantized(context.node.outputs.front(), source, context.index);
}

constexpr const char* kQuantize = "QuantizeLinear";
constexpr const char* kDequantize = "DequantizeLinear";

constexpr OperatorRow quantize_row(std::string_view domain, const OperationWriter& write = {}) {
  return {.name = kQuantize,
          .domain = domain,
          .read = read_quantize,
          .fold = fold_quantize,
          .integers = IntegerUse::takes,
          .dimensions = DimensionUse::any,
          .first_constant = 1,
          .write = write};
}
constexpr OperatorRow dequantize_row(std::string_view domain, const OperationWriter& write = {}) {
  return {.name = kDequantize,
          .domain = domain,
          .read = read_dequantize,
          .fold = fold_dequantize,
          .integers = IntegerUse::takes,
          .dimensions = DimensionUse::any,
          .first_constant = 1,
          .write = write};
}

// com.microsoft has the forms for 16 and 4 bits.
// ---- writing ----------------------------------------------------------------------------------------------

bool write_quantize(WriteContext& writer, const Node& node) {
  const Layout layout = writer.natural_layout(node);
  writer.quantize_output(node, writer.real_input(node, 0, layout), node.name, layout);
  return true;
}

bool write_dequantize(WriteContext& writer, const Node& node) {
  const Layout layout = writer.natural_layout(node);
  const std::string value = writer.values.get(node.inputs[0], layout);
  writer.builder.node("DequantizeLinear", node.name,
                      {value, writer.values.scale(node.inputs[0]), writer.values.zero_point(node.inputs[0])},
                      writer.values.define(node.outputs[0], layout));
  return true;
}

std::string refuse_dynamic(WriteContext& writer, const Node& node, const RealInput& /*input_value*/,
                           const Layout& /*layout*/) {
  writer.refuse(node, "dynamic_quantize", "scales that do not depend on the data",
                "convert to a workload in JSON, or quantize the model statically");
}

constexpr std::array kQuantizationRows{
    quantize_row({}, {.operation = operation_index<QuantizeOp>(), .conversion = write_quantize}),
    quantize_row(kMicrosoft),
    dequantize_row({}, {.operation = operation_index<DequantizeOp>(), .conversion = write_dequantize}),
    dequantize_row(kMicrosoft),
    OperatorRow{.name = "DynamicQuantizeLinear",
                .read = read_dynamic_quantize,
                .dimensions = DimensionUse::any,
                .has_several_results = true,
                .write = {.operation = operation_index<DynamicQuantizeOp>(), .real = refuse_dynamic}},
};

}  // namespace

bool is_quantize(const OnnxNode& node) {
  return node.op_type == kQuantize && (node.domain.empty() || node.domain == kMicrosoft);
}

bool is_dequantize(const OnnxNode& node) {
  return node.op_type == kDequantize && (node.domain.empty() || node.domain == kMicrosoft);
}

std::span<const OperatorRow> quantization_operators() {
  return kQuantizationRows;
}

}  // namespace qsim::onnx_format
