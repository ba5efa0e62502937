#include "workloads/graph/shape_inference.h"

#include <algorithm>

#include "workloads/graph/graph_check.h"

namespace qsim {
namespace {

InferredShape wrong(std::string problem) {
  return {{}, std::move(problem)};
}

class ShapeInference {
 public:
  ShapeInference(std::span<const Shape> inputs, const std::optional<Shape>& declared)
      : inputs_(inputs), declared_(declared) {}

  InferredShape operator()(const Conv2dOp& op) const {
    const Shape& w = inputs_[1];
    if (x().size() != 4 || w.size() != 4) return wrong("an input and weights of 4 dimensions");
    if (op.groups < 1 || x()[3] % op.groups != 0 || w[0] % op.groups != 0 || w[3] != x()[3] / op.groups) {
      return wrong("weights [out_channels, kernel_h, kernel_w, " + std::to_string(x()[3]) +
                   " input channels / groups], and groups that divide both numbers of channels");
    }
    return {{x()[0], window_output_size(x()[1], w[1], op.stride_h, op.dilation_h, op.pad_top, op.pad_bottom),
             window_output_size(x()[2], w[2], op.stride_w, op.dilation_w, op.pad_left, op.pad_right), w[0]},
            {}};
  }

  InferredShape operator()(const TransposeConv2dOp&) const {
    const Shape& w = inputs_[1];
    if (x().size() != 4 || w.size() != 4 || w[3] != x()[3]) {
      return wrong("an input of 4 dimensions and weights [out_channels, kernel_h, kernel_w, input channels]");
    }
    if (!declared_ || declared_->size() != 4) return wrong("an output shape of 4 dimensions");
    return {{x()[0], (*declared_)[1], (*declared_)[2], w[0]}, {}};
  }

  InferredShape operator()(const FullyConnectedOp&) const {
    const Shape& w = inputs_[1];
    const std::int64_t elements = element_count(x());
    if (w.size() != 2 || elements % w[1] != 0) {
      return wrong("weights [outputs, depth] with a depth that divides the input's " +
                   std::to_string(elements) + " elements");
    }
    const std::int64_t rows = elements / w[1];
    const bool fits = declared_ && !declared_->empty() && declared_->back() == w[0] &&
                      checked_element_count(*declared_) == rows * w[0];
    return {fits ? *declared_ : Shape{rows, w[0]}, {}};
  }

  InferredShape operator()(const BinaryOp&) const { return broadcast(x(), inputs_[1]); }

  InferredShape operator()(const MatMulOp& op) const {
    const Shape& b = inputs_[1];
    if (x().size() < 2 || b.size() < 2) return wrong("two operands of at least 2 dimensions");
    const std::int64_t depth = b[b.size() - (op.transpose_b ? 1 : 2)];
    if (depth != x().back()) {
      return wrong("operands that agree in the reduced dimension, not " + to_string(x()) + " and " +
                   to_string(b));
    }
    InferredShape result = broadcast({x().begin(), x().end() - 2}, {b.begin(), b.end() - 2});
    result.shape.push_back(x()[x().size() - 2]);
    result.shape.push_back(b[b.size() - (op.transpose_b ? 2 : 1)]);
    return result;
  }

  InferredShape operator()(const ResizeOp& op) const {
    if (x().size() != 4) return wrong("an input of 4 dimensions");
    if (declared_ && declared_->size() == 4) return {{x()[0], (*declared_)[1], (*declared_)[2], x()[3]}, {}};
    const auto resized = [](std::int64_t in, float scale) {
      const float out = static_cast<float>(in) * scale;
      return out >= 1.0F && out <= static_cast<float>(kMaxTensorElements) ? static_cast<std::int64_t>(out)
                                                                          : 0;
    };
    return {{x()[0], resized(x()[1], op.scale_h), resized(x()[2], op.scale_w), x()[3]}, {}};
  }

  InferredShape operator()(const Pool2dOp& op) const {
    if (x().size() != 4) return wrong("an input of 4 dimensions");
    return {{x()[0], window_output_size(x()[1], op.kernel_h, op.stride_h, 1, op.pad_top, op.pad_bottom),
             window_output_size(x()[2], op.kernel_w, op.stride_w, 1, op.pad_left, op.pad_right), x()[3]},
            {}};
  }

  InferredShape operator()(const MeanOp& op) const {
    Shape shape;
    for (std::size_t d = 0; d < x().size(); ++d) {
      const bool reduced = std::find(op.axes.begin(), op.axes.end(), static_cast<int>(d)) != op.axes.end();
      if (!reduced) shape.push_back(x()[d]);
      if (reduced && op.keep_dims) shape.push_back(1);
    }
    return {shape, {}};
  }

