// validate(): shapes and types of the operations on the vector unit.
#include <algorithm>
#include <numeric>

#include "workloads/graph/graph_check.h"
#include "workloads/ops/unary.h"

namespace qsim {

void NodeChecker::check_op(const BinaryOp& op) {
  if (op.kind == BinaryKind::div || op.kind == BinaryKind::pow) check_float_only();
  check_activation(input(0));
  check_activation(input(1));
  check_activation(output());
  const bool compares = op.kind == BinaryKind::min || op.kind == BinaryKind::max;
  if (compares && graph_.semantics == Semantics::tflite) {
    for (const std::size_t i : {0, 1}) check_same_scale(input(i));
  }
  const Shape& a = input(0).shape;
  const Shape& b = input(1).shape;
  Shape shape(std::max(a.size(), b.size()));
  for (std::size_t i = 1; i <= shape.size(); ++i) {
    const std::int64_t da = i <= a.size() ? a[a.size() - i] : 1;
    const std::int64_t db = i <= b.size() ? b[b.size() - i] : 1;
    if (!expect(da == db || da == 1 || db == 1, "operands", "shapes " + to_string(a) + " and " + to_string(b),
                "equal dimensions, or 1 where one of them is repeated")) {
      return;
    }
    shape[shape.size() - i] = std::max(da, db);
  }
  expect_shape(output(), shape);
}

void NodeChecker::check_op(const Pool2dOp& op) {
  if (!expect_rank(input(0), 4) || !expect_rank(output(), 4)) return;
  check_activation(input(0));
  check_activation(output());
  check_same_type();
  const Shape& x = input(0).shape;
  expect(output().shape[0] == x[0] && output().shape[3] == x[3], "output",
         "shape " + to_string(output().shape), "the input's batch and channels");
  const bool pads_less_than_kernel = op.pad_top < op.kernel_h && op.pad_bottom < op.kernel_h &&
                                     op.pad_left < op.kernel_w && op.pad_right < op.kernel_w;
  expect(pads_less_than_kernel, "padding", "", "less than the kernel",
         "a window of padding alone has no value");
  check_window(op.kernel_h, op.stride_h, 1, op.pad_top, op.pad_bottom, 1);
  check_window(op.kernel_w, op.stride_w, 1, op.pad_left, op.pad_right, 2);
}

void NodeChecker::check_op(const MeanOp& op) {
  check_activation(input(0));
  check_activation(output());
  const Shape& x = input(0).shape;
  const auto rank = static_cast<int>(x.size());
  const bool sorted = std::is_sorted(op.axes.begin(), op.axes.end()) &&
                      std::adjacent_find(op.axes.begin(), op.axes.end()) == op.axes.end();
  const bool inside = !op.axes.empty() && op.axes.front() >= 0 && op.axes.back() < rank;
  if (!expect(sorted && inside, "axes", "", "at least one, ascending, 0 to " + std::to_string(rank - 1)))
    return;
  Shape shape;
  for (int d = 0; d < rank; ++d) {
    const bool reduced = std::binary_search(op.axes.begin(), op.axes.end(), d);
    if (!reduced) shape.push_back(x[static_cast<std::size_t>(d)]);
    if (reduced && op.keep_dims) shape.push_back(1);
  }
  expect_shape(output(), shape);
}

void NodeChecker::check_op(const PadOp& op) {
  check_activation(input(0));
  check_activation(output());
  check_same_type();
  Shape shape = input(0).shape;
  if (!expect(op.before.size() == shape.size() && op.after.size() == shape.size(), "paddings",
              std::to_string(op.before.size()) + " dimensions", std::to_string(shape.size()))) {
    return;
  }
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const bool ok = op.before[d] >= 0 && op.after[d] >= 0 && op.before[d] <= kMaxTensorElements &&
                    op.after[d] <= kMaxTensorElements;
    if (!expect(ok, "padding of dimension " + std::to_string(d),
                std::to_string(op.before[d]) + ", " + std::to_string(op.after[d]), "0 or more")) {
      return;
    }
    shape[d] += op.before[d] + op.after[d];
  }
  expect_shape(output(), shape);
  if (!output().quantization) return;
  const arithmetic::IntegerFormat format = output().quantization->format();
  expect(op.value >= format.min() && op.value <= format.max(), "value", std::to_string(op.value),
         std::to_string(format.min()) + " to " + std::to_string(format.max()));
}

