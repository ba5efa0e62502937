// Operations that move elements: padding, slices, transposition, another shape.
#include <algorithm>
#include <cstdlib>

#include "workloads/graph/blocks.h"
#include "workloads/graph/graph_check.h"
#include "workloads/graph/quantize_value.h"
#include "workloads/graph/requantize_tensor.h"
#include "workloads/ops/box_copy.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

arithmetic::VectorFunction copy_function(const Graph& /*graph*/, const Node& /*node*/,
                                         std::size_t /*input*/) {
  return arithmetic::UnaryFunction(arithmetic::CopyFunction{});
}

template <typename Concrete>
OutputGrid kept_grid(const Concrete& /*op*/, Semantics /*semantics*/) {
  return OutputGrid::kept;
}

void check_moved(NodeCheck& check) {
  check.expect_activation(check.input(0));
  check.expect_activation(check.output());
  check.expect_same_type();
}

// ---- padding ---------------------------------------------------------------------------------------------

const std::array kPadForms{OpForm{"pad", "Constant padding; keeps the input's quantization.", PadOp{}}};

void pad_fields(PadOp& op, OpFields& fields) {
  fields.integers({"before", "Elements before, one number a dimension.", true, true}, op.before, 0,
                  kMaxTensorElements, nullptr);
  fields.integers({"after", "Elements after, one number a dimension.", true, true}, op.after, 0,
                  kMaxTensorElements, nullptr);
  fields.padded_value(
      {"value", "Value in output integers, or of a float tensor. Default: the zero point, 0.", false, true},
      op.value, op.real_value);
}

InferredShape pad_shape(const PadOp& op, std::span<const Shape> inputs, const std::optional<Shape>&) {
  Shape shape = inputs[0];
  if (op.before.size() != shape.size() || op.after.size() != shape.size()) {
    return wrong_shape("paddings of " + std::to_string(shape.size()) + " dimensions, as the input has");
  }
  for (std::size_t d = 0; d < shape.size(); ++d) shape[d] += op.before[d] + op.after[d];
  return {shape, {}};
}

void check_pad(const PadOp& op, NodeCheck& check) {
  check_moved(check);
  const std::size_t rank = check.input(0).shape.size();
  if (!check.expect(op.before.size() == rank && op.after.size() == rank, "paddings",
                    std::to_string(op.before.size()) + " dimensions", std::to_string(rank))) {
    return;
  }
  for (std::size_t d = 0; d < rank; ++d) {
    const bool ok = op.before[d] >= 0 && op.after[d] >= 0 && op.before[d] <= kMaxTensorElements &&
                    op.after[d] <= kMaxTensorElements;
    if (!check.expect(ok, "padding of dimension " + std::to_string(d),
                      std::to_string(op.before[d]) + ", " + std::to_string(op.after[d]), "0 or more")) {
      return;
    }
  }
  const std::array<Shape, 1> input{check.input(0).shape};
  check.expect_shape(check.output(), pad_shape(op, input, std::nullopt).shape);
  if (!check.output().quantization) return;
  const arithmetic::IntegerFormat format = check.output().quantization->format();
  check.expect(op.value >= format.min() && op.value <= format.max(), "value", std::to_string(op.value),
               std::to_string(format.min()) + " to " + std::to_string(format.max()));
}

std::string pad_batch_obstacle(const PadOp& op, const Shape& /*input*/) {
  return op.before[0] != 0 || op.after[0] != 0 ? "padding of dimension 0" : "";
}

/// Padding with real zero stays that.
void requantize_pad(PadOp& op, const Quantization& before, const Quantization& after) {
  const std::int64_t scaled = rescale_rne(op.value, largest_magnitude(after.bits, after.is_signed),
                                          largest_magnitude(before.bits, before.is_signed));
  op.value = op.value == before.zero_point() ? after.zero_point()
                                             : std::clamp(scaled, after.format().min(), after.format().max());
}

void quantize_pad(PadOp& op, const Quantization& output) {
  op.value = quantize_value(op.real_value, output);
}