  InferredShape operator()(const PadOp& op) const {
    if (op.before.size() != x().size() || op.after.size() != x().size()) {
      return wrong("paddings of " + std::to_string(x().size()) + " dimensions, as the input has");
    }
    Shape shape = x();
    for (std::size_t d = 0; d < shape.size(); ++d) shape[d] += op.before[d] + op.after[d];
    return {shape, {}};
  }

  InferredShape operator()(const StridedSliceOp& op) const {
    if (op.count.size() != x().size()) {
      return wrong("a slice of " + std::to_string(x().size()) + " dimensions, as the input has");
    }
    // A declared shape may leave out dimensions of one element.
    const bool same = declared_ && checked_element_count(*declared_) == checked_element_count(op.count);
    return {same ? *declared_ : op.count, {}};
  }

  InferredShape operator()(const ReshapeOp&) const {
    if (!declared_) return wrong("the shape to give the elements");
    Shape shape = *declared_;
    const auto open = std::find(shape.begin(), shape.end(), -1);
    if (open != shape.end()) {
      *open = 1;
      const std::int64_t rest = checked_element_count(shape);
      if (rest > 0) *open = element_count(x()) / rest;
    }
    if (checked_element_count(shape) != element_count(x())) {
      return wrong("a shape of " + std::to_string(element_count(x())) + " elements, as the input " +
                   to_string(x()) + " has");
    }
    return {shape, {}};
  }

  InferredShape operator()(const TransposeOp& op) const {
    std::vector<bool> seen(x().size(), false);
    Shape shape;
    for (const int d : op.permutation) {
      const auto index = static_cast<std::size_t>(d);
      if (d < 0 || index >= x().size() || seen[index]) break;
      seen[index] = true;
      shape.push_back(x()[index]);
    }
    if (shape.size() != x().size() || op.permutation.size() != x().size()) {
      return wrong("a permutation that has each of the " + std::to_string(x().size()) + " dimensions once");
    }
    return {shape, {}};
  }

  InferredShape operator()(const ConcatOp& op) const {
    Shape shape = x();
    const auto axis = static_cast<std::size_t>(op.axis);
    if (op.axis < 0 || axis >= shape.size()) return wrong("an axis of the inputs");
    for (const Shape& other : inputs_.subspan(1)) {
      Shape rest = other;
      if (other.size() == shape.size()) rest[axis] = shape[axis];
      if (rest != shape) return wrong("inputs that are equal but for the axis, not " + to_string(other));
      shape[axis] += other[axis];
    }
    return {shape, {}};
  }

  InferredShape operator()(const DynamicQuantizeOp& op) const {
    return {dynamic_result_shape(op.result, x()), {}};
  }

  /// Softmax, normalizations, element by element operations, quantize and dequantize keep the shape.
  template <typename ShapeKeepingOp>
  InferredShape operator()(const ShapeKeepingOp&) const {
    return {x(), {}};
  }

 private:
  [[nodiscard]] const Shape& x() const { return inputs_[0]; }

  /// numpy: aligned at the last dimension, equal or 1.
  [[nodiscard]] static InferredShape broadcast(const Shape& a, const Shape& b) {
    Shape shape(std::max(a.size(), b.size()));
    for (std::size_t i = 1; i <= shape.size(); ++i) {
      const std::int64_t da = i <= a.size() ? a[a.size() - i] : 1;
      const std::int64_t db = i <= b.size() ? b[b.size() - i] : 1;
      if (da != db && da != 1 && db != 1) {
        return wrong("operands whose dimensions are equal or 1, not " + to_string(a) + " and " +
                     to_string(b));
      }
      shape[shape.size() - i] = std::max(da, db);
    }
    return {shape, {}};
  }

  std::span<const Shape> inputs_;
  const std::optional<Shape>& declared_;
};

}  // namespace

std::int64_t window_output_size(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                                std::int64_t dilation, std::int64_t pad_before, std::int64_t pad_after) {
  const std::int64_t room = in + pad_before + pad_after - ((kernel - 1) * dilation + 1);
  return room < 0 ? 0 : room / stride + 1;
}

InferredShape infer_output_shape(const Op& op, std::span<const Shape> inputs,
                                 const std::optional<Shape>& declared) {
  InferredShape result = std::visit(ShapeInference(inputs, declared), op);
  if (!result.ok()) return result;
  if (std::find_if(result.shape.begin(), result.shape.end(), [](std::int64_t d) { return d < 1; }) !=
      result.shape.end()) {
    return wrong("a window that fits into the padded input; the output would be " + to_string(result.shape));
  }
  if (checked_element_count(result.shape) < 0) {
    return wrong("an output of at most " + std::to_string(kMaxTensorElements) + " elements, not " +
                 to_string(result.shape));
  }
  return result;
}

}  // namespace qsim
