// PAD, PADV2, RESHAPE, SQUEEZE, EXPAND_DIMS, TRANSPOSE, CONCATENATION, MEAN, and what is arithmetic on shapes
// alone: SHAPE, PACK, CAST.
#include <algorithm>

#include "workloads/graph/graph_check.h"
#include "workloads/readers/tflite/operator_context.h"
#include "workloads/readers/tflite/operator_table.h"

namespace qsim::tflite {
namespace {

/// Fills with the zero point, PADV2 with the constant in its third operand.
void set_value(const OperatorContext& op, PadOp& pad) {
  if (!op.output().zero_points.empty()) pad.value = op.output().zero_points[0];
  if (!op.has_input(2)) return;
  const Tensor value = op.builder().make_tensor(op.input(2), op.op().place);
  const bool fits = value.data && element_count(value.shape) == 1 && op.is_float() == value.is_float();
  if (!fits) {
    op.fail("value \"" + value.name + "\"",
            std::string(element_type_name(value.type)) + " of shape " + to_string(value.shape),
            op.is_float() ? "one constant of type F32" : "one constant integer");
  }
  if (op.is_float()) {
    pad.real_value = value.data->as<float>()[0];
  } else {
    pad.value = value.data->at(0);
  }
}

/// Paddings are [rank][before, after].
void read_padding(OperatorContext& op, std::size_t max_inputs) {
  op.expect_inputs(2, max_inputs);
  op.expect_same_type(1);
  const std::size_t rank = op.input(0).shape.size();
  const std::vector<std::int64_t> sizes = op.indices(1, 2 * rank);
  PadOp pad;
  for (std::size_t d = 0; d < rank; ++d) {
    pad.before.push_back(sizes[2 * d]);
    pad.after.push_back(sizes[2 * d + 1]);
  }
  set_value(op, pad);
  op.add_node(pad, {op.use(0)});
}

void read_pad(OperatorContext& op) {
  read_padding(op, 2);
}

void read_pad_v2(OperatorContext& op) {
  read_padding(op, 3);
}

/// The declared output shape counts; a shape operand must be known when reading.
void read_reshape(OperatorContext& op) {
  op.expect_inputs(1, 2);
  op.expect_same_type(1);
  if (op.has_input(1)) static_cast<void>(op.indices(1));
  op.add_node(ReshapeOp{}, {op.use(0)});
}

void read_transpose(OperatorContext& op) {
  op.expect_inputs(2, 2);
  op.expect_same_type(1);
  const std::vector<std::int64_t> permutation = op.indices(1, op.input(0).shape.size());
  const auto rank = static_cast<std::int64_t>(permutation.size());
  TransposeOp transpose;
  for (const std::int64_t d : permutation) {
    if (d < -rank || d >= rank) op.fail("permutation", std::to_string(d), "0 to " + std::to_string(rank - 1));
    transpose.permutation.push_back(static_cast<int>(d < 0 ? d + rank : d));
  }
  op.add_node(transpose, {op.use(0)});
}

void read_concatenation(OperatorContext& op) {
  constexpr std::size_t kMaxInputs = 1024;
  op.expect_inputs(1, kMaxInputs);
  for (std::size_t i = 0; i < op.input_count(); ++i) {
    if (!op.has_input(i)) op.fail("input " + std::to_string(i), "none", "a tensor");
  }
  op.expect_same_type(op.input_count());
  const auto& options = or_defaults(op.table().builtin_options_as_ConcatenationOptions());
  if (op.activation(options.activation()) != Activation::none) op.fail("fused activation", "one", "none");
  const std::size_t axis = op.dimension(options.axis(), op.output().shape.size());
  std::vector<TensorId> inputs;
  for (std::size_t i = 0; i < op.input_count(); ++i) {
    // The int8 kernel demands equal scales; the int16 one copies stored integers whatever they are.
    if (op.output().type == ElementCode::INT8) op.expect_same_scale(i);
    inputs.push_back(op.use(i));
  }
  op.add_node(ConcatOp{static_cast<int>(axis)}, std::move(inputs));
}

void read_mean(OperatorContext& op) {
  op.expect_inputs(2, 2);
  op.expect_same_type(1);
  MeanOp mean;
  mean.keep_dims = or_defaults(op.table().builtin_options_as_ReducerOptions()).keep_dims();
  for (const std::int64_t axis : op.indices(1))
    mean.axes.push_back(static_cast<int>(op.dimension(axis, op.input(0).shape.size())));
  std::ranges::sort(mean.axes);
  mean.axes.erase(std::unique(mean.axes.begin(), mean.axes.end()), mean.axes.end());
  op.add_node(mean, {op.use(0)});
}

std::optional<IndexConstant> fold_shape(const OperatorContext& op) {
  const Shape& shape = op.input(0).shape;
  return IndexConstant{{static_cast<std::int64_t>(shape.size())}, shape};
}

/// The same integers in the shape that is declared.
std::optional<IndexConstant> fold_reshaped(const OperatorContext& op) {
  for (std::size_t i = 0; i < op.input_count(); ++i) {
    if (!op.constant(i)) return std::nullopt;
  }
  const std::vector<std::int64_t> values = op.constant(0)->values;
  const Shape& shape = op.output().shape;
  if (checked_element_count(shape) != static_cast<std::int64_t>(values.size())) return std::nullopt;
  return IndexConstant{shape, values};
}

/// Operands of at most `max_rank` dimensions, one behind the other.
std::optional<IndexConstant> joined(const OperatorContext& op, std::size_t max_rank) {
  IndexConstant all;
  bool fits = true;
  for (std::size_t i = 0; i < op.input_count(); ++i) {
    const auto part = op.constant(i);
    if (!part) return std::nullopt;
    fits = fits && part->shape.size() <= max_rank;
    all.values.insert(all.values.end(), part->values.begin(), part->values.end());
  }
  all.shape = {static_cast<std::int64_t>(all.values.size())};
  if (!fits || all.shape[0] > kMaxIndices) return std::nullopt;
  return all;
}

std::optional<IndexConstant> fold_pack(const OperatorContext& op) {
  return joined(op, 0);
}

std::optional<IndexConstant> fold_concatenation(const OperatorContext& op) {
  return joined(op, 1);
}

}  // namespace

std::span<const OperatorRow> movement_operators() {
  static constexpr OperatorRow kRows[] = {
      {.code = 2, .name = "CONCATENATION", .read = read_concatenation, .fold = fold_concatenation},
      {.code = 22, .name = "RESHAPE", .read = read_reshape, .fold = fold_reshaped},
      {.code = 34, .name = "PAD", .read = read_pad},
      {.code = 39, .name = "TRANSPOSE", .read = read_transpose},
      {.code = 40, .name = "MEAN", .read = read_mean},
      {.code = 43, .name = "SQUEEZE", .read = read_reshape, .fold = fold_reshaped},
      {.code = 53, .name = "CAST", .fold = fold_reshaped},
      {.code = 60, .name = "PADV2", .read = read_pad_v2},
      {.code = 70, .name = "EXPAND_DIMS", .read = read_reshape, .fold = fold_reshaped},
      {.code = 77, .name = "SHAPE", .fold = fold_shape},
      {.code = 83, .name = "PACK", .fold = fold_pack},
  };
  return kRows;
}

}  // namespace qsim::tflite