VectorAccess pad_access(const PadOp& op) {
  VectorAccess access{.pattern = AccessPattern::move, .pad_value = op.value};
  for (const std::int64_t before : op.before) access.move_offset.push_back(-before);
  return access;
}

void fill_integers(TensorData& tensor, std::int64_t value) {
  visit_element_type(tensor.type, [&](auto zero) {
    const auto elements = tensor.as<decltype(zero)>();
    std::fill(elements.begin(), elements.end(), static_cast<decltype(zero)>(value));
  });
}

void run_pad(const NodeRun& run) {
  const auto& op = std::get<PadOp>(run.node.op);
  const TensorData& input = run.x();
  if (run.output.type == ElementType::f32) {
    std::ranges::fill(run.result(), op.real_value);
  } else {
    fill_integers(run.output, op.value);
  }
  StridedBox to{0, row_major_strides(run.output.shape)};
  for (std::size_t d = 0; d < to.strides.size(); ++d) to.offset += op.before[d] * to.strides[d];
  BoxCopy(input.shape, input, run.output).run({0, row_major_strides(input.shape)}, to);
}

// ---- slices ----------------------------------------------------------------------------------------------

const std::array kSliceForms{OpForm{
    "strided_slice", "Elements begin, begin + stride, .. of each dimension; keeps the input's quantization.",
    StridedSliceOp{}}};

void slice_fields(StridedSliceOp& op, OpFields& fields) {
  fields.integers({"begin", "First index, one a dimension.", true, true}, op.begin, 0, kMaxTensorElements,
                  nullptr);
  fields.integers({"count", "Number of indices, one a dimension.", true, true}, op.count, 1,
                  kMaxTensorElements, nullptr);
  const std::vector<std::int64_t> ones(op.count.size(), 1);
  fields.integers({"stride", "Distance of indices, one a dimension. Default: 1.", false}, op.stride,
                  -kMaxTensorElements, kMaxTensorElements, &ones);
}

/// A declared shape may leave out dimensions of one element.
InferredShape slice_shape(const StridedSliceOp& op, std::span<const Shape> inputs,
                          const std::optional<Shape>& declared) {
  if (op.count.size() != inputs[0].size()) {
    return wrong_shape("a slice of " + std::to_string(inputs[0].size()) + " dimensions, as the input has");
  }
  const bool same = declared && checked_element_count(*declared) == checked_element_count(op.count);
  return {same ? *declared : op.count, {}};
}

void check_slice(const StridedSliceOp& op, NodeCheck& check) {
  check_moved(check);
  const Shape& x = check.input(0).shape;
  if (!check.expect(
          op.begin.size() == x.size() && op.stride.size() == x.size() && op.count.size() == x.size(), "slice",
          std::to_string(op.begin.size()) + " dimensions", std::to_string(x.size()))) {
    return;
  }
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool ok = op.begin[d] >= 0 && op.begin[d] < x[d] && op.count[d] >= 1 && op.count[d] <= x[d] &&
                    std::abs(op.stride[d]) <= kMaxTensorElements;
    const std::int64_t last = ok ? op.begin[d] + op.stride[d] * (op.count[d] - 1) : -1;
    if (!check.expect(last >= 0 && last < x[d], "slice of dimension " + std::to_string(d),
                      "begin " + std::to_string(op.begin[d]) + ", stride " + std::to_string(op.stride[d]) +
                          ", count " + std::to_string(op.count[d]),
                      "at least one index, all inside 0 to " + std::to_string(x[d] - 1))) {
      return;
    }
  }
  check.expect(element_count(check.output().shape) == checked_element_count(op.count), "output",
               "shape " + to_string(check.output().shape),
               std::to_string(checked_element_count(op.count)) + " elements");
}

void set_slice_batch(StridedSliceOp& op, std::int64_t batch) {
  op.begin[0] = 0;
  op.stride[0] = 1;
  op.count[0] = batch;
}

