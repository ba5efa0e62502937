#include <memory>
#include <utility>

#include "base/error.h"
#include "sim/compiler/lower.h"
#include "workloads/ops/definition.h"

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
    lower(vector_access(node_.op));
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

  [[nodiscard]] VectorFunction function(std::size_t input = 0) const {
    return vector_function(graph_, node_, input);
  }

  void lower(const VectorAccess& access) {
    switch (access.pattern) {
      case AccessPattern::elementwise:
        return one_operand(dims_of(output_shape()));
      case AccessPattern::flat:
        return one_operand({1, 1, 1, element_count(output_shape())});
      case AccessPattern::broadcast:
        return two_operands();
      case AccessPattern::window:
        return window(access);
      case AccessPattern::reduction:
        return reduction(access);
      case AccessPattern::move:
        return move(access);
      case AccessPattern::join:
        return join(access);
      case AccessPattern::rows:
        return rows();
      case AccessPattern::pixels:
        return pixels();
    }
  }

  void one_operand(const Dims& dims) {
    VectorProblem problem = problem_over(dims, function());
    problem.inputs.push_back(input_view(0, dims));
    finish(std::move(problem), {0});
  }

  void two_operands() {
    const Dims out = dims_of(output_shape());
    VectorProblem problem = problem_over(out, function());
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

  void window(const VectorAccess& access) {
    VectorProblem problem = problem_over(dims_of(output_shape()), function());
    problem.window = {1, access.kernel[0], access.kernel[1], 1};
    VectorInput input = input_view(0, dims_of(input_shape()));
    input.stride = {1, access.stride[0], access.stride[1], 1};
    input.offset = {0, -access.pad_before[0], -access.pad_before[1], 0};
    problem.inputs.push_back(input);
    finish(std::move(problem), {0});
  }

  void reduction(const VectorAccess& access) {
    need_four_dims(input_shape());
    const Dims in = dims_of(input_shape());
    Dims kept = in;
    Dims window{1, 1, 1, 1};
    for (const int axis : access.axes) {
      const std::size_t d = dim_of_axis(input_shape(), static_cast<std::size_t>(axis));
      window[d] = in[d];
      kept[d] = 1;
    }
    VectorProblem problem = problem_over(kept, function());
    problem.window = window;
    problem.inputs.push_back(input_view(0, in));
    finish(std::move(problem), {0});
  }

  void move(const VectorAccess& access) {
    need_four_dims(input_shape());
    const Shape& extent = access.extent.empty() ? output_shape() : access.extent;
    VectorProblem problem = problem_over(dims_of(extent), function());
    VectorInput input = input_view(0, dims_of(input_shape()));
    for (std::size_t axis = 0; axis < input_shape().size(); ++axis) {
      const std::size_t d = dim_of_axis(input_shape(), axis);
      if (!access.move_offset.empty()) input.offset[d] = access.move_offset[axis];
      if (!access.move_stride.empty()) input.stride[d] = access.move_stride[axis];
    }
    for (std::size_t axis = 0; axis < access.move_axis.size(); ++axis) {
      const auto from = static_cast<std::size_t>(access.move_axis[axis]);
      input.source[dim_of_axis(input_shape(), from)] = dim_of_axis(output_shape(), axis);
    }
    input.pad = access.pad_value;
    problem.inputs.push_back(input);
    finish(std::move(problem), {0});
  }

  /// One nest an input, each writing its part of the output.
  void join(const VectorAccess& access) {
    need_four_dims(output_shape());
    const std::size_t d = dim_of_axis(output_shape(), static_cast<std::size_t>(access.axes[0]));
    Dims offset{};
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      const Dims dims = dims_of(input_shape(i));
      VectorProblem problem = problem_over(dims_of(output_shape()), function(i));
      problem.extent = dims;
      problem.output_offset = offset;
      problem.inputs.push_back(input_view(i, dims));
      finish(std::move(problem), {i});
      offset[d] += dims[d];
    }
  }

  void rows() {
    const Dims dims = dims_of(output_shape());
    VectorProblem problem = problem_over(dims, function());
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

  void pixels() {
    VectorProblem problem = problem_over(dims_of(output_shape()), function());
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
