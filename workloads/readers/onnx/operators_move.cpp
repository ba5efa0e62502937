// Operators that move elements or give them another shape.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string_view>

#include "workloads/readers/onnx/operator_reader.h"

namespace qsim::onnx_format {

/// Elements stay in the model's order, which is plain on both sides.
void OperatorReader::reshape_to(const std::optional<Shape>& target, const std::string& what) {
  const Shape x = shape(0);
  if (!target || element_count(*target) != element_count(x))
    fail(what, target ? to_string(*target) : "one that does not fit",
         "one that fits the input of shape " + to_string(x));
  const DimensionOrder from = DimensionOrder::plain(x.size());
  const DimensionOrder to = DimensionOrder::plain(target->size());
  // Where the order of the elements is plain already, whatever the dimensions are called, nothing has to
  // move.
  const TensorId input = same_element_order(x, order(0), from) ? tensor(0, order(0)) : tensor(0, from);
  emit_move(ReshapeOp{}, {input}, *target, to);
}

void OperatorReader::read_reshape() {
  expect_inputs(2, 2);
  const bool allow_zero = attributes_.flag("allowzero", false);
  reshape_to(reshaped(shape(0), *indices(1, "shape"), allow_zero), "shape");
}

void OperatorReader::read_flatten() {
  expect_inputs(1, 1);
  const Shape& x = shape(0);
  std::int64_t axis = attributes_.integer("axis", 1);
  if (axis != static_cast<std::int64_t>(x.size())) axis = wrapped_axis(axis, x.size(), "attribute axis");
  const auto middle = x.begin() + axis;
  reshape_to(Shape{element_count(Shape(x.begin(), middle)), element_count(Shape(middle, x.end()))}, "axis");
}

void OperatorReader::read_squeeze() {
  expect_inputs(1, 2);
  reshape_to(squeezed(shape(0), list(1, "axes")), "axes");
}

void OperatorReader::read_unsqueeze() {
  expect_inputs(1, 2);
  const auto axes = list(1, "axes");
  if (!axes) fail("axes", "none", "a list of dimensions");
  reshape_to(unsqueezed(shape(0), *axes), "axes");
}

/// The model's output dimension i is its input dimension perm[i]. On the chip elements move from the order
/// that the input has to the one that users of the output want; often that is none at all.
void OperatorReader::read_transpose() {
  expect_inputs(1, 1);
  const Shape& x = shape(0);
  std::vector<std::int64_t> permutation(x.size());
  std::iota(permutation.rbegin(), permutation.rend(), 0);
  permutation = attributes_.integers("perm").value_or(permutation);
  std::vector<std::int64_t> sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::int64_t> all(x.size());
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all)
    fail("attribute perm", to_string(permutation),
         "each of the " + std::to_string(x.size()) + " dimensions once");
  DimensionOrder from = order(0);
  if (from.rank != x.size()) from = DimensionOrder::plain(x.size());
  Shape y;
  DimensionOrder same{{}, from.rank};  // The output's dimensions where the input's lie.
  for (const std::int64_t d : permutation) {
    y.push_back(x[static_cast<std::size_t>(d)]);
    same.axes.push_back(from.axes[static_cast<std::size_t>(d)]);
  }
  const bool channels_last = builder_.wants_channels_last(results_.front().value);
  DimensionOrder to =
      channels_last ? DimensionOrder::channels_last(y.size()) : DimensionOrder::plain(y.size());
  if (to.rank != y.size()) to = DimensionOrder::plain(y.size());
  if (same_element_order(y, same, to)) return emit_move(ReshapeOp{}, {tensor(0, from)}, y, to);
  TransposeOp transpose;
  for (const int d : to.model_dimensions())
    transpose.permutation.push_back(same.axes[static_cast<std::size_t>(d)]);
  emit_move(std::move(transpose), {tensor(0, from)}, y, to);
}