void NodeChecker::check_op(const StridedSliceOp& op) {
  check_activation(input(0));
  check_activation(output());
  check_same_type();
  const Shape& x = input(0).shape;
  if (!expect(op.begin.size() == x.size() && op.stride.size() == x.size() && op.count.size() == x.size(),
              "slice", std::to_string(op.begin.size()) + " dimensions", std::to_string(x.size()))) {
    return;
  }
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool ok = op.begin[d] >= 0 && op.begin[d] < x[d] && op.count[d] >= 1 && op.count[d] <= x[d] &&
                    std::abs(op.stride[d]) <= kMaxTensorElements;
    const std::int64_t last = ok ? op.begin[d] + op.stride[d] * (op.count[d] - 1) : -1;
    if (!expect(last >= 0 && last < x[d], "slice of dimension " + std::to_string(d),
                "begin " + std::to_string(op.begin[d]) + ", stride " + std::to_string(op.stride[d]) +
                    ", count " + std::to_string(op.count[d]),
                "at least one index, all inside 0 to " + std::to_string(x[d] - 1))) {
      return;
    }
  }
  expect(element_count(output().shape) == checked_element_count(op.count), "output",
         "shape " + to_string(output().shape), std::to_string(checked_element_count(op.count)) + " elements");
}

void NodeChecker::check_op(const ReshapeOp&) {
  // Accumulators may change their shape.
  if (input(0).type != ElementType::i32 || output().type != ElementType::i32) {
    check_activation(input(0));
    check_activation(output());
  }
  check_same_type();
  expect(element_count(input(0).shape) == element_count(output().shape), "output",
         "shape " + to_string(output().shape),
         "as many elements as the input of shape " + to_string(input(0).shape));
}

void NodeChecker::check_op(const TransposeOp& op) {
  check_activation(input(0));
  check_activation(output());
  check_same_type();
  const Shape& x = input(0).shape;
  std::vector<int> sorted = op.permutation;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int> all(x.size());
  std::iota(all.begin(), all.end(), 0);
  if (!expect(sorted == all, "permutation", std::to_string(op.permutation.size()) + " entries",
              "each of the " + std::to_string(x.size()) + " dimensions once")) {
    return;
  }
  Shape shape;
  for (const int d : op.permutation) shape.push_back(x[static_cast<std::size_t>(d)]);
  expect_shape(output(), shape);
}

void NodeChecker::check_op(const ConcatOp& op) {
  check_activation(output());
  const auto rank = static_cast<int>(output().shape.size());
  if (!expect(op.axis >= 0 && op.axis < rank, "axis", std::to_string(op.axis),
              "0 to " + std::to_string(rank - 1)))
    return;
  const auto axis = static_cast<std::size_t>(op.axis);
  std::int64_t length = 0;
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    check_activation(input(i));
    Shape shape = input(i).shape;
    if (shape.size() == output().shape.size()) {
      length += shape[axis];
      shape[axis] = output().shape[axis];
    }
    expect(shape == output().shape, "tensor \"" + input(i).name + "\"", "shape " + to_string(input(i).shape),
           "the output's " + to_string(output().shape) + " but for axis " + std::to_string(op.axis));
  }
  expect(length == output().shape[axis], "output", "shape " + to_string(output().shape),
         std::to_string(length) + " along axis " + std::to_string(op.axis));
}

void NodeChecker::check_op(const SoftmaxOp& op) {
  if (op.logarithm) check_float_only();
  check_activation(input(0));
  check_activation(output());
  expect(!input(0).shape.empty(), "input", "a scalar", "at least one dimension");
  check_same_shape();
}

void NodeChecker::check_op(const UnaryOp& op) {
  if (unary_row(op.kind).is_float_only()) check_float_only();
  if (op.kind == UnaryKind::clip) {
    expect(op.alpha <= op.beta, "bounds", std::to_string(op.alpha) + ", " + std::to_string(op.beta),
           "a lower bound that is not above the upper one");
  }
  check_activation(input(0));
  check_activation(output());
  check_same_shape();
}

void NodeChecker::check_op(const QuantizeOp&) {
  if (!input(0).is_float()) check_activation(input(0));
  if (expect(!output().is_float(), "output", "F32", "a quantized tensor")) check_activation(output());
  check_same_shape();
}

void NodeChecker::check_op(const DynamicQuantizeOp& op) {
  expect(input(0).is_float(), "input", element_type_name(input(0).type), "F32");
  expect_shape(output(), dynamic_result_shape(op.result, input(0).shape));
  const std::optional<Quantization> stored = dynamic_result_quantization(op.result);
  if (!stored) {
    expect(output().is_float(), "output", element_type_name(output().type), "F32");
    return;
  }
  const std::optional<Quantization>& given = output().quantization;
  const bool same = given && given->bits == stored->bits && given->is_signed == stored->is_signed &&
                    given->scales == stored->scales && given->zero_points == stored->zero_points;
  expect(same, "output", "another quantization",
         std::to_string(stored->bits) + (stored->is_signed ? " signed" : " unsigned") +
             " bits at scale 1 and zero point 0: scale and zero point are results of their own");
}

void NodeChecker::check_op(const DequantizeOp&) {
  if (expect(!input(0).is_float(), "input", "F32", "a quantized tensor")) check_sums_or_activation(input(0));
  expect(output().is_float(), "output", element_type_name(output().type), "F32");
  check_same_shape();
}

}  // namespace qsim
