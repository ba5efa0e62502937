// MINIMUM, MAXIMUM, GELU, PRELU, RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR, BATCH_MATMUL, SPLIT, SPLIT_V.
#include <algorithm>
#include <numeric>
#include <utility>

#include "workloads/readers/tflite/graph_builder.h"

namespace qsim::tflite {

/// The kernels compare stored integers.
void OperatorReader::read_extremum(BinaryKind kind) {
  expect_inputs(2, 2);
  expect_same_type(2);
  expect_same_scale(0);
  expect_same_scale(1);
  add_node(BinaryOp{kind, Activation::none}, {use(0), use(1)});
}

void OperatorReader::read_gelu() {
  const bool approximate = option<std::uint8_t>(gelu_field::approximate, 0) != 0;
  read_unary(approximate ? UnaryKind::gelu_tanh : UnaryKind::gelu);
}

/// Beside int16 activations the kernel reads slopes of int8.
void OperatorReader::read_prelu() {
  expect_inputs(2, 2);
  const bool wide = output().type == TypeCode::int16;
  expect_same_type(wide ? 1 : 2);
  if (wide && input(1).type != TypeCode::int8)
    fail("slope \"" + input(1).name + "\"", type_name(input(1).type),
         "INT8 beside INT16, as the kernel reads it");
  add_node(PReluOp{}, {use(0), use(1)});
}

/// The size operand must say the declared height and width.
void OperatorReader::read_resize(ResizeMode mode) {
  expect_inputs(2, 2);
  expect_same_type(1);
  expect_same_scale(0);
  expect_rank(input(0), 4);
  expect_rank(output(), 4);
  const std::vector<std::int64_t> size = indices(1, 2);
  const Shape& x = input(0).shape;
  const Shape& y = output().shape;
  if (size[0] != y[1] || size[1] != y[2]) {
    fail("size", std::to_string(size[0]) + ", " + std::to_string(size[1]),
         "height and width of the output, " + to_string(y));
  }
  const bool nearest = mode == ResizeMode::nearest;
  const bool aligned = option<std::uint8_t>(nearest ? int{resize_nearest_field::align_corners}
                                                    : int{resize_bilinear_field::align_corners},
                                            0) != 0;
  const bool centered = option<std::uint8_t>(nearest ? int{resize_nearest_field::half_pixel_centers}
                                                     : int{resize_bilinear_field::half_pixel_centers},
                                             0) != 0;
  if (aligned && centered) fail("options", "align_corners and half_pixel_centers", "at most one of them");
  ResizeOp op;
  op.mode = mode;
  op.coordinates = ResizeCoordinates::asymmetric;
  if (aligned) op.coordinates = ResizeCoordinates::align_corners;
  if (centered)
    op.coordinates = nearest ? ResizeCoordinates::tf_half_pixel_for_nn : ResizeCoordinates::half_pixel;
  op.rounding = aligned ? ResizeRounding::round_prefer_ceil : ResizeRounding::floor;
  op.scale_h = static_cast<float>(y[1]) / static_cast<float>(x[1]);
  op.scale_w = static_cast<float>(y[2]) / static_cast<float>(x[2]);
  add_node(op, {use(0)});
}

void OperatorReader::read_batch_matmul() {
  expect_inputs(2, 2);
  expect_same_type(2);
  const bool turned = option<std::uint8_t>(batch_matmul_field::adj_x, 0) != 0;
  const MatMulOp op{option<std::uint8_t>(batch_matmul_field::adj_y, 0) != 0};
  add_node(op, {turned ? turn_matrices(0) : use(0), use(1)});
}

TensorId OperatorReader::turn_matrices(std::size_t operand) {
  const std::size_t rank = input(operand).shape.size();
  if (rank < 2) fail("adj_x", "an operand of rank " + std::to_string(rank), "at least 2");
  const TensorId from = use(operand);
  Tensor turned = builder_.graph_.tensor(from);
  if (turned.data) fail("adj_x", "a constant operand", "an activation", "store the constant transposed");
  turned.name = output().name + "#adjoint";
  std::swap(turned.shape[rank - 2], turned.shape[rank - 1]);
  TransposeOp op;
  for (std::size_t d = 0; d < rank; ++d) op.permutation.push_back(static_cast<int>(d));
  std::swap(op.permutation[rank - 2], op.permutation[rank - 1]);
  const auto to = static_cast<TensorId>(builder_.graph_.tensors.size());
  const std::string name = turned.name;
  builder_.graph_.tensors.push_back(std::move(turned));
  builder_.graph_.nodes.push_back({name, op_.place, std::move(op), {from}, {to}});
  return to;
}

void OperatorReader::add_slices(std::size_t operand, std::int64_t axis,
                                const std::vector<std::int64_t>& lengths) {
  const Shape& x = input(operand).shape;
  const auto rank = static_cast<std::int64_t>(x.size());
  const std::int64_t resolved = axis < 0 ? axis + rank : axis;
  if (resolved < 0 || resolved >= rank)
    fail("axis", std::to_string(axis), "less than " + std::to_string(rank));
  const auto d = static_cast<std::size_t>(resolved);
  const bool positive =
      std::all_of(lengths.begin(), lengths.end(), [&](auto n) { return n >= 1 && n <= x[d]; });
  if (lengths.size() != op_.outputs.size() || !positive ||
      std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}) != x[d]) {
    fail(
        "split", std::to_string(lengths.size()) + " parts of dimension " + std::to_string(resolved),
        std::to_string(op_.outputs.size()) + " parts that make up its " + std::to_string(x[d]) + " elements");
  }
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const ModelTensor& part = output(i);
    if (part.type != input(operand).type || part.scales != input(operand).scales ||
        part.zero_points != input(operand).zero_points) {
      fail("tensor \"" + part.name + "\"", "another type or scale than the input's", "the same");
    }
    StridedSliceOp slice;
    slice.begin.assign(x.size(), 0);
    slice.stride.assign(x.size(), 1);
    slice.count = x;
    slice.begin[d] = begin;
    slice.count[d] = lengths[i];
    begin += lengths[i];
    if (slice.count != part.shape) {
      fail("output \"" + part.name + "\"", "shape " + to_string(part.shape), to_string(slice.count));
    }
    add_node(slice, {use(operand)}, i);
  }
}