void OperatorReader::read_concat() {
  expect_inputs(1, 1024);
  const Shape& first = shape(0);
  const auto axis = static_cast<std::size_t>(
      wrapped_axis(attributes_.required_integer("axis"), first.size(), "attribute axis"));
  Shape y = first;
  y[axis] = 0;
  for (std::size_t i = 0; i < operands_.size(); ++i) {
    if (!has(i)) fail("input " + std::to_string(i), "none", "a tensor");
    Shape rest = shape(i);
    if (rest.size() == y.size()) {
      y[axis] += rest[axis];
      rest[axis] = first[axis];
    }
    if (rest != first) {
      fail("input \"" + operand(i).value + "\"", "shape " + to_string(shape(i)),
           "the first input's " + to_string(first) + " but for axis " + std::to_string(axis));
    }
  }
  // Constants beside integers have the scale of the activations.
  std::optional<Quantization> scale;
  for (std::size_t i = 0; i < operands_.size(); ++i) {
    if (!scale && !is_constant(i)) scale = operands_[i].quantization;
  }
  for (Operand& operand : operands_) {
    if (!operand.quantization) operand.quantization = scale;
  }
  if (!results_.front().quantization) results_.front().quantization = scale;
  const DimensionOrder order = common_order(y.size());
  std::vector<TensorId> inputs;
  for (std::size_t i = 0; i < operands_.size(); ++i) inputs.push_back(tensor(i, order));
  emit(ConcatOp{order.axes[axis]}, std::move(inputs), y, order);
}

void OperatorReader::slice_to(const std::vector<SliceRange>& ranges, std::size_t result,
                              const std::optional<Shape>& dropped) {
  const DimensionOrder from = order(0);
  StridedSliceOp slice;
  slice.begin.assign(from.rank, 0);
  slice.stride.assign(from.rank, 1);
  slice.count.assign(from.rank, 1);
  Shape y;
  for (std::size_t d = 0; d < ranges.size(); ++d) {
    const auto to = static_cast<std::size_t>(from.axes[d]);
    slice.begin[to] = ranges[d].begin;
    slice.stride[to] = ranges[d].count > 1 ? ranges[d].step : 1;
    slice.count[to] = ranges[d].count;
    if (ranges[d].count < 1) fail("slice of dimension " + std::to_string(d), "no elements", "at least one");
    y.push_back(ranges[d].count);
  }
  // A dimension that is dropped leaves its place empty.
  DimensionOrder to = from;
  if (dropped) {
    to = DimensionOrder{{}, from.rank};
    for (std::size_t d = 0; d < dropped->size(); ++d) {
      if ((*dropped)[d] == 0) to.axes.push_back(from.axes[d]);
    }
    Shape kept;
    for (std::size_t d = 0; d < dropped->size(); ++d) {
      if ((*dropped)[d] == 0) kept.push_back(y[d]);
    }
    y = kept;
  }
  emit_move(std::move(slice), {tensor(0, from)}, y, to, result);
}

void OperatorReader::read_slice() {
  expect_inputs(3, 5);
  const Shape& x = shape(0);
  const std::vector<std::int64_t> begins = *indices(1, "starts");
  const std::vector<std::int64_t> ends = *indices(2, "ends");
  std::vector<std::int64_t> axes(begins.size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = indices(3, "axes").value_or(axes);
  const std::vector<std::int64_t> steps =
      indices(4, "steps").value_or(std::vector<std::int64_t>(begins.size(), 1));
  if (ends.size() != begins.size() || axes.size() != begins.size() || steps.size() != begins.size())
    fail("starts, ends, axes and steps", "lists of different lengths", "lists of one length");
  std::vector<SliceRange> ranges;
  for (const std::int64_t size : x) ranges.push_back({0, 1, size});
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const auto d = static_cast<std::size_t>(wrapped_axis(axes[i], x.size(), "axes"));
    if (steps[i] == 0) fail("steps", "0", "a step that moves");
    ranges[d] = slice_range(begins[i], ends[i], steps[i], x[d]);
  }
  slice_to(ranges, 0, std::nullopt);
}

