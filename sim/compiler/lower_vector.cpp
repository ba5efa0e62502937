#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include "base/error.h"
#include "sim/compiler/lower.h"
#include "workloads/execute/execute.h"

namespace qsim {

namespace {

/// Position of a tensor's dimension `axis` among batch, row, column, channel.
std::size_t dim_of_axis(const Shape& shape, std::size_t axis) {
  const std::size_t from_end = shape.size() - 1 - axis;
  return from_end >= kDims ? 0 : kDims - 1 - from_end;
}

/// Builds the problems of one row.
class VectorLowering {
 public:
  VectorLowering(const Graph& graph, const Schedule& schedule, std::int32_t row)
      : graph_(graph),
        schedule_(schedule),
        node_(graph.nodes[schedule.rows[static_cast<std::size_t>(row)].node]) {}

  LoweredRow run() {
    std::visit([this](const auto& op) { lower(op); }, node_.op);
    lowered_.output = schedule_.storage_of[static_cast<std::size_t>(node_.outputs[0])];
    return std::move(lowered_);
  }

 private:
  [[nodiscard]] const Shape& input_shape(std::size_t i = 0) const {
    return graph_.tensor(node_.inputs[i]).shape;
  }
  [[nodiscard]] const Shape& output_shape() const { return graph_.tensor(node_.outputs[0]).shape; }

  [[noreturn]] void unsupported(const std::string& what, const std::string& expected) const {
    throw InputError(Problem{graph_.source, node_.place, what, expected,
                             "reshape the tensor to at most four dimensions around this operator"});
  }
  void need_four_dims(const Shape& shape) const {
    if (shape.size() > kDims) {
      unsupported("a tensor of " + std::to_string(shape.size()) + " dimensions (" + to_string(shape) + ")",
                  "at most 4 dimensions for " + std::string(op_name(graph_, node_)));
    }
  }

  /// Over all elements of the output, viewed with extents `view`.
  [[nodiscard]] VectorProblem problem_over(const Dims& view, VectorFunction function) const {
    VectorProblem problem;
    problem.function = std::move(function);
    problem.extent = view;
    problem.output = view_of(schedule_, node_.outputs[0], view);
    return problem;
  }
  [[nodiscard]] VectorInput input_view(std::size_t i, const Dims& dims) const {
    VectorInput input;
    input.tensor = view_of(schedule_, node_.inputs[i], dims);
    return input;
  }
  void finish(VectorProblem problem, const std::vector<std::size_t>& operands) {
    std::vector<int> storages;
    storages.reserve(operands.size());
    for (const std::size_t i : operands) {
      storages.push_back(schedule_.storage_of[static_cast<std::size_t>(node_.inputs[i])]);
    }
    lowered_.inputs.push_back(std::move(storages));
    lowered_.problems.emplace_back(std::make_shared<const VectorProblem>(std::move(problem)));
  }

  // Operations of the MAC array do not come here, nor those that make_schedule refuses.
  template <typename OtherOp>
  void lower(const OtherOp&) {
    throw std::logic_error("not on the vector unit");
  }

  void elementwise() {
    const Dims dims = dims_of(output_shape());
    VectorProblem problem = problem_over(dims, unary_function(graph_, node_));
    problem.inputs.push_back(input_view(0, dims));
    finish(std::move(problem), {0});
  }
  void lower(const UnaryOp&) { elementwise(); }
  void lower(const QuantizeOp&) { elementwise(); }
  void lower(const DequantizeOp&) { elementwise(); }

  void lower(const ReshapeOp&) {
    const Dims flat{1, 1, 1, element_count(output_shape())};
    VectorProblem problem = problem_over(flat, arithmetic::UnaryFunction{arithmetic::CopyFunction{}});
    problem.inputs.push_back(input_view(0, flat));
    finish(std::move(problem), {0});
  }

  void lower(const BinaryOp&) { two_operands(); }
  void lower(const PReluOp&) { two_operands(); }

  void two_operands() {
    const Dims out = dims_of(output_shape());
    VectorProblem problem = problem_over(out, binary_function(graph_, node_));
    for (std::size_t i = 0; i < 2; ++i) {
      if (input_shape(i) != output_shape()) need_four_dims(output_shape());
      const Dims dims = dims_of(input_shape(i));
      VectorInput input = input_view(i, dims);
      for (std::size_t d = 0; d < kDims; ++d) {
        if (dims[d] == 1 && out[d] > 1) input.stride[d] = 0;  // broadcast
      }
      problem.inputs.push_back(input);
    }
    finish(std::move(problem), {0, 1});
  }

