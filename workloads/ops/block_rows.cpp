#include "workloads/ops/block_rows.h"

#include <algorithm>
#include <array>

#include "workloads/graph/blocks.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

using arithmetic::BlockFunction;

/// Without exponents.
Shape channel_shape(const Tensor& tensor) {
  Shape shape = tensor.shape;
  if (!shape.empty()) shape.back() = channels_of(tensor);
  return shape;
}

/// Kind and rows of `in`; nothing where there is no such function.
struct FormOf {
  const Graph& graph;
  const Node& node;

  using Form = std::optional<BlockFunction>;

  [[nodiscard]] Shape input(std::size_t i) const { return channel_shape(graph.tensor(node.inputs[i])); }

  Form operator()(const BinaryOp& op) const {
    const bool is_constant =
        graph.tensor(node.inputs[0]).is_constant() || graph.tensor(node.inputs[1]).is_constant();
    const Shape output = channel_shape(graph.tensor(node.outputs[0]));
    if (op.kind != BinaryKind::add || is_constant || input(0) != output || input(1) != output) return {};
    return BlockFunction{BlockFunction::Kind::sum, 0, 2};
  }
  Form operator()(const Pool2dOp& op) const {
    if (op.kind == PoolKind::max)
      return BlockFunction{BlockFunction::Kind::maximum, 0, op.kernel_h * op.kernel_w};
    const bool pads = op.pad_top + op.pad_bottom + op.pad_left + op.pad_right > 0;
    if (op.count_include_pad && pads) return {};
    return mean(op.kernel_h * op.kernel_w);
  }
  Form operator()(const MeanOp& op) const {
    const Shape x = input(0);
    if (x.size() != 4 || op.axes != std::vector<int>{1, 2}) return {};
    return mean(x[1] * x[2]);
  }
  template <typename Other>
  Form operator()(const Other& /*op*/) const {
    return {};
  }

 private:
  static Form mean(std::int64_t rows) {
    if (rows > arithmetic::kMxMostMeanRows) return {};
    return BlockFunction{BlockFunction::Kind::mean, 0, rows};
  }
};

/// A window of rows and columns of images of `height` x `width` pixels.
struct PixelWindow {
  std::array<std::int64_t, 2> kernel, stride, pad_before, outputs;
  std::int64_t height, width;

  PixelWindow(const VectorAccess& access, const Shape& x, const Shape& y)
      : kernel(access.kernel),
        stride(access.stride),
        pad_before(access.pad_before),
        outputs{1, 1},
        height(x[1]),
        width(x[2]) {
    if (access.pattern == AccessPattern::reduction) {
      kernel = {height, width};
    } else {
      outputs = {y[1], y[2]};
    }
  }

  /// Calls `visit` with every pixel of the input that output pixel `p` reads, rows first.
  template <typename Visit>
  void for_each_pixel(std::int64_t p, Visit visit) const {
    const std::int64_t image = p / (outputs[0] * outputs[1]);
    const std::int64_t y0 = p / outputs[1] % outputs[0] * stride[0] - pad_before[0];
    const std::int64_t x0 = p % outputs[1] * stride[1] - pad_before[1];
    for (std::int64_t y = std::max<std::int64_t>(y0, 0); y < std::min(y0 + kernel[0], height); ++y) {
      for (std::int64_t x = std::max<std::int64_t>(x0, 0); x < std::min(x0 + kernel[1], width); ++x)
        visit((image * height + y) * width + x);
    }
  }
};

}  // namespace

std::optional<BlockFunction> block_function(const Graph& graph, const Node& node) {
  std::optional<BlockFunction> function = std::visit(FormOf{graph, node}, node.op);
  if (!function) return function;
  function->channels = channels_of(graph.tensor(node.outputs[0]));
  const Activation* activation = fused_activation(node.op);
  const RealBounds bounds = bounds_of(activation == nullptr ? Activation::none : *activation);
  function->low = bounds.low;
  function->high = bounds.high;
  return function;
}

void expect_block_form(NodeCheck& check) {
  const bool are_blocks = has_blocks(check.output());
  for (std::size_t i = 0; i < check.node().inputs.size(); ++i) {
    if (!check.expect(has_blocks(check.input(i)) == are_blocks, "tensor \"" + check.input(i).name + "\"",
                      are_blocks ? "integers or floats" : "blocks",
                      are_blocks ? "blocks, as the output" : "no blocks, as the output"))
      return;
  }
  check.expect(!are_blocks || block_function(check.graph(), check.node()).has_value(), "activations",
               "blocks", "floats, or integers with one scale a tensor");
}

void run_rows_together(const NodeRun& run, const arithmetic::RowFunction& function) {
  const VectorAccess access = vector_access(run.node.op);
  const std::int64_t length = run.output.shape.back();
  std::vector<std::int64_t> in;
  std::vector<std::int64_t> out(static_cast<std::size_t>(length));
  const auto add_row = [&](std::size_t input, std::int64_t row) {
    for (std::int64_t i = row * length; i < (row + 1) * length; ++i) in.push_back(run.inputs[input]->at(i));
  };
  std::optional<PixelWindow> window;
  if (access.pattern != AccessPattern::broadcast) window.emplace(access, run.x().shape, run.output.shape);
  for (std::int64_t row = 0; row < run.output.size() / length; ++row) {
    in.clear();
    if (window) {
      window->for_each_pixel(row, [&](std::int64_t pixel) { add_row(0, pixel); });
    } else {
      for (std::size_t i = 0; i < run.inputs.size(); ++i) add_row(i, row);
    }
    evaluate(function, in, out);
    for (std::int64_t i = 0; i < length; ++i)
      run.output.set(row * length + i, out[static_cast<std::size_t>(i)]);
  }
}

}  // namespace qsim