/// One slice an output; node NAME makes the first, NAME#2 the second.
void OperatorReader::read_split() {
  expect_inputs(1, 2);
  const Shape x = shape(0);
  const auto axis =
      static_cast<std::size_t>(wrapped_axis(attributes_.integer("axis", 0), x.size(), "attribute axis"));
  std::optional<std::vector<std::int64_t>> sizes = list(1, "split");
  const auto count = static_cast<std::int64_t>(node_.outputs.size());
  if (attributes_.integer("num_outputs", count) != count)
    fail("attribute num_outputs", std::to_string(attributes_.integer("num_outputs", 0)),
         std::to_string(count));
  if (!sizes) {
    const std::int64_t piece = (x[axis] + count - 1) / count;
    sizes.emplace();
    for (std::int64_t i = 0; i < count; ++i) sizes->push_back(std::min(piece, x[axis] - i * piece));
  }
  const std::int64_t total = std::accumulate(sizes->begin(), sizes->end(), std::int64_t{0});
  const bool positive =
      std::all_of(sizes->begin(), sizes->end(), [&](auto s) { return s >= 1 && s <= x[axis]; });
  if (static_cast<std::int64_t>(sizes->size()) != count || total != x[axis] || !positive)
    fail("split", to_string(*sizes), std::to_string(count) + " sizes that sum to " + std::to_string(x[axis]));
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < sizes->size(); ++i) {
    std::vector<SliceRange> ranges;
    for (const std::int64_t size : x) ranges.push_back({0, 1, size});
    ranges[axis] = {begin, 1, (*sizes)[i]};
    begin += (*sizes)[i];
    if (!results_[i].value.empty()) slice_to(ranges, i, std::nullopt);
  }
}

/// With one index: a slice whose dimension is dropped where the index is a scalar. With several that follow
/// each other evenly: a slice.
void OperatorReader::read_gather() {
  expect_inputs(2, 2);
  const Shape& x = shape(0);
  const auto axis =
      static_cast<std::size_t>(wrapped_axis(attributes_.integer("axis", 0), x.size(), "attribute axis"));
  std::vector<std::int64_t> chosen = *indices(1, "indices");
  const Shape& index_shape = shape(1);
  for (std::int64_t& index : chosen) {
    if (index < -x[axis] || index >= x[axis])
      fail("indices", std::to_string(index),
           "an index of dimension " + std::to_string(axis) + " of " + to_string(x));
    index = index < 0 ? index + x[axis] : index;
  }
  const std::int64_t step = chosen.size() > 1 ? chosen[1] - chosen[0] : 1;
  bool is_even = !chosen.empty() && step != 0 && index_shape.size() <= 1;
  for (std::size_t i = 2; i < chosen.size(); ++i) is_even = is_even && chosen[i] - chosen[i - 1] == step;
  if (!is_even) {
    fail("indices", "indices that do not follow each other evenly", "one index, or an even sequence",
         "gathering by a table does not run on this chip");
  }
  std::vector<SliceRange> ranges;
  for (const std::int64_t size : x) ranges.push_back({0, 1, size});
  ranges[axis] = {chosen[0], step, static_cast<std::int64_t>(chosen.size())};
  Shape dropped(x.size(), 0);
  dropped[axis] = 1;
  slice_to(ranges, 0, index_shape.empty() ? std::optional(dropped) : std::nullopt);
}

