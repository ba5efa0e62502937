#include "workloads/graph/shape_inference.h"

#include <algorithm>

#include "workloads/graph/graph_check.h"
#include "workloads/ops/definition.h"

namespace qsim {
InferredShape broadcast_shapes(const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()));
  for (std::size_t i = 1; i <= shape.size(); ++i) {
    const std::int64_t da = i <= a.size() ? a[a.size() - i] : 1;
    const std::int64_t db = i <= b.size() ? b[b.size() - i] : 1;
    if (da != db && da != 1 && db != 1) {
      return wrong_shape("operands whose dimensions are equal or 1, not " + to_string(a) + " and " +
                         to_string(b));
    }
    shape[shape.size() - i] = std::max(da, db);
  }
  return {shape, {}};
}

std::int64_t window_output_size(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                                std::int64_t dilation, std::int64_t pad_before, std::int64_t pad_after) {
  const std::int64_t room = in + pad_before + pad_after - ((kernel - 1) * dilation + 1);
  return room < 0 ? 0 : room / stride + 1;
}

InferredShape infer_output_shape(const Op& op, std::span<const Shape> inputs,
                                 const std::optional<Shape>& declared) {
  const OpDefinition& row = definition(op);
  InferredShape result =
      row.shape == nullptr ? InferredShape{inputs[0], {}} : row.shape(op, inputs, declared);
  if (!result.ok()) return result;
  if (std::find_if(result.shape.begin(), result.shape.end(), [](std::int64_t d) { return d < 1; }) !=
      result.shape.end()) {
    return wrong_shape("a window that fits into the padded input; the output would be " +
                       to_string(result.shape));
  }
  if (checked_element_count(result.shape) < 0) {
    return wrong_shape("an output of at most " + std::to_string(kMaxTensorElements) + " elements, not " +
                       to_string(result.shape));
  }
  return result;
}

}  // namespace qsim