/// Operands: axis, x. Equal parts.
void OperatorReader::read_split() {
  if (op_.inputs.size() != 2 || op_.inputs[0] < 0 || op_.inputs[1] < 0) {
    fail("", std::to_string(op_.inputs.size()) + " inputs", "2 inputs");
  }
  const std::int64_t axis = indices(0, 1)[0];
  const Shape& x = input(1).shape;
  const auto rank = static_cast<std::int64_t>(x.size());
  const std::int64_t resolved = axis < 0 ? axis + rank : axis;
  const auto parts = static_cast<std::int64_t>(op_.outputs.size());
  const std::int64_t length =
      resolved >= 0 && resolved < rank ? x[static_cast<std::size_t>(resolved)] / parts : 0;
  add_slices(1, axis, std::vector<std::int64_t>(op_.outputs.size(), length));
}

/// Operands: x, lengths (one of them may be -1: what is left), axis.
void OperatorReader::read_split_v() {
  if (op_.inputs.size() != 3 || std::ranges::any_of(op_.inputs, [](auto index) { return index < 0; })) {
    fail("", std::to_string(op_.inputs.size()) + " inputs", "3 inputs");
  }
  std::vector<std::int64_t> lengths = indices(1, std::nullopt);
  const std::int64_t axis = indices(2, 1)[0];
  const auto open = std::ranges::find(lengths, -1);
  if (open != lengths.end()) {
    const Shape& x = input(0).shape;
    const auto rank = static_cast<std::int64_t>(x.size());
    const std::int64_t resolved = axis < 0 ? axis + rank : axis;
    *open = 0;
    if (resolved >= 0 && resolved < rank) {
      *open = x[static_cast<std::size_t>(resolved)] -
              std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    }
  }
  add_slices(0, axis, lengths);
}

}  // namespace qsim::tflite
