#include "workloads/readers/onnx/split_moves.h"

#include <algorithm>
#include <utility>

namespace qsim::onnx_format {
namespace {

constexpr std::size_t kMostDimensions = 4;

std::int64_t elements_of(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t count = 1;
  for (std::size_t d = begin; d < end; ++d) count *= shape[d];
  return count;
}

/// The shape as [what comes before dimension d, d, what follows].
Shape around(const Shape& shape, std::size_t d) {
  return {elements_of(shape, 0, d), shape[d], elements_of(shape, d + 1, shape.size())};
}

class MoveSplitter {
 public:
  MoveSplitter(Graph& graph, const Node& node, const SplitSinks& sinks)
      : graph_(graph), node_(node), sinks_(sinks), last_(node.inputs[0]), shape_(graph.tensor(last_).shape) {}

  void operator()(const StridedSliceOp& op) {
    for (std::size_t d = 0; d < shape_.size(); ++d) {
      if (op.begin[d] == 0 && op.count[d] == shape_[d] && (op.stride[d] == 1 || op.count[d] == 1)) continue;
      const Shape view = around(shape_, d);
      step(view, StridedSliceOp{{0, op.begin[d], 0}, {1, op.stride[d], 1}, {view[0], op.count[d], view[2]}},
           {view[0], op.count[d], view[2]});
      shape_[d] = op.count[d];
    }
    finish();
  }

  void operator()(const PadOp& op) {
    for (std::size_t d = 0; d < shape_.size(); ++d) {
      if (op.before[d] == 0 && op.after[d] == 0) continue;
      const Shape view = around(shape_, d);
      shape_[d] += op.before[d] + op.after[d];
      step(view, PadOp{{0, op.before[d], 0}, {0, op.after[d], 0}, op.value, op.real_value},
           {view[0], shape_[d], view[2]});
    }
    finish();
  }

  /// Position after position takes its dimension, over the block that stands between.
  void operator()(const TransposeOp& op) {
    std::vector<int> order(shape_.size());
    for (std::size_t d = 0; d < order.size(); ++d) order[d] = static_cast<int>(d);
    for (std::size_t to = 0; to < order.size(); ++to) {
      const auto at = std::find(order.begin(), order.end(), op.permutation[to]);
      const auto from = static_cast<std::size_t>(at - order.begin());
      if (from == to) continue;
      const std::size_t count = run_length(op.permutation, order, to, from);
      exchange(to, from, count);
      rotate(order, to, from, count);
      rotate(shape_, to, from, count);
    }
    finish();
  }

  void operator()(const ConcatOp& op) {
    const auto axis = static_cast<std::size_t>(op.axis);
    std::vector<TensorId> parts;
    for (const TensorId id : node_.inputs) {
      last_ = id;
      reshape(around(graph_.tensor(id).shape, axis), "#merge");
      parts.push_back(last_);
    }
    const Shape joined = around(graph_.tensor(node_.outputs[0]).shape, axis);
    add(ConcatOp{1}, std::move(parts), joined, node_.name);
    finish();
  }

  template <typename OtherOp>
  void operator()(const OtherOp& /*op*/) {}

 private:
  /// Dimensions from `from` on that move together.
  static std::size_t run_length(const std::vector<int>& wanted, const std::vector<int>& order, std::size_t to,
                                std::size_t from) {
    std::size_t count = 1;
    while (from + count < order.size() && wanted[to + count] == order[from + count]) ++count;
    return count;
  }

  template <typename Values>
  static void rotate(Values& values, std::size_t to, std::size_t from, std::size_t count) {
    const auto at = [&](std::size_t i) { return values.begin() + static_cast<std::ptrdiff_t>(i); };
    std::rotate(at(to), at(from), at(from + count));
  }

  /// [before, block, dimensions that come to its front, after].
  void exchange(std::size_t to, std::size_t from, std::size_t count) {
    const Shape view{elements_of(shape_, 0, to), elements_of(shape_, to, from),
                     elements_of(shape_, from, from + count),
                     elements_of(shape_, from + count, shape_.size())};
    if (view[1] == 1 || view[2] == 1) return;  // No element changes its place.
    step(view, TransposeOp{{0, 2, 1, 3}}, {view[0], view[2], view[1], view[3]});
  }

  void step(const Shape& view, Op op, const Shape& result) {
    reshape(view, "#merge");
    add(std::move(op), {last_}, result, node_.name);
  }

  void reshape(const Shape& shape, const char* suffix) {
    if (graph_.tensor(last_).shape != shape) add(ReshapeOp{}, {last_}, shape, node_.name + suffix);
  }

  /// The result has the type and the scale of the node's own where the operation joins, of its input
  /// otherwise.
  void add(Op op, std::vector<TensorId> inputs, const Shape& shape, const std::string& name) {
    const bool joins = std::holds_alternative<ConcatOp>(op);
    const Tensor like = graph_.tensor(joins ? node_.outputs[0] : inputs.front());
    const TensorId output = sinks_.add_tensor(like, graph_.tensor(node_.outputs[0]).name + "#merged", shape);
    sinks_.add_node({name, node_.place, std::move(op), std::move(inputs), {output}});
    last_ = output;
  }

  void finish() {
    sinks_.add_node({node_.name + "#split", node_.place, ReshapeOp{}, {last_}, node_.outputs});
  }

  Graph& graph_;
  const Node& node_;
  const SplitSinks& sinks_;
  TensorId last_;
  Shape shape_;
};

}  // namespace

bool needs_split(const Graph& graph, const Node& node) {
  const bool moves = std::holds_alternative<StridedSliceOp>(node.op) ||
                     std::holds_alternative<PadOp>(node.op) || std::holds_alternative<TransposeOp>(node.op) ||
                     std::holds_alternative<ConcatOp>(node.op);
  if (!moves || graph.tensor(node.outputs[0]).is_float()) return false;
  return graph.tensor(node.inputs[0]).shape.size() > kMostDimensions;
}

void split_move(Graph& graph, const Node& node, const SplitSinks& sinks) {
  MoveSplitter splitter(graph, node, sinks);
  std::visit(splitter, node.op);
}

}  // namespace qsim::onnx_format
