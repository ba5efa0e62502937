// STRIDED_SLICE, SLICE, SPLIT, SPLIT_V.
#include <algorithm>
#include <numeric>

#include "workloads/readers/tflite/operator_context.h"
#include "workloads/readers/tflite/operator_table.h"
#include "workloads/readers/tflite/slice.h"

namespace qsim::tflite {
namespace {

SliceMasks masks_of(const file::StridedSliceOptions& options) {
  return {static_cast<std::uint32_t>(options.begin_mask()), static_cast<std::uint32_t>(options.end_mask()),
          static_cast<std::uint32_t>(options.ellipsis_mask()),
          static_cast<std::uint32_t>(options.new_axis_mask()),
          static_cast<std::uint32_t>(options.shrink_axis_mask())};
}

void expect_output_shape(const OperatorContext& op, const ModelTensor& y, const Shape& shape) {
  if (shape != y.shape) op.fail("output \"" + y.name + "\"", "shape " + to_string(y.shape), to_string(shape));
}

void read_strided_slice(OperatorContext& op) {
  op.expect_inputs(4, 4);
  op.expect_same_type(1);
  const auto& options = or_defaults(op.table().builtin_options_as_StridedSliceOptions());
  if (options.offset()) op.fail("offset", "true", "false");
  const SliceSpec spec{op.indices(1), op.indices(2), op.indices(3), masks_of(options)};
  const ResolvedSlice slice = resolve_slice(op.input(0).shape, spec);
  if (!slice.problem.empty()) op.fail("slice", slice.problem, "indices of at least one element");
  expect_output_shape(op, op.output(), slice.output_shape);
  op.add_node(slice.op, {op.use(0)});
}

/// A slice of a list; operands x, begin, end, strides.
std::optional<IndexConstant> fold_strided_slice(const OperatorContext& op) {
  std::vector<IndexConstant> inputs;
  for (std::size_t i = 0; i < op.input_count(); ++i) {
    const auto constant = op.constant(i);
    if (!constant) return std::nullopt;
    inputs.push_back(*constant);
  }
  if (inputs.size() != 4 || inputs[0].shape.size() != 1) return std::nullopt;
  const auto& options = or_defaults(op.table().builtin_options_as_StridedSliceOptions());
  const SliceSpec spec{inputs[1].values, inputs[2].values, inputs[3].values, masks_of(options)};
  const ResolvedSlice slice = resolve_slice(inputs[0].shape, spec);
  if (!slice.problem.empty()) return std::nullopt;
  IndexConstant result{slice.output_shape, {}};
  for (std::int64_t i = 0; i < slice.op.count[0]; ++i) {
    result.values.push_back(
        inputs[0].values[static_cast<std::size_t>(slice.op.begin[0] + i * slice.op.stride[0])]);
  }
  return result;
}

/// A size of -1 reaches to the end.
void read_slice(OperatorContext& op) {
  op.expect_inputs(3, 3);
  op.expect_same_type(1);
  const Shape& x = op.input(0).shape;
  const std::vector<std::int64_t> begin = op.indices(1, x.size());
  const std::vector<std::int64_t> size = op.indices(2, x.size());
  StridedSliceOp slice;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (begin[d] < 0 || begin[d] >= x[d])
      op.fail("begin", std::to_string(begin[d]), "0 to " + std::to_string(x[d] - 1));
    slice.begin.push_back(begin[d]);
    slice.stride.push_back(1);
    slice.count.push_back(size[d] == -1 ? x[d] - begin[d] : size[d]);
  }
  expect_output_shape(op, op.output(), slice.count);
  op.add_node(slice, {op.use(0)});
}

/// One slice an output, along dimension `d`.
void add_slices(OperatorContext& op, std::size_t operand, std::size_t d,
                const std::vector<std::int64_t>& lengths) {
  const ModelTensor& source = op.input(operand);
  const Shape& x = source.shape;
  const bool positive = std::ranges::all_of(lengths, [&](auto n) { return n >= 1 && n <= x[d]; });
  if (lengths.size() != op.output_count() || !positive ||
      std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}) != x[d]) {
    op.fail(
        "split", std::to_string(lengths.size()) + " parts of dimension " + std::to_string(d),
        std::to_string(op.output_count()) + " parts that make up its " + std::to_string(x[d]) + " elements");
  }
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const ModelTensor& part = op.output(i);
    if (part.type != source.type || part.scales != source.scales || part.zero_points != source.zero_points) {
      op.fail("tensor \"" + part.name + "\"", "another type or scale than the input's", "the same");
    }
    StridedSliceOp slice;
    slice.begin.assign(x.size(), 0);
    slice.stride.assign(x.size(), 1);
    slice.count = x;
    slice.begin[d] = begin;
    slice.count[d] = lengths[i];
    begin += lengths[i];
    expect_output_shape(op, part, slice.count);
    op.add_node(slice, {op.use(operand)}, i);
  }
}

void expect_operands(const OperatorContext& op, std::size_t count) {
  bool present = op.input_count() == count;
  for (std::size_t i = 0; i < count; ++i) present = present && op.has_input(i);
  if (!present) op.fail("", std::to_string(op.input_count()) + " inputs", std::to_string(count) + " inputs");
}

/// Operands: axis, x. Equal parts.
void read_split(OperatorContext& op) {
  expect_operands(op, 2);
  const Shape& x = op.input(1).shape;
  const std::size_t d = op.dimension(op.indices(0, 1)[0], x.size());
  const std::size_t parts = op.output_count();
  add_slices(op, 1, d, std::vector<std::int64_t>(parts, x[d] / static_cast<std::int64_t>(parts)));
}

/// Operands: x, lengths (one of them may be -1: what is left), axis.
void read_split_v(OperatorContext& op) {
  expect_operands(op, 3);
  const Shape& x = op.input(0).shape;
  std::vector<std::int64_t> lengths = op.indices(1);
  const std::size_t d = op.dimension(op.indices(2, 1)[0], x.size());
  const auto open = std::ranges::find(lengths, -1);
  if (open != lengths.end()) {
    *open = 0;
    const bool bounded = std::ranges::all_of(lengths, [&](auto n) { return n >= 0 && n <= x[d]; });
    if (bounded) *open = x[d] - std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  }
  add_slices(op, 0, d, lengths);
}

}  // namespace

std::span<const OperatorRow> slice_operators() {
  static constexpr OperatorRow kRows[] = {
      {.code = 45, .name = "STRIDED_SLICE", .read = read_strided_slice, .fold = fold_strided_slice},
      {.code = 49, .name = "SPLIT", .read = read_split},
      {.code = 65, .name = "SLICE", .read = read_slice},
      {.code = 102, .name = "SPLIT_V", .read = read_split_v},
  };
  return kRows;
}

}  // namespace qsim::tflite
