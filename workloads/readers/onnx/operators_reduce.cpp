// Reductions over dimensions, and normalization of each channel's own plane.
#include <algorithm>
#include <numeric>

#include "workloads/graph/graph_check.h"
#include "workloads/readers/onnx/operator_reader.h"

namespace qsim::onnx_format {

/// Dimensions that go (one flag a dimension of the model), and the result's shape.
OperatorReader::Reduction OperatorReader::reduction() {
  expect_inputs(1, 2);
  const Shape& x = shape(0);
  std::vector<std::int64_t> axes = list(1, "axes").value_or(std::vector<std::int64_t>{});
  Reduction result;
  result.keeps = attributes_.flag("keepdims", true);
  const bool nothing_when_empty = attributes_.flag("noop_with_empty_axes", false);
  if (axes.empty() && nothing_when_empty)
    fail("axes", "none, and noop_with_empty_axes", "axes to reduce", "leave the node out of the model");
  if (axes.empty()) {
    axes.resize(x.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  result.reduces.assign(x.size(), false);
  for (const std::int64_t axis : axes)
    result.reduces[static_cast<std::size_t>(wrapped_axis(axis, x.size(), "axes"))] = true;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (!result.reduces[d]) result.shape.push_back(x[d]);
    if (result.reduces[d] && result.keeps) result.shape.push_back(1);
  }
  return result;
}

void OperatorReader::read_reduce_mean() {
  const Reduction reduction = this->reduction();
  const DimensionOrder from = order(0);
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
  emit(std::move(mean), {tensor(0, from)}, reduction.shape, to);
}

/// The mean times the number of elements.
void OperatorReader::read_reduce_sum() {
  const Reduction reduction = this->reduction();
  const Shape& x = shape(0);
  MeanOp mean;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (reduction.reduces[d]) mean.axes.push_back(static_cast<int>(d));
  }
  mean.keep_dims = reduction.keeps;
  const DimensionOrder plain = DimensionOrder::plain(reduction.shape.size());
  const TensorId whole = tensor(0, DimensionOrder::plain(x.size()));
  const TensorId mean_id = add_step("mean", std::move(mean), {whole}, reduction.shape);
  OnnxTensor count = make_onnx_tensor(OnnxType::float32, {});
  const std::int64_t reduced = element_count(x) / element_count(reduction.shape);
  count.put<float>(0, static_cast<float>(reduced));
  const TensorId factor = builder_.constant_tensor(results_.front().value + "#count", count,
                                                   DimensionOrder::plain(0), std::nullopt);
  emit(BinaryOp{BinaryKind::mul, Activation::none}, {mean_id, factor}, reduction.shape, plain);
}

/// A pooling over rows that hold what is reduced; the least is minus the greatest of what is negated.
void OperatorReader::read_reduce_extreme() {
  const Reduction reduction = this->reduction();
  const bool is_min = op_ == "ReduceMin";
  const Shape& x = shape(0);
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
    fail("axes", std::to_string(length) + " elements in one",
         "at most " + std::to_string(kMaxWindowAttribute));
  }
  TensorId last = tensor(0, rows);
  if (is_min)
    last = add_step("negated", UnaryOp{UnaryKind::neg}, {last}, builder_.graph().tensor(last).shape);
  last = add_step("rows", ReshapeOp{}, {last}, {count, length, 1, 1});
  Pool2dOp pool;
  pool.kind = PoolKind::max;
  pool.kernel_h = length;
  last = add_step("greatest", pool, {last}, {count, 1, 1, 1});
  if (is_min) last = add_step("least", UnaryOp{UnaryKind::neg}, {last}, {count, 1, 1, 1});
  emit(ReshapeOp{}, {last}, reduction.shape, DimensionOrder::plain(reduction.shape.size()));
}

/// Each channel of each image by its own mean and variance, then scale and shift of the channel.
void OperatorReader::read_instance_norm() {
  expect_inputs(3, 3);
  const Shape x = shape(0);
  if (x.size() < 3) fail("input", "shape " + to_string(x), "[batch, channels, ..]");
  LayerNormOp norm;
  norm.epsilon = attributes_.real("epsilon", 1e-5F);
  const DimensionOrder plain = DimensionOrder::plain(x.size());
  const std::int64_t rows = x[0] * x[1];
  TensorId last = add_step("rows", ReshapeOp{}, {tensor(0, plain)}, {rows, element_count(x) / rows});
  last = add_step("normal", norm, {last, kNoTensor, kNoTensor}, builder_.graph().tensor(last).shape);
  last = add_step("planes", ReshapeOp{}, {last}, {x[0], x[1], element_count(x) / rows});
  last = add_step("channels", TransposeOp{{0, 2, 1}}, {last}, {x[0], element_count(x) / rows, x[1]});
  std::vector<TensorId> inputs{last};
  for (const std::size_t i : {1, 2}) {
    const char* name = i == 1 ? "scale" : "B";
    const std::vector<float> values = *reals(i, name);
    if (static_cast<std::int64_t>(values.size()) != x[1])
      fail(name, std::to_string(values.size()) + " numbers", std::to_string(x[1]) + ", one a channel");
    inputs.push_back(tensor(i, DimensionOrder::plain(1)));
  }
  const Shape flat = builder_.graph().tensor(last).shape;
  last = add_step("scaled", BatchNormOp{}, std::move(inputs), flat);
  DimensionOrder last_channels = DimensionOrder::axis_last(x.size(), 1);
  emit(ReshapeOp{}, {last}, x, last_channels);
}

}  // namespace qsim::onnx_format