void OperatorReader::read_pad() {
  expect_inputs(1, 4);
  const Shape& x = shape(0);
  const std::string mode = attributes_.text("mode", "constant");
  constexpr std::array<std::string_view, 4> kModes{"constant", "reflect", "edge", "wrap"};
  if (std::ranges::find(kModes, mode) == kModes.end())
    fail("attribute mode", '"' + mode + '"', "constant, reflect, edge or wrap");
  const std::optional<std::vector<std::int64_t>> pads = list(1, "pads");
  if (!pads) fail("pads", "none", "a list of sizes");
  std::vector<std::int64_t> axes(x.size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = indices(3, "axes").value_or(axes);
  if (pads->size() != 2 * axes.size())
    fail("pads", std::to_string(pads->size()) + " sizes",
         std::to_string(2 * axes.size()) + ", two a dimension");
  const DimensionOrder from = order(0);
  PadOp pad;
  pad.before.assign(from.rank, 0);
  pad.after.assign(from.rank, 0);
  Shape y = x;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<std::size_t>(wrapped_axis(axes[i], x.size(), "axes"));
    const std::int64_t before = (*pads)[i];
    const std::int64_t after = (*pads)[i + axes.size()];
    constexpr std::int64_t kLimit = 1 << 30;
    if (before < 0 || after < 0 || before > kLimit || after > kLimit)
      fail("pads", to_string(*pads), "sizes of 0 or more", "slice instead of padding by a negative size");
    pad.before[static_cast<std::size_t>(from.axes[d])] = before;
    pad.after[static_cast<std::size_t>(from.axes[d])] = after;
    y[d] += before + after;
  }
  if (mode != "constant") return read_pad_with_elements(pad, y, from, mode);
  set_pad_value(pad);
  emit_move(std::move(pad), {tensor(0, from)}, y, from);
}

/// Stored integers where the operator is one of integers, real numbers quantized where a group encloses it.
void OperatorReader::set_pad_value(PadOp& pad) {
  float real = attributes_.real("value", 0.0F);
  if (has(2)) {
    const OnnxTensor* value = builder_.constant(operand(2).value);
    if (value == nullptr || value->size() != 1)
      fail("value \"" + operand(2).value + "\"", "a tensor computed at run time or of several elements",
           "one constant");
    if (value->is_integer() && !value->is_real()) {
      pad.value = value->integer(0);
      return;
    }
    real = static_cast<float>(value->real(0));
  }
  pad.real_value = real;
  const std::optional<Quantization>& q = operand(0).quantization;
  if (!q || is_float()) return;
  const bool is_group = !absorbed_.empty();
  if (!is_group) {
    pad.value = 0;  // The default is a stored zero.
    return;
  }
  const float stored = std::nearbyint(real / q->scale()) + static_cast<float>(q->zero_point());
  const float low = static_cast<float>(q->format().min());
  const float high = static_cast<float>(q->format().max());
  pad.value = static_cast<std::int64_t>(std::clamp(stored, low, high));
}

/// A value under another name; a node of the graph only where that name is an output's.
void OperatorReader::read_identity() {
  expect_inputs(1, op_ == "Dropout" ? 3 : 1);
  attributes_.ignore("ratio");
  attributes_.ignore("seed");
  if (has(2)) {
    const OnnxTensor* training = builder_.constant(operand(2).value);
    if (training == nullptr || training->size() != 1 || training->real(0) != 0.0)
      fail("training_mode", "true or computed at run time", "false", "export the model for inference");
  }
  const std::string& output = node_.outputs.front();
  if (builder_.model().is_output(output)) return emit(ReshapeOp{}, {tensor(0, order(0))}, shape(0), order(0));
  builder_.add_alias(output, operand(0).value);
}

/// To the type that the value has already, or stored integers as floats.
void OperatorReader::read_cast() {
  attributes_.ignore("saturate");
  const auto type = static_cast<OnnxType>(attributes_.required_integer("to"));
  const OnnxType from = builder_.info(operand(0).value).type;
  if (type == from) return read_identity();
  expect_inputs(1, 1);
  const int bits = onnx_integer_bits(from);
  if (type != OnnxType::float32 || bits == 0 || bits > 32) {
    fail("attribute to", onnx_type_name(type), onnx_type_name(from) + ", as the input has, or FLOAT",
         "QuantizeLinear makes integers of floats");
  }
  operands_.front().quantization = Quantization{bits, onnx_is_signed(from), {1.0F}, {0}, -1, 0};
  results_.front().type = OnnxType::float32;
  results_.front().quantization.reset();
  emit(DequantizeOp{}, {tensor(0, order(0))}, shape(0), order(0));
}

}  // namespace qsim::onnx_format
