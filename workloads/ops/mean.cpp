// Mean over dimensions.
#include <algorithm>

#include "hw_models/arithmetic/tflite_functions.h"
#include "workloads/graph/blocks.h"
#include "workloads/graph/layout.h"
#include "workloads/ops/block_rows.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/mean_cursor.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/operand_types.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

using namespace arithmetic;

const std::array kMeanForms{OpForm{"mean", "Mean over dimensions.", MeanOp{}}};

void mean_fields(MeanOp& op, OpFields& fields) {
  fields.axes({"axes", "Dimensions; negative ones count from the end."}, op.axes);
  fields.boolean({"keep_dims", "Leave dimensions of one element behind."}, op.keep_dims, true);
}

InferredShape mean_shape(const MeanOp& op, std::span<const Shape> inputs, const std::optional<Shape>&) {
  const Shape& x = inputs[0];
  Shape shape;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool reduced = std::find(op.axes.begin(), op.axes.end(), static_cast<int>(d)) != op.axes.end();
    if (!reduced) shape.push_back(x[d]);
    if (reduced && op.keep_dims) shape.push_back(1);
  }
  return {shape, {}};
}

void check_mean(const MeanOp& op, NodeCheck& check) {
  check.expect_activation(check.input(0));
  check.expect_activation(check.output());
  expect_block_form(check);
  const auto rank = static_cast<int>(check.input(0).shape.size());
  const bool sorted = std::is_sorted(op.axes.begin(), op.axes.end()) &&
                      std::adjacent_find(op.axes.begin(), op.axes.end()) == op.axes.end();
  const bool inside = !op.axes.empty() && op.axes.front() >= 0 && op.axes.back() < rank;
  if (!check.expect(sorted && inside, "axes", "",
                    "at least one, ascending, 0 to " + std::to_string(rank - 1))) {
    return;
  }
  check.expect_inferred_shape();
}

std::string mean_batch_obstacle(const MeanOp& op, const Shape& /*input*/) {
  const bool mixes = std::find(op.axes.begin(), op.axes.end(), 0) != op.axes.end();
  return mixes ? "a mean over dimension 0" : "";
}

/// Order of a mean over `axes` of the model's dimensions of more than one element, as ONNX Runtime's
/// reduction picks it: all kept before all reduced, all reduced before all kept, or kept, reduced, kept.
MeanOrder mean_order(const Shape& shape, const std::vector<bool>& reduced) {
  std::vector<bool> pattern;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] > 1 && (pattern.empty() || pattern.back() != reduced[d])) pattern.push_back(reduced[d]);
  }
  if (pattern.empty() || pattern.back()) return MeanOrder::lanes;
  return pattern.front() ? MeanOrder::sequential : MeanOrder::groups_of_four;
}

/// Axis of the graph's tensor that each dimension of the model is.
std::vector<std::size_t> model_axes(const Tensor& tensor) {
  std::vector<std::size_t> axes(tensor.model_axes.begin(), tensor.model_axes.end());
  for (std::size_t d = 0; tensor.model_axes.empty() && d < tensor.shape.size(); ++d) axes.push_back(d);
  return axes;
}

OnnxMeanFunction onnx_mean(const Tensor& x, const QuantizedType& in, const QuantizedType& out,
                           const ClampRange& limits, const MeanOp& op) {
  OnnxMeanFunction f{in.scale, out.scale, in.zero_point, out.zero_point, limits.min, limits.max, {}, {}, {}};
  const std::size_t rank = x.shape.size();
  const auto is_reduced = [&](std::size_t axis) {
    return std::find(op.axes.begin(), op.axes.end(), static_cast<int>(axis)) != op.axes.end();
  };
  std::vector<bool> reduced;                         // By dimension of the model.
  std::vector<std::int64_t> model_strides(rank, 0);  // By axis of the graph.
  std::int64_t stride = 1;
  const std::vector<std::size_t> axes = model_axes(x);
  for (const std::size_t axis : axes) reduced.push_back(is_reduced(axis));
  for (std::size_t d = axes.size(); d-- > 0;) {
    model_strides[axes[d]] = stride;
    stride *= x.shape[axes[d]];
  }
  f.order = mean_order(model_shape(x), reduced);
  f.position_strides.assign(rank, 0);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (!is_reduced(axis)) f.position_strides[rank - 1 - axis] = model_strides[axis] % 4;
  }
  // Window elements lie in the order of the graph's axes; the model's order is that of its strides.
  std::vector<std::int64_t> places{0};
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (!is_reduced(axis)) continue;
    std::vector<std::int64_t> next;
    for (const std::int64_t place : places) {
      for (std::int64_t i = 0; i < x.shape[axis]; ++i) next.push_back(place + i * model_strides[axis]);
    }
    places = std::move(next);
  }
  if (std::is_sorted(places.begin(), places.end())) return f;
  f.permutation.resize(places.size());
  for (std::size_t k = 0; k < places.size(); ++k) f.permutation[k] = k;
  std::sort(f.permutation.begin(), f.permutation.end(),
            [&](std::size_t a, std::size_t b) { return places[a] < places[b]; });
  return f;
}

