// Concatenation: each input rescaled to the output's quantization.
#include "hw_models/arithmetic/activation_tables.h"
#include "workloads/ops/box_copy.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/operand_types.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

using arithmetic::QuantizedType;

const std::array kConcatForms{
    OpForm{"concat", "Tensors joined along a dimension, rescaled to the output's quantization.", ConcatOp{}}};

void concat_fields(ConcatOp& op, OpFields& fields) {
  fields.axis({"axis", "Dimension; counts from the end where negative."}, op.axis);
}

InferredShape concat_shape(const ConcatOp& op, std::span<const Shape> inputs,
                           const std::optional<Shape>& /*declared*/) {
  Shape shape = inputs[0];
  const auto axis = static_cast<std::size_t>(op.axis);
  if (op.axis < 0 || axis >= shape.size()) return wrong_shape("an axis of the inputs");
  for (const Shape& other : inputs.subspan(1)) {
    Shape rest = other;
    if (other.size() == shape.size()) rest[axis] = shape[axis];
    if (rest != shape) return wrong_shape("inputs that are equal but for the axis, not " + to_string(other));
    shape[axis] += other[axis];
  }
  return {shape, {}};
}

void check_concat(const ConcatOp& op, NodeCheck& check) {
  check.expect_activation(check.output());
  const Shape& y = check.output().shape;
  const auto rank = static_cast<int>(y.size());
  if (!check.expect(op.axis >= 0 && op.axis < rank, "axis", std::to_string(op.axis),
                    "0 to " + std::to_string(rank - 1))) {
    return;
  }
  const auto axis = static_cast<std::size_t>(op.axis);
  std::int64_t length = 0;
  for (std::size_t i = 0; i < check.node().inputs.size(); ++i) {
    const Tensor& input = check.input(i);
    check.expect_activation(input);
    Shape shape = input.shape;
    if (shape.size() == y.size()) {
      length += shape[axis];
      shape[axis] = y[axis];
    }
    check.expect(shape == y, "tensor \"" + input.name + "\"", "shape " + to_string(input.shape),
                 "the output's " + to_string(y) + " but for axis " + std::to_string(op.axis));
  }
  check.expect(length == y[axis], "output", "shape " + to_string(y),
               std::to_string(length) + " along axis " + std::to_string(op.axis));
}

std::string concat_batch_obstacle(const ConcatOp& op, const Shape& /*input*/) {
  return op.axis == 0 ? "a concatenation along dimension 0" : "";
}

/// TFLite's int16 concatenation copies the stored integers whatever their scales.
arithmetic::UnaryFunction join_function(const Graph& graph, const Node& node, std::size_t input) {
  const QuantizedType in = quantized_type(graph.tensor(node.inputs[input]));
  const QuantizedType out = quantized_type(graph.tensor(node.outputs[0]));
  const bool same = in.scale == out.scale && in.zero_point == out.zero_point && in.format == out.format;
  const bool copies = graph.semantics == Semantics::tflite && in.format.bits > 8;
  if (same || copies) return arithmetic::CopyFunction{};
  return rescaling_table(graph.semantics, in, out);
}

arithmetic::VectorFunction concat_function(const Graph& graph, const Node& node, std::size_t input) {
  return join_function(graph, node, input);
}

VectorAccess concat_access(const ConcatOp& op) {
  return {.pattern = AccessPattern::join, .axes = {op.axis}};
}

WholeBytes concat_whole_bytes(const ConcatOp& op, const Shape& input) {
  return {.output = static_cast<std::size_t>(op.axis) + 1 == input.size()};
}

void run_concat(const NodeRun& run) {
  const auto axis = static_cast<std::size_t>(std::get<ConcatOp>(run.node.op).axis);
  TensorData& output = run.output;
  StridedBox to{0, row_major_strides(output.shape)};
  for (std::size_t i = 0; i < run.inputs.size(); ++i) {
    const TensorData& input = *run.inputs[i];
    const arithmetic::UnaryFunction function =
        input.type == ElementType::f32 ? arithmetic::CopyFunction{} : join_function(run.graph, run.node, i);
    TensorData rescaled;
    const TensorData* source = &input;
    if (!std::holds_alternative<arithmetic::CopyFunction>(function)) {
      rescaled = TensorData(output.type, input.shape);
      for (std::int64_t e = 0; e < input.size(); ++e) rescaled.set(e, evaluate(function, input.at(e)));
      source = &rescaled;
    }
    BoxCopy(input.shape, *source, output).run({0, row_major_strides(input.shape)}, to);
    to.offset += input.shape[axis] * to.strides[axis];
  }
}

}  // namespace

extern const OpDefinition kConcat{.forms = kConcatForms,
                                  .operands = {1, kMaxOperands},
                                  .inputs_description = "What is joined, in order.",
                                  .constants_are_activations = true,
                                  .fields = column<concat_fields>,
                                  .shape = column<concat_shape>,
                                  .check = column<check_concat>,
                                  .check_scales = column<check_rescaling<ConcatOp>>,
                                  .batch_obstacle = column<concat_batch_obstacle>,
                                  .copies_wide_integers = true,
                                  .function = concat_function,
                                  .access = column<concat_access>,
                                  .whole_bytes = column<concat_whole_bytes>,
                                  .has_tables = true,
                                  .run = run_concat,
                                  .run_float = run_concat};

}  // namespace qsim
