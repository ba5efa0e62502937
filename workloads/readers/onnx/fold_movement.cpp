// Folding of operators that move elements: Reshape, Transpose, Slice, Gather, Concat and their like.
#include <algorithm>
#include <numeric>

#include "workloads/graph/strided_copy.h"
#include "workloads/readers/onnx/fold_functions.h"

namespace qsim::onnx_format {
namespace {

OnnxTensor with_shape(const FoldRequest& request, const std::optional<Shape>& shape,
                      const std::string& what) {
  const OnnxTensor& x = request.input(0);
  if (!shape)
    request.fail(what, "one that does not fit shape " + to_string(x.shape), "one that fits the input");
  OnnxTensor result = x;
  result.shape = *shape;
  return result;
}

}  // namespace

std::optional<OnnxTensor> fold_reshape(const FoldRequest& request) {
  const bool allow_zero = request.attributes.flag("allowzero", false);
  return with_shape(request, reshaped(request.input(0).shape, request.integers(1), allow_zero), "shape");
}

std::optional<OnnxTensor> fold_flatten(const FoldRequest& request) {
  const Shape& shape = request.input(0).shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::int64_t axis = request.attributes.integer("axis", 1);
  axis = axis == rank ? rank : wrapped_index(request, "axis", axis, rank);
  const auto middle = shape.begin() + axis;
  return with_shape(
      request, Shape{element_count(Shape(shape.begin(), middle)), element_count(Shape(middle, shape.end()))},
      "axis");
}

std::optional<OnnxTensor> fold_transpose(const FoldRequest& request) {
  const OnnxTensor& x = request.input(0);
  std::vector<std::int64_t> order(x.shape.size());
  std::iota(order.rbegin(), order.rend(), 0);
  const std::vector<std::int64_t> permutation = request.attributes.integers("perm").value_or(order);
  std::vector<std::int64_t> sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  std::reverse(order.begin(), order.end());
  if (sorted != order) request.fail("attribute perm", to_string(permutation), "each dimension once");
  return transposed(x, permutation);
}

std::optional<OnnxTensor> fold_slice(const FoldRequest& request) {
  const OnnxTensor& x = request.input(0);
  const std::vector<std::int64_t> begins = request.integers(1);
  const std::vector<std::int64_t> ends = request.integers(2);
  std::vector<std::int64_t> axes(begins.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (request.has(3)) axes = request.integers(3);
  std::vector<std::int64_t> steps(begins.size(), 1);
  if (request.has(4)) steps = request.integers(4);
  if (ends.size() != begins.size() || axes.size() != begins.size() || steps.size() != begins.size())
    request.fail("starts, ends, axes and steps", "lists of different lengths", "lists of one length");
  Shape shape = x.shape;
  std::vector<std::int64_t> strides = row_major_strides(x.shape);
  std::int64_t base = 0;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const auto d = static_cast<std::size_t>(
        wrapped_index(request, "axes", axes[i], static_cast<std::int64_t>(shape.size())));
    if (steps[i] == 0) request.fail("steps", "0", "a step that moves");
    const SliceRange range = slice_range(begins[i], ends[i], steps[i], x.shape[d]);
    shape[d] = range.count;
    base += range.count > 0 ? range.begin * strides[d] : 0;
    // One element is taken whatever the step, which may be too large to multiply.
    strides[d] = range.count > 1 ? strides[d] * range.step : 0;
  }
  return rearranged(x, shape, strides, base);
}

std::optional<OnnxTensor> fold_gather(const FoldRequest& request) {
  const OnnxTensor& x = request.input(0);
  const OnnxTensor& indices = request.input(1);
  if (!indices.is_integer()) request.fail("indices", onnx_type_name(indices.type), "integers");
  const auto axis = static_cast<std::size_t>(wrapped_index(
      request, "axis", request.attributes.integer("axis", 0), static_cast<std::int64_t>(x.shape.size())));
  Shape shape(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.shape.end());
  OnnxTensor result = make_folded(request, x.type, shape);
  const std::size_t block =
      static_cast<std::size_t>(row_major_strides(x.shape)[axis]) * onnx_element_bytes(x.type);
  const std::int64_t outer =
      element_count(Shape(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis)));
  std::size_t to = 0;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0, count = indices.size(); i < count; ++i) {
      const std::int64_t index = wrapped_index(request, "indices", indices.integer(i), x.shape[axis]);
      const std::size_t from = static_cast<std::size_t>(o * x.shape[axis] + index) * block;
      std::copy_n(x.bytes.begin() + static_cast<std::ptrdiff_t>(from), block,
                  result.bytes.begin() + static_cast<std::ptrdiff_t>(to));
      to += block;
    }
  }
  return result;
}

std::optional<OnnxTensor> fold_concat(const FoldRequest& request) {
  const OnnxTensor& first = request.input(0);
  const auto axis =
      static_cast<std::size_t>(wrapped_index(request, "axis", request.attributes.required_integer("axis"),
                                             static_cast<std::int64_t>(first.shape.size())));
  Shape shape = first.shape;
  shape[axis] = 0;
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    Shape rest = request.input(i).shape;
    if (rest.size() == shape.size()) {
      shape[axis] += rest[axis];
      rest[axis] = first.shape[axis];
    }
    if (rest != first.shape || request.input(i).type != first.type)
      request.fail("input " + std::to_string(i), "shape " + to_string(request.input(i).shape),
                   "the first input's shape and type but for the axis");
  }
  OnnxTensor result = make_folded(request, first.type, shape);
  const std::int64_t outer =
      element_count(Shape(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis)));
  if (outer == 0) return result;
  std::size_t to = 0;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
      const OnnxTensor& x = request.input(i);
      const std::size_t block = x.bytes.size() / static_cast<std::size_t>(outer);
      std::copy_n(x.bytes.begin() + o * static_cast<std::ptrdiff_t>(block), block,
                  result.bytes.begin() + static_cast<std::ptrdiff_t>(to));
      to += block;
    }
  }
  return result;
}

std::optional<OnnxTensor> fold_expand(const FoldRequest& request) {
  const OnnxTensor& x = request.input(0);
  const std::optional<Shape> shape = broadcast_shape(x.shape, request.integers(1));
  if (!shape) request.fail("shape", "one that does not fit " + to_string(x.shape), "one that broadcasts");
  static_cast<void>(make_folded(request, x.type, *shape));  // Checks the size.
  const std::vector<std::int64_t> from = row_major_strides(x.shape);
  std::vector<std::int64_t> strides(shape->size(), 0);
  const std::size_t added = shape->size() - x.shape.size();
  for (std::size_t d = 0; d < x.shape.size(); ++d) strides[d + added] = x.shape[d] == 1 ? 0 : from[d];
  return rearranged(x, *shape, strides, 0);
}

std::optional<OnnxTensor> fold_identity(const FoldRequest& request) {
  return request.input(0);
}

std::optional<OnnxTensor> fold_squeeze(const FoldRequest& request) {
  return with_shape(request, squeezed(request.input(0).shape, request.list(1, "axes")), "axes");
}

std::optional<OnnxTensor> fold_unsqueeze(const FoldRequest& request) {
  const auto axes = request.list(1, "axes");
  if (!axes) request.fail("axes", "none", "a list of dimensions");
  return with_shape(request, unsqueezed(request.input(0).shape, *axes), "axes");
}

}  // namespace qsim::onnx_format