WindowFunction window_function(const Graph& graph, const Node& node) {
  const Tensor& input = graph.tensor(node.inputs[0]);
  const QuantizedType x = quantized_type(input);
  const QuantizedType y = quantized_type(graph.tensor(node.outputs[0]));
  const ClampRange limits = output_clamp(graph, node);
  if (graph.semantics == Semantics::tflite) return make_tflite_mean(x, y, limits);
  return onnx_mean(input, x, y, limits, std::get<MeanOp>(node.op));
}

VectorFunction mean_function(const Graph& graph, const Node& node, std::size_t /*input*/) {
  if (has_blocks(graph.tensor(node.outputs[0]))) return RowFunction(*block_function(graph, node));
  return window_function(graph, node);
}

VectorAccess mean_access(const MeanOp& op) {
  return {.pattern = AccessPattern::reduction, .axes = op.axes};
}

/// Another dimension may become the channels.
WholeBytes mean_whole_bytes(const MeanOp& op, const Shape& input) {
  return {.output = !op.axes.empty() && static_cast<std::size_t>(op.axes.back()) + 1 == input.size()};
}

/// Windows of 32 bytes an output.
std::int64_t mean_scratch_bytes(const Graph& graph, const Node& node) {
  return 32 * element_count(graph.tensor(node.outputs[0]).shape);
}

/// Every output of a mean whose order shows: its elements in the order of the graph's axes.
void run_ordered_mean(const OnnxMeanFunction& function, const MeanOp& op, const TensorData& input,
                      TensorData& output) {
  std::vector<std::vector<std::int64_t>> elements(static_cast<std::size_t>(output.size()));
  std::vector<std::int64_t> starts(elements.size(), 0);
  MeanCursor cursor(op, input.shape);
  const std::size_t rank = input.shape.size();
  for (std::int64_t i = 0; i < input.size(); ++i, cursor.next()) {
    std::vector<std::int64_t>& window = elements[cursor.offset()];
    if (window.empty()) {
      for (std::size_t d = 0; d < rank; ++d) {
        starts[cursor.offset()] += cursor.index(d) * function.position_strides[rank - 1 - d];
      }
    }
    window.push_back(input.at(i));
  }
  for (std::size_t i = 0; i < elements.size(); ++i) {
    output.set(static_cast<std::int64_t>(i), evaluate(function, elements[i], starts[i] % 4));
  }
}

void run_mean(const NodeRun& run) {
  const TensorData& input = run.x();
  if (has_blocks(run.graph.tensor(run.node.outputs[0])))
    return run_vector_function(run, vector_function(run.graph, run.node));
  const WindowFunction function = window_function(run.graph, run.node);
  const auto& op = std::get<MeanOp>(run.node.op);
  if (const auto* ordered = std::get_if<OnnxMeanFunction>(&function)) {
    return run_ordered_mean(*ordered, op, input, run.output);
  }
  std::vector<WindowState> windows(static_cast<std::size_t>(run.output.size()));
  MeanCursor cursor(op, input.shape);
  visit_element_type(input.type, [&](auto zero) {
    for (const auto x : input.as<decltype(zero)>()) {
      windows[cursor.offset()].add(x);
      cursor.next();
    }
  });
  for (std::size_t i = 0; i < windows.size(); ++i) {
    run.output.set(static_cast<std::int64_t>(i), evaluate(function, windows[i]));
  }
}

/// Sums in double, in the order of memory, rounded once.
void run_float_mean(const NodeRun& run) {
  std::vector<double> sums(run.result().size(), 0.0);
  MeanCursor cursor(std::get<MeanOp>(run.node.op), run.inputs[0]->shape);
  for (const float x : run.input()) {
    sums[cursor.offset()] += static_cast<double>(x);
    cursor.next();
  }
  const double count = static_cast<double>(run.input().size()) / static_cast<double>(sums.size());
  std::transform(sums.begin(), sums.end(), run.result().begin(),
                 [count](double sum) { return static_cast<float>(sum / count); });
}

bool mean_keeps_factors(const MeanOp& op, const Shape& input) {
  return op.axes.empty() || op.axes.back() + 1 < static_cast<int>(input.size());
}

}  // namespace

extern const OpDefinition kMean{.forms = kMeanForms,
                                .fields = column<mean_fields>,
                                .shape = column<mean_shape>,
                                .check = column<check_mean>,
                                .check_scales = column<check_rescaling<MeanOp>>,
                                .batch_obstacle = column<mean_batch_obstacle>,
                                .stays_in_range = true,
                                .keeps_factors = column<mean_keeps_factors>,
                                .function = mean_function,
                                .access = column<mean_access>,
                                .whole_bytes = column<mean_whole_bytes>,
                                .scratch_bytes = mean_scratch_bytes,
                                .run = run_mean,
                                .run_float = run_float_mean};

}  // namespace qsim