  void lower(const Pool2dOp& op) {
    VectorProblem problem = problem_over(dims_of(output_shape()), window_function(graph_, node_));
    problem.window = {1, op.kernel_h, op.kernel_w, 1};
    VectorInput input = input_view(0, dims_of(input_shape()));
    input.stride = {1, op.stride_h, op.stride_w, 1};
    input.offset = {0, -op.pad_top, -op.pad_left, 0};
    problem.inputs.push_back(input);
    finish(std::move(problem), {0});
  }

  void lower(const MeanOp& op) {
    need_four_dims(input_shape());
    const Dims in = dims_of(input_shape());
    Dims kept = in;
    Dims window{1, 1, 1, 1};
    for (const int axis : op.axes) {
      const std::size_t d = dim_of_axis(input_shape(), static_cast<std::size_t>(axis));
      window[d] = in[d];
      kept[d] = 1;
    }
    VectorProblem problem = problem_over(kept, window_function(graph_, node_));
    problem.window = window;
    problem.inputs.push_back(input_view(0, in));
    finish(std::move(problem), {0});
  }

  void lower(const PadOp& op) {
    need_four_dims(input_shape());
    VectorProblem problem =
        problem_over(dims_of(output_shape()), arithmetic::UnaryFunction{arithmetic::CopyFunction{}});
    VectorInput input = input_view(0, dims_of(input_shape()));
    for (std::size_t axis = 0; axis < op.before.size(); ++axis) {
      input.offset[dim_of_axis(input_shape(), axis)] = -op.before[axis];
    }
    input.pad = op.value;
    problem.inputs.push_back(input);
    finish(std::move(problem), {0});
  }

  void lower(const StridedSliceOp& op) {
    need_four_dims(input_shape());
    VectorProblem problem =
        problem_over(dims_of(op.count), arithmetic::UnaryFunction{arithmetic::CopyFunction{}});
    VectorInput input = input_view(0, dims_of(input_shape()));
    for (std::size_t axis = 0; axis < op.begin.size(); ++axis) {
      const std::size_t d = dim_of_axis(input_shape(), axis);
      input.offset[d] = op.begin[axis];
      input.stride[d] = op.stride[axis];
    }
    problem.inputs.push_back(input);
    finish(std::move(problem), {0});
  }

  void lower(const TransposeOp& op) {
    need_four_dims(input_shape());
    VectorProblem problem =
        problem_over(dims_of(output_shape()), arithmetic::UnaryFunction{arithmetic::CopyFunction{}});
    VectorInput input = input_view(0, dims_of(input_shape()));
    for (std::size_t axis = 0; axis < op.permutation.size(); ++axis) {
      const auto from = static_cast<std::size_t>(op.permutation[axis]);
      input.source[dim_of_axis(input_shape(), from)] = dim_of_axis(output_shape(), axis);
    }
    problem.inputs.push_back(input);
    finish(std::move(problem), {0});
  }

  /// One an input, each writing its part of the output.
  void lower(const ConcatOp& op) {
    need_four_dims(output_shape());
    const std::size_t d = dim_of_axis(output_shape(), static_cast<std::size_t>(op.axis));
    Dims offset{};
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      const Dims dims = dims_of(input_shape(i));
      VectorProblem problem = problem_over(dims_of(output_shape()), unary_function(graph_, node_, i));
      problem.extent = dims;
      problem.output_offset = offset;
      problem.inputs.push_back(input_view(i, dims));
      finish(std::move(problem), {i});
      offset[d] += dims[d];
    }
  }

  void lower(const SoftmaxOp&) { rows(); }
  void lower(const LayerNormOp&) { rows(); }

  void rows() {
    const Dims dims = dims_of(output_shape());
    VectorProblem problem = problem_over(dims, row_function(graph_, node_));
    problem.inputs.push_back(input_view(0, dims));
    std::vector<std::size_t> operands{0};
    for (std::size_t i = 1; i < node_.inputs.size(); ++i) {
      if (node_.inputs[i] == kNoTensor) continue;
      (i == 1 ? problem.has_gamma : problem.has_beta) = true;
      VectorInput constant = input_view(i, {1, 1, 1, dims[kChannel]});
      constant.stride = {0, 0, 0, 1};
      problem.inputs.push_back(constant);
      operands.push_back(i);
    }
    finish(std::move(problem), operands);
  }

  void lower(const ResizeOp&) {
    VectorProblem problem = problem_over(dims_of(output_shape()), resize_function(graph_, node_));
    problem.inputs.push_back(input_view(0, dims_of(input_shape())));
    finish(std::move(problem), {0});
  }

  const Graph& graph_;
  const Schedule& schedule_;
  const Node& node_;
  LoweredRow lowered_;
};

}  // namespace

LoweredRow lower_to_vector_unit(const Graph& graph, const Schedule& schedule, std::int32_t row) {
  return VectorLowering(graph, schedule, row).run();
}

}  // namespace qsim
