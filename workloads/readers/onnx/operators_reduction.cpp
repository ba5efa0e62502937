// Reductions over dimensions.
#include <algorithm>
#include <array>
#include <numeric>

#include "workloads/graph/graph_check.h"
#include "workloads/readers/onnx/fold_functions.h"
#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {
namespace {

struct Reduction {
  std::vector<bool> reduces;  ///< One a dimension of the model.
  bool keeps = true;          ///< As dimensions of one element.
  Shape shape;                ///< Of the result.
};

/// Dimensions that go (one flag a dimension of the model), and the result's shape.
Reduction reduction_of(OperatorContext& context) {
  context.expect_inputs(1, 2);
  const Shape& x = context.shape(0);
  std::vector<std::int64_t> axes = context.list(1, "axes").value_or(std::vector<std::int64_t>{});
  Reduction result;
  result.keeps = context.attributes.flag("keepdims", true);
  const bool nothing_when_empty = context.attributes.flag("noop_with_empty_axes", false);
  if (axes.empty() && nothing_when_empty)
    context.fail("axes", "none, and noop_with_empty_axes", "axes to reduce",
                 "leave the node out of the model");
  if (axes.empty()) {
    axes.resize(x.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  result.reduces.assign(x.size(), false);
  for (const std::int64_t axis : axes)
    result.reduces[static_cast<std::size_t>(context.wrapped_axis(axis, x.size(), "axes"))] = true;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (!result.reduces[d]) result.shape.push_back(x[d]);
    if (result.reduces[d] && result.keeps) result.shape.push_back(1);
  }
  return result;
}

void read_reduce_mean(OperatorContext& context) {
  const Reduction reduction = reduction_of(context);
  const DimensionOrder from = context.order(0);
  MeanOp mean;
  mean.keep_dims = reduction.keeps;
  DimensionOrder to{{}, from.rank};
  for (std::size_t d = 0; d < reduction.reduces.size(); ++d) {
    if (reduction.reduces[d]) mean.axes.push_back(from.axes[d]);
    if (!reduction.reduces[d] || reduction.keeps) to.axes.push_back(from.axes[d]);
  }
  std::sort(mean.axes.begin(), mean.axes.end());
  if (!reduction.keeps) {
    // What stays moves up by the dimensions that go.
    for (int& axis : to.axes) {
      const auto before = std::lower_bound(mean.axes.begin(), mean.axes.end(), axis);
      axis -= static_cast<int>(before - mean.axes.begin());
    }
    to.rank -= mean.axes.size();
  }
  context.emit(std::move(mean), {context.tensor(0, from)}, reduction.shape, to);
}

/// The mean times the number of elements.
void read_reduce_sum(OperatorContext& context) {
  const Reduction reduction = reduction_of(context);
  const Shape& x = context.shape(0);
  MeanOp mean;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (reduction.reduces[d]) mean.axes.push_back(static_cast<int>(d));
  }
  mean.keep_dims = reduction.keeps;
  const DimensionOrder plain = DimensionOrder::plain(reduction.shape.size());
  const TensorId whole = context.tensor(0, DimensionOrder::plain(x.size()));
  const TensorId mean_id = context.add_step("mean", std::move(mean), {whole}, reduction.shape);
  OnnxTensor count = make_onnx_tensor(OnnxType::float32, {});
  const std::int64_t reduced = element_count(x) / element_count(reduction.shape);
  count.put<float>(0, static_cast<float>(reduced));
  const TensorId factor = context.builder.constant_tensor(context.results.front().value + "#count", count,
                                                          DimensionOrder::plain(0), std::nullopt);
  context.emit(BinaryOp{BinaryKind::mul, Activation::none}, {mean_id, factor}, reduction.shape, plain);
}

/// A pooling over rows that hold what is reduced; the least is minus the greatest of what is negated.
void read_reduce_extreme(OperatorContext& context, bool is_min) {
  const Reduction reduction = reduction_of(context);
  const Shape& x = context.shape(0);
  DimensionOrder rows{std::vector<int>(x.size()), x.size()};
  int next = 0;
  for (const bool reduced : {false, true}) {
    for (std::size_t d = 0; d < x.size(); ++d) {
      if (reduction.reduces[d] == reduced) rows.axes[d] = next++;
    }
  }
  const std::int64_t count = element_count(reduction.shape);
  const std::int64_t length = element_count(x) / count;
  if (length > kMaxWindowAttribute) {
    context.fail("axes", std::to_string(length) + " elements in one",
                 "at most " + std::to_string(kMaxWindowAttribute));
  }
  TensorId last = context.tensor(0, rows);
  if (is_min)
    last = context.add_step("negated", UnaryOp{UnaryKind::neg}, {last},
                            context.builder.graph().tensor(last).shape);
  last = context.add_step("rows", ReshapeOp{}, {last}, {count, length, 1, 1});
  Pool2dOp pool;
  pool.kind = PoolKind::max;
  pool.kernel_h = length;
  last = context.add_step("greatest", pool, {last}, {count, 1, 1, 1});
  if (is_min) last = context.add_step("least", UnaryOp{UnaryKind::neg}, {last}, {count, 1, 1, 1});
  context.emit(ReshapeOp{}, {last}, reduction.shape, DimensionOrder::plain(reduction.shape.size()));
}

void read_greatest(OperatorContext& context) {
  read_reduce_extreme(context, false);
}

void read_least(OperatorContext& context) {
  read_reduce_extreme(context, true);
}

// ---- writing ----------------------------------------------------------------------------------------------

std::string write_real_mean(WriteContext& writer, const Node& node, const RealInput& input_value,
                            const Layout& layout) {
  const auto& op = std::get<MeanOp>(node.op);
  // Without kept dimensions the output has fewer than the input, in the graph's order.
  const Layout x_layout = op.keep_dims ? layout : graph_order(writer.input(node, 0).shape.size());
  std::vector<std::int64_t> axes;
  for (const int axis : op.axes) axes.push_back(position_of(x_layout, axis));
  std::sort(axes.begin(), axes.end());
  const std::string x = input_value(0, x_layout);
  const std::string y = writer.temporary(node, "#y");
  auto& mean = writer.builder.node("ReduceMean", node.name,
                                   {x, writer.builder.integers(node.name + "#axes", axes)}, y);
  set_int(mean, "keepdims", op.keep_dims ? 1 : 0);
  return y;
}

/// TFLite's mean over height and width is the global average pool; ONNX's own is computed with real numbers.
bool write_qlinear_mean(WriteContext& writer, const Node& node) {
  const auto& op = std::get<MeanOp>(node.op);
  const bool is_pool = writer.input(node, 0).shape.size() == 4 && op.axes == std::vector<int>{1, 2};
  if (!is_pool || writer.graph.semantics == Semantics::onnx) return false;
  const Layout layout = op.keep_dims ? writer.natural_layout(node) : graph_order(2);
  std::vector<std::string> inputs =
      writer.quantized_operand(node.inputs[0], writer.values.get(node.inputs[0], channels_first(4)));
  append(inputs, {writer.values.scale(node.outputs[0]), writer.values.zero_point(node.outputs[0])});
  const bool as_pooled = layout == channels_first(4);
  const std::string y = writer.begin_output(node, layout);
  const std::string pooled = as_pooled ? y : writer.temporary(node, "#pooled");
  set_int(writer.builder.node("QLinearGlobalAveragePool", node.name, inputs, pooled, kMicrosoft),
          "channels_last", 0);
  if (!as_pooled) {
    writer.builder.node("Reshape", node.name + "#reshape",
                        {pooled, writer.builder.integers(node.name + "#output_shape",
                                                         shape_in(writer.output(node).shape, layout))},
                        y);
  }
  writer.finish_output(node, y);
  return true;
}

constexpr std::array kReductionRows{
    OperatorRow{.name = "ReduceMean",
                .read = read_reduce_mean,
                .dimensions = DimensionUse::any,
                .group = GroupRule{},
                .first_constant = 1,
                .write = {.operation = operation_index<MeanOp>(),
                          .quantized = write_qlinear_mean,
                          .real = write_real_mean}},
    OperatorRow{.name = "ReduceSum",
                .read = read_reduce_sum,
                .fold = fold_reduction<FoldedBinary::add>,
                .first_constant = 1},
    OperatorRow{.name = "ReduceMax",
                .read = read_greatest,
                .fold = fold_reduction<FoldedBinary::max>,
                .first_constant = 1},
    OperatorRow{.name = "ReduceMin",
                .read = read_least,
                .fold = fold_reduction<FoldedBinary::min>,
                .first_constant = 1},
    OperatorRow{.name = "ReduceProd", .fold = fold_reduction<FoldedBinary::mul>},
    OperatorRow{
        .name = "QLinearReduceMean", .domain = kMicrosoft, .quantized = {"ReduceMean", scaled_operand}},
};

}  // namespace

std::span<const OperatorRow> reduction_operators() {
  return kReductionRows;
}

}  // namespace qsim::onnx_format
