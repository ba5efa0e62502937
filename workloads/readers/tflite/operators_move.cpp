// PAD, PADV2, STRIDED_SLICE, SLICE, RESHAPE, SQUEEZE, EXPAND_DIMS, TRANSPOSE, CONCATENATION.
#include "workloads/readers/tflite/graph_builder.h"
#include "workloads/readers/tflite/slice.h"

namespace qsim::tflite {

/// Paddings are [rank][before, after]. PAD fills with the zero point, PADV2 with its third operand.
void OperatorReader::read_pad() {
  expect_inputs(2, op_.code == OperatorCode::padv2 ? 3 : 2);
  expect_same_type(1);
  const std::size_t rank = input(0).shape.size();
  const std::vector<std::int64_t> sizes = indices(1, 2 * rank);
  PadOp pad;
  for (std::size_t d = 0; d < rank; ++d) {
    pad.before.push_back(sizes[2 * d]);
    pad.after.push_back(sizes[2 * d + 1]);
  }
  if (!output().zero_points.empty()) pad.value = output().zero_points[0];
  if (op_.inputs.size() == 3 && op_.inputs[2] >= 0) {
    const Tensor value = builder_.make_tensor(input(2), op_.place);
    const bool fits = value.data && element_count(value.shape) == 1 && is_float() == value.is_float();
    if (!fits) {
      fail("value \"" + value.name + "\"",
           std::string(element_type_name(value.type)) + " of shape " + to_string(value.shape),
           is_float() ? "one constant of type F32" : "one constant integer");
    }
    if (is_float()) {
      pad.real_value = value.data->as<float>()[0];
    } else {
      pad.value = value.data->at(0);
    }
  }
  add_node(pad, {use(0)});
}

void OperatorReader::read_strided_slice() {
  expect_inputs(4, 4);
  expect_same_type(1);
  if (option<std::uint8_t>(strided_slice_field::offset, 0) != 0) fail("offset", "true", "false");
  const SliceSpec spec{indices(1, std::nullopt), indices(2, std::nullopt), indices(3, std::nullopt),
                       read_slice_masks(op_)};
  const ResolvedSlice slice = resolve_slice(input(0).shape, spec);
  if (!slice.problem.empty()) fail("slice", slice.problem, "indices of at least one element");
  if (slice.output_shape != output().shape) {
    fail("output \"" + output().name + "\"", "shape " + to_string(output().shape),
         to_string(slice.output_shape));
  }
  add_node(slice.op, {use(0)});
}

/// A size of -1 reaches to the end.
void OperatorReader::read_slice() {
  expect_inputs(3, 3);
  expect_same_type(1);
  const Shape& x = input(0).shape;
  const std::vector<std::int64_t> begin = indices(1, x.size());
  const std::vector<std::int64_t> size = indices(2, x.size());
  StridedSliceOp slice;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (begin[d] < 0 || begin[d] >= x[d])
      fail("begin", std::to_string(begin[d]), "0 to " + std::to_string(x[d] - 1));
    slice.begin.push_back(begin[d]);
    slice.stride.push_back(1);
    slice.count.push_back(size[d] == -1 ? x[d] - begin[d] : size[d]);
  }
  if (slice.count != output().shape) {
    fail("output \"" + output().name + "\"", "shape " + to_string(output().shape), to_string(slice.count));
  }
  add_node(slice, {use(0)});
}

/// The declared output shape counts; a shape operand must be known when reading.
void OperatorReader::read_reshape() {
  expect_inputs(1, 2);
  expect_same_type(1);
  if (op_.inputs.size() == 2 && op_.inputs[1] >= 0) static_cast<void>(indices(1, std::nullopt));
  add_node(ReshapeOp{}, {use(0)});
}

void OperatorReader::read_transpose() {
  expect_inputs(2, 2);
  expect_same_type(1);
  const std::vector<std::int64_t> permutation = indices(1, input(0).shape.size());
  TransposeOp transpose;
  for (const std::int64_t d : permutation) {
    const auto rank = static_cast<std::int64_t>(permutation.size());
    if (d < -rank || d >= rank) fail("permutation", std::to_string(d), "0 to " + std::to_string(rank - 1));
    transpose.permutation.push_back(static_cast<int>(d < 0 ? d + rank : d));
  }
  add_node(transpose, {use(0)});
}

void OperatorReader::read_concatenation() {
  constexpr std::size_t kMaxInputs = 1024;
  expect_inputs(1, kMaxInputs);
  for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
    if (op_.inputs[i] < 0) fail("input " + std::to_string(i), "none", "a tensor");
  }
  expect_same_type(op_.inputs.size());
  if (activation(concatenation_field::activation) != Activation::none)
    fail("fused activation", "one", "none");
  const auto rank = static_cast<std::int64_t>(output().shape.size());
  const auto axis = std::int64_t{option<std::int32_t>(concatenation_field::axis, 0)};
  const std::int64_t resolved = axis < 0 ? axis + rank : axis;
  if (resolved < 0 || resolved >= rank)
    fail("axis", std::to_string(axis), "less than " + std::to_string(rank));
  std::vector<TensorId> inputs;
  for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
    // The int8 kernel demands equal scales; the int16 one copies stored integers whatever they are.
    if (output().type == TypeCode::int8) expect_same_scale(i);
    inputs.push_back(use(i));
  }
  add_node(ConcatOp{static_cast<int>(resolved)}, std::move(inputs));
}

}  // namespace qsim::tflite
