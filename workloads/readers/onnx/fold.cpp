#include "workloads/readers/onnx/fold.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "workloads/graph/graph_check.h"
#include "workloads/graph/strided_copy.h"
#include "workloads/readers/onnx/operator_table.h"

namespace qsim::onnx_format {
namespace {

constexpr std::int64_t kMaxFoldedElements = std::int64_t{1} << 22;

}  // namespace

void FoldRequest::fail(const std::string& subject, const std::string& value,
                       const std::string& expected) const {
  throw InputError(Problem{file, node.place + " " + subject, value, expected, "export the model again"});
}

const OnnxTensor& FoldRequest::input(std::size_t index) const {
  if (!has(index)) fail("input " + std::to_string(index), "none", "a tensor");
  return *inputs[index];
}

std::vector<std::int64_t> FoldRequest::integers(std::size_t index) const {
  const OnnxTensor& tensor = input(index);
  if (!tensor.is_integer()) fail("input " + std::to_string(index), onnx_type_name(tensor.type), "integers");
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < tensor.size(); ++i) values.push_back(tensor.integer(i));
  return values;
}

std::optional<std::vector<std::int64_t>> FoldRequest::list(std::size_t index, const char* attribute) const {
  if (has(index)) return integers(index);
  return attributes.integers(attribute);
}

std::int64_t wrapped_index(const FoldRequest& request, const std::string& subject, std::int64_t index,
                           std::int64_t size) {
  const std::int64_t wrapped = index < 0 ? index + size : index;
  if (wrapped < 0 || wrapped >= size) {
    request.fail(subject, std::to_string(index), std::to_string(-size) + " to " + std::to_string(size - 1));
  }
  return wrapped;
}

std::optional<Shape> broadcast_shape(const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()));
  for (std::size_t i = 1; i <= shape.size(); ++i) {
    const std::int64_t da = i <= a.size() ? a[a.size() - i] : 1;
    const std::int64_t db = i <= b.size() ? b[b.size() - i] : 1;
    if (da != db && da != 1 && db != 1) return std::nullopt;
    shape[shape.size() - i] = da == 1 ? db : da;
  }
  return shape;
}

OnnxTensor make_folded(const FoldRequest& request, OnnxType type, const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || (size > 0 && count > kMaxFoldedElements / size)) {
      request.fail("output", "shape " + to_string(shape),
                   "at most " + std::to_string(kMaxFoldedElements) + " elements, none negative");
    }
    if (size > 0) count *= size;
  }
  return make_onnx_tensor(type, shape);
}

std::optional<Shape> reshaped(const Shape& from, const std::vector<std::int64_t>& target, bool allow_zero) {
  Shape shape = target;
  std::int64_t known = 1;
  std::size_t open = shape.size();
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0 && !allow_zero) {
      if (d >= from.size()) return std::nullopt;
      shape[d] = from[d];
    }
    if (shape[d] == -1) {
      if (open != shape.size()) return std::nullopt;
      open = d;
      continue;
    }
    if (shape[d] < 0 || (shape[d] > 0 && known > kMaxTensorElements / shape[d])) return std::nullopt;
    known *= shape[d];
  }
  const std::int64_t count = element_count(from);
  if (open != shape.size()) {
    if (known == 0 || count % known != 0) return std::nullopt;
    shape[open] = count / known;
    known = count;
  }
  return known == count ? std::optional(shape) : std::nullopt;
}

std::optional<Shape> squeezed(const Shape& from, const std::optional<std::vector<std::int64_t>>& axes) {
  std::vector<bool> drops(from.size(), false);
  const auto rank = static_cast<std::int64_t>(from.size());
  if (axes) {
    for (const std::int64_t axis : *axes) {
      const std::int64_t d = axis < 0 ? axis + rank : axis;
      if (d < 0 || d >= rank || from[static_cast<std::size_t>(d)] != 1) return std::nullopt;
      drops[static_cast<std::size_t>(d)] = true;
    }
  } else {
    for (std::size_t d = 0; d < from.size(); ++d) drops[d] = from[d] == 1;
  }
  Shape shape;
  for (std::size_t d = 0; d < from.size(); ++d) {
    if (!drops[d]) shape.push_back(from[d]);
  }
  return shape;
}

std::optional<Shape> unsqueezed(const Shape& from, const std::vector<std::int64_t>& axes) {
  const std::size_t rank = from.size() + axes.size();
  std::vector<bool> is_new(rank, false);
  for (const std::int64_t axis : axes) {
    const std::int64_t d = axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
    if (d < 0 || d >= static_cast<std::int64_t>(rank) || is_new[static_cast<std::size_t>(d)])
      return std::nullopt;
    is_new[static_cast<std::size_t>(d)] = true;
  }
  Shape shape;
  std::size_t next = 0;
  for (std::size_t d = 0; d < rank; ++d) shape.push_back(is_new[d] ? 1 : from[next++]);
  return shape;
}

SliceRange slice_range(std::int64_t begin, std::int64_t end, std::int64_t step, std::int64_t size) {
  // Exporters write "to the end" as the limits of int64.
  const auto place = [size](std::int64_t index, std::int64_t low, std::int64_t high) {
    const std::int64_t wrapped = index < 0 && index >= -size ? index + size : index;
    return std::clamp(wrapped, low, high);
  };
  SliceRange range;
  range.step = step;
  if (step > 0) {
    range.begin = place(begin, 0, size);
    const std::int64_t last = place(end, 0, size);
    range.count = last > range.begin ? (last - range.begin - 1) / step + 1 : 0;
  } else {
    range.begin = place(begin, -1, size - 1);
    // An end below -size stands before the first element, where clamping puts it.
    const std::int64_t last = place(end, -1, size - 1);
    // -step overflows for the least integer: count is then 1.
    range.count = range.begin <= last ? 0 : (last - range.begin + 1) / step + 1;
  }
  return range;
}

OnnxTensor rearranged(const OnnxTensor& source, const Shape& shape, const std::vector<std::int64_t>& strides,
                      std::int64_t base) {
  OnnxTensor result = make_onnx_tensor(source.type, shape);
  copy_strided(result.bytes, shape, onnx_element_bytes(source.type), {source.bytes, strides, base});
  return result;
}

OnnxTensor transposed(const OnnxTensor& tensor, const std::vector<std::int64_t>& permutation) {
  const std::vector<std::int64_t> from = row_major_strides(tensor.shape);
  Shape shape;
  std::vector<std::int64_t> strides;
  for (const std::int64_t d : permutation) {
    shape.push_back(tensor.shape[static_cast<std::size_t>(d)]);
    strides.push_back(from[static_cast<std::size_t>(d)]);
  }
  return rearranged(tensor, shape, strides, 0);
}

std::optional<OnnxTensor> fold_node(const FoldRequest& request) {
  const OperatorRow* row = find_operator(request.node);
  return row == nullptr || row->fold == nullptr ? std::nullopt : row->fold(request);
}

}  // namespace qsim::onnx_format