VectorAccess slice_access(const StridedSliceOp& op) {
  return {
      .pattern = AccessPattern::move, .move_stride = op.stride, .move_offset = op.begin, .extent = op.count};
}

WholeBytes slice_whole_bytes(const StridedSliceOp& op, const Shape& /*input*/) {
  return {.first = op.begin.back() != 0 || op.stride.back() != 1, .output = true};
}

void run_slice(const NodeRun& run) {
  const auto& op = std::get<StridedSliceOp>(run.node.op);
  StridedBox from{0, row_major_strides(run.x().shape)};
  for (std::size_t d = 0; d < from.strides.size(); ++d) {
    from.offset += op.begin[d] * from.strides[d];
    from.strides[d] *= op.stride[d];
  }
  BoxCopy(op.count, run.x(), run.output).run(from, {0, row_major_strides(op.count)});
}

// ---- another shape ---------------------------------------------------------------------------------------

const std::array kReshapeForms{
    OpForm{"reshape", "The same elements in another shape; keeps the input's quantization.", ReshapeOp{}}};

void reshape_fields(ReshapeOp& /*op*/, OpFields& fields) {
  fields.output_shape({"shape", "New dimensions; one may be -1: what is left over."});
}

InferredShape reshape_shape(const ReshapeOp& /*op*/, std::span<const Shape> inputs,
                            const std::optional<Shape>& declared) {
  if (!declared) return wrong_shape("the shape to give the elements");
  const Shape& x = inputs[0];
  Shape shape = *declared;
  const auto open = std::find(shape.begin(), shape.end(), -1);
  if (open != shape.end()) {
    *open = 1;
    const std::int64_t rest = checked_element_count(shape);
    if (rest > 0) *open = element_count(x) / rest;
  }
  if (checked_element_count(shape) != element_count(x)) {
    return wrong_shape("a shape of " + std::to_string(element_count(x)) + " elements, as the input " +
                       to_string(x) + " has");
  }
  return {shape, {}};
}

void check_reshape(const ReshapeOp& /*op*/, NodeCheck& check) {
  // Accumulators may change their shape.
  if (check.input(0).type != ElementType::i32 || check.output().type != ElementType::i32) {
    check.expect_activation(check.input(0));
    check.expect_activation(check.output());
  }
  check.expect_same_type();
  check.expect(
      has_blocks(check.input(0)) == has_blocks(check.output()) &&
          (!has_blocks(check.output()) || check.input(0).shape.back() == check.output().shape.back()),
      "output", "blocks of other channels", "blocks where the input has them, of the same channels");
  check.expect(element_count(check.input(0).shape) == element_count(check.output().shape), "output",
               "shape " + to_string(check.output().shape),
               "as many elements as the input of shape " + to_string(check.input(0).shape));
}

VectorAccess reshape_access(const ReshapeOp& /*op*/) {
  return {.pattern = AccessPattern::flat};
}

void run_reshape(const NodeRun& run) {
  run.output.bytes = run.x().bytes;
}

// ---- transposition ---------------------------------------------------------------------------------------

const std::array kTransposeForms{
    OpForm{"transpose", "Dimensions in another order; keeps the input's quantization.", TransposeOp{}}};

void transpose_fields(TransposeOp& op, OpFields& fields) {
  fields.indices({"permutation", "Output dimension i is input dimension permutation[i]."}, op.permutation, 7);
}

InferredShape transpose_shape(const TransposeOp& op, std::span<const Shape> inputs,
                              const std::optional<Shape>& /*declared*/) {
  const Shape& x = inputs[0];
  std::vector<bool> seen(x.size(), false);
  Shape shape;
  for (const int d : op.permutation) {
    const auto index = static_cast<std::size_t>(d);
    if (d < 0 || index >= x.size() || seen[index]) break;
    seen[index] = true;
    shape.push_back(x[index]);
  }
  if (shape.size() != x.size() || op.permutation.size() != x.size()) {
    return wrong_shape("each of the " + std::to_string(x.size()) + " dimensions once");
  }
  return {shape, {}};
}

void check_transpose(const TransposeOp& op, NodeCheck& check) {
  check_moved(check);
  const std::array<Shape, 1> input{check.input(0).shape};
  const InferredShape inferred = transpose_shape(op, input, std::nullopt);
  if (!check.expect(inferred.ok(), "permutation", std::to_string(op.permutation.size()) + " entries",
                    inferred.problem)) {
    return;
  }
  check.expect_shape(check.output(), inferred.shape);
}

std::string transpose_batch_obstacle(const TransposeOp& op, const Shape& /*input*/) {
  const bool moves = op.permutation.empty() || op.permutation[0] != 0;
  return moves ? "a transposition of dimension 0" : "";
}

VectorAccess transpose_access(const TransposeOp& op) {
  return {.pattern = AccessPattern::move, .move_axis = op.permutation};
}

void run_transpose(const NodeRun& run) {
  const std::vector<std::int64_t> in_strides = row_major_strides(run.x().shape);
  StridedBox from;
  for (const int d : std::get<TransposeOp>(run.node.op).permutation) {
    from.strides.push_back(in_strides[static_cast<std::size_t>(d)]);
  }
  BoxCopy(run.output.shape, run.x(), run.output).run(from, {0, row_major_strides(run.output.shape)});
}

/// Zeros around rows and columns.
bool pad_keeps_factors(const PadOp& op, const Shape& /*input*/) {
  return op.real_value == 0.0F && op.before.back() == 0 && op.after.back() == 0;
}

/// Element e of either shape is of channel e modulo the input's channels.
bool reshape_keeps_factors(const ReshapeOp& /*op*/, const Shape& /*input*/) {
  return true;
}

}  // namespace

extern const OpDefinition kPad{.forms = kPadForms,
                               .fields = column<pad_fields>,
                               .shape = column<pad_shape>,
                               .check = column<check_pad>,
                               .batch_obstacle = column<pad_batch_obstacle>,
                               .grid = column<kept_grid<PadOp>>,
                               .stays_in_range = true,
                               .keeps_factors = column<pad_keeps_factors>,
                               .requantize = column<requantize_pad>,
                               .quantize = column<quantize_pad>,
                               .function = copy_function,
                               .access = column<pad_access>,
                               .run = run_pad,
                               .run_float = run_pad};

extern const OpDefinition kStridedSlice{.forms = kSliceForms,
                                        .fields = column<slice_fields>,
                                        .shape = column<slice_shape>,
                                        .check = column<check_slice>,
                                        .set_batch = column<set_slice_batch>,
                                        .grid = column<kept_grid<StridedSliceOp>>,
                                        .stays_in_range = true,
                                        .function = copy_function,
                                        .access = column<slice_access>,
                                        .whole_bytes = column<slice_whole_bytes>,
                                        .run = run_slice,
                                        .run_float = run_slice};

extern const OpDefinition kReshape{.forms = kReshapeForms,
                                   .fields = column<reshape_fields>,
                                   .shape = column<reshape_shape>,
                                   .check = column<check_reshape>,
                                   .grid = column<kept_grid<ReshapeOp>>,
                                   .stays_in_range = true,
                                   .keeps_factors = column<reshape_keeps_factors>,
                                   .function = copy_function,
                                   .access = column<reshape_access>,
                                   .needs_dense_input = true,
                                   .run = run_reshape,
                                   .run_float = run_reshape};

extern const OpDefinition kTranspose{.forms = kTransposeForms,
                                     .fields = column<transpose_fields>,
                                     .shape = column<transpose_shape>,
                                     .check = column<check_transpose>,
                                     .batch_obstacle = column<transpose_batch_obstacle>,
                                     .grid = column<kept_grid<TransposeOp>>,
                                     .stays_in_range = true,
                                     .function = copy_function,
                                     .access = column<transpose_access>,
                                     .run = run_transpose,
                                     .run_float = run_transpose};

}  // namespace qsim
