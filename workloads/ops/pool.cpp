// Pooling over rows and columns.
#include <algorithm>
#include <limits>

#include "base/parallel_blocks.h"
#include "workloads/graph/blocks.h"
#include "workloads/ops/block_rows.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/operand_types.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

using namespace arithmetic;

const std::array kPoolForms{
    OpForm{"max_pool2d", "Maximum over windows; keeps the input's quantization.", Pool2dOp{PoolKind::max}},
    OpForm{"average_pool2d",
           "Mean over windows, padding left out; keeps the input's quantization with \"tflite\" semantics.",
           Pool2dOp{PoolKind::average}}};

std::size_t pool_form(const Graph& /*graph*/, const Node& node) {
  return std::get<Pool2dOp>(node.op).kind == PoolKind::max ? 0 : 1;
}

void pool_fields(Pool2dOp& op, OpFields& fields) {
  fields.height_width({"kernel", "Size of a window, in elements: a number, or [height, width].", true, true},
                      op.kernel_h, op.kernel_w, std::nullopt);
  fields.height_width({"stride", "Distance of windows, in elements. Default: the kernel.", false},
                      op.stride_h, op.stride_w, HeightWidth{op.kernel_h, op.kernel_w});
  fields.padding({op.pad_top, op.pad_bottom, op.pad_left, op.pad_right},
                 HeightWidth{op.kernel_h, op.kernel_w}, {op.stride_h, op.stride_w}, {});
  if (op.kind == PoolKind::average) {
    fields.boolean({"count_include_pad", "Divide by all elements of a window inside the padded input."},
                   op.count_include_pad, false);
  }
  fields.activation(op.activation);
}

InferredShape pool_shape(const Pool2dOp& op, std::span<const Shape> inputs, const std::optional<Shape>&) {
  const Shape& x = inputs[0];
  if (x.size() != 4) return wrong_shape("an input of 4 dimensions");
  return {{x[0], window_output_size(x[1], op.kernel_h, op.stride_h, 1, op.pad_top, op.pad_bottom),
           window_output_size(x[2], op.kernel_w, op.stride_w, 1, op.pad_left, op.pad_right), x[3]},
          {}};
}

void check_pool(const Pool2dOp& op, NodeCheck& check) {
  if (!check.expect_rank(check.input(0), 4) || !check.expect_rank(check.output(), 4)) return;
  check.expect_activation(check.input(0));
  check.expect_activation(check.output());
  check.expect_same_type();
  expect_block_form(check);
  const Shape& x = check.input(0).shape;
  const Shape& y = check.output().shape;
  check.expect(y[0] == x[0] && y[3] == x[3], "output", "shape " + to_string(y),
               "the input's batch and channels");
  const bool pads_less_than_kernel = op.pad_top < op.kernel_h && op.pad_bottom < op.kernel_h &&
                                     op.pad_left < op.kernel_w && op.pad_right < op.kernel_w;
  check.expect(pads_less_than_kernel, "padding", "", "less than the kernel",
               "a window of padding alone has no value");
  check.expect_window(op.kernel_h, op.stride_h, 1, op.pad_top, op.pad_bottom, 1);
  check.expect_window(op.kernel_w, op.stride_w, 1, op.pad_left, op.pad_right, 2);
}

OutputGrid pool_grid(const Pool2dOp& op, Semantics semantics) {
  const bool keeps = op.kind == PoolKind::max || semantics == Semantics::tflite;
  return keeps ? OutputGrid::kept : OutputGrid::own;
}

std::string pool_obstacle(const Graph& graph, const Node& node) {
  const bool refused = std::get<Pool2dOp>(node.op).count_include_pad && graph.semantics == Semantics::tflite;
  return refused ? "integer arithmetic with \"onnx\" semantics only" : "";
}

/// ONNX Runtime takes such a pool for a global one, whose sum is exact.
bool covers_input(const Pool2dOp& pool, const Shape& x) {
  return pool.kernel_h == x[1] && pool.kernel_w == x[2] && pool.pad_top == 0 && pool.pad_bottom == 0 &&
         pool.pad_left == 0 && pool.pad_right == 0;
}

WindowFunction window_of(const Graph& graph, const Node& node) {
  const auto& op = std::get<Pool2dOp>(node.op);
  const Tensor& input = graph.tensor(node.inputs[0]);
  const QuantizedType x = quantized_type(input);
  const QuantizedType y = quantized_type(graph.tensor(node.outputs[0]));
  const ClampRange limits = output_clamp(graph, node);
  if (op.kind == PoolKind::max) return MaxPoolFunction{limits.min, limits.max};
  if (graph.semantics == Semantics::tflite) return TfliteAveragePoolFunction{limits.min, limits.max};
  if (covers_input(op, input.shape)) {
    return OnnxGlobalAveragePoolFunction{x.scale,      y.scale,    x.zero_point,
                                         y.zero_point, limits.min, limits.max};
  }
  return OnnxAveragePoolFunction{
      x.scale,    y.scale,   x.zero_point, y.zero_point, op.count_include_pad ? op.kernel_h * op.kernel_w : 0,
      limits.min, limits.max};
}

VectorFunction pool_function(const Graph& graph, const Node& node, std::size_t /*input*/) {
  if (has_blocks(graph.tensor(node.outputs[0]))) return RowFunction(*block_function(graph, node));
  return window_of(graph, node);
}

VectorAccess pool_access(const Pool2dOp& op) {
  return {.pattern = AccessPattern::window,
          .kernel = {op.kernel_h, op.kernel_w},
          .stride = {op.stride_h, op.stride_w},
          .pad_before = {op.pad_top, op.pad_left}};
}

/// The window of one output pixel, all channels at once; `add` puts an element into its channel's window.
template <typename T, typename Add>
void add_window(const Pool2dOp& op, const TensorData& in, std::int64_t image, std::int64_t out_y,
                std::int64_t out_x, std::span<WindowState> windows, const Add& add) {
  const std::int64_t height = in.shape[1];
  const std::int64_t width = in.shape[2];
  const auto channels = static_cast<std::int64_t>(windows.size());
  const std::int64_t y0 = out_y * op.stride_h - op.pad_top;
  const std::int64_t x0 = out_x * op.stride_w - op.pad_left;
  for (std::int64_t y = std::max<std::int64_t>(y0, 0); y < std::min(y0 + op.kernel_h, height); ++y) {
    for (std::int64_t x = std::max<std::int64_t>(x0, 0); x < std::min(x0 + op.kernel_w, width); ++x) {
      const T* pixel = in.as<T>().data() + ((image * height + y) * width + x) * channels;
      for (std::size_t c = 0; c < windows.size(); ++c) add(windows[c], pixel[c]);
    }
  }
}

void run_pool(const NodeRun& run) {
  const TensorData& input = run.x();
  TensorData& output = run.output;
  if (has_blocks(run.graph.tensor(run.node.outputs[0])))
    return run_vector_function(run, vector_function(run.graph, run.node));
  const WindowFunction function = window_of(run.graph, run.node);
  const auto* average = std::get_if<OnnxAveragePoolFunction>(&function);
  const auto& op = std::get<Pool2dOp>(run.node.op);
  visit_element_type(input.type, [&](auto zero) {
    using T = decltype(zero);
    T* y = output.as<T>().data();
    std::vector<WindowState> windows(static_cast<std::size_t>(output.shape[3]));
    const std::int64_t pixels = output.shape[0] * output.shape[1] * output.shape[2];
    for (std::int64_t p = 0; p < pixels; ++p) {
      std::fill(windows.begin(), windows.end(), WindowState{});
      const std::int64_t out_x = p % output.shape[2];
      const std::int64_t out_y = p / output.shape[2] % output.shape[1];
      const std::int64_t image = p / (output.shape[2] * output.shape[1]);
      if (average != nullptr) {
        add_window<T>(op, input, image, out_y, out_x, windows,
                      [average](WindowState& window, T q) { window.add_real(average->real(q)); });
      } else {
        add_window<T>(op, input, image, out_y, out_x, windows,
                      [](WindowState& window, T q) { window.add(q); });
      }
      for (const WindowState& window : windows) *y++ = static_cast<T>(evaluate(function, window));
    }
  });
}

// ---- float: sums in double, in the order of memory, rounded once ---------------------------------------

/// Part of one dimension that a window covers: [begin, end) inside the tensor.
struct WindowSpan {
  std::int64_t begin = 0, end = 0;

  /// Elements of the padded input that the window covers.
  std::int64_t padded_count = 0;

  WindowSpan(std::int64_t out, std::int64_t stride, std::int64_t kernel, std::int64_t size,
             std::int64_t before, std::int64_t after)
      : begin(std::max<std::int64_t>(out * stride - before, 0)),
        end(std::min(out * stride - before + kernel, size)),
        padded_count(std::min(kernel, size + after - (out * stride - before))) {}
  [[nodiscard]] std::int64_t count(bool include_padding) const {
    return include_padding ? padded_count : end - begin;
  }
};

class FloatPool {
 public:
  FloatPool(const NodeRun& run, const Pool2dOp& op)
      : run_(run), op_(op), x_(run.inputs[0]->shape), y_(run.output.shape), clamp_(op.activation) {}

  void run() const {
    for_each_block(y_[0] * y_[1], run_.threads, [&](std::int64_t row) {
      std::vector<double> states(static_cast<std::size_t>(y_[3]));
      for (std::int64_t x = 0; x < y_[2]; ++x) run_pixel(row, x, states);
    });
  }

 private:
  void run_pixel(std::int64_t image_row, std::int64_t out_x, std::vector<double>& states) const {
    const std::int64_t image = image_row / y_[1];
    const WindowSpan rows(image_row % y_[1], op_.stride_h, op_.kernel_h, x_[1], op_.pad_top, op_.pad_bottom);
    const WindowSpan columns(out_x, op_.stride_w, op_.kernel_w, x_[2], op_.pad_left, op_.pad_right);
    const bool is_max = op_.kind == PoolKind::max;
    std::fill(states.begin(), states.end(), is_max ? -std::numeric_limits<double>::infinity() : 0.0);
    for (std::int64_t iy = rows.begin; iy < rows.end; ++iy) {
      for (std::int64_t ix = columns.begin; ix < columns.end; ++ix) {
        const float* pixel = run_.input().data() + ((image * x_[1] + iy) * x_[2] + ix) * x_[3];
        for (std::size_t c = 0; c < states.size(); ++c) {
          const auto value = static_cast<double>(pixel[c]);
          states[c] = is_max ? std::max(states[c], value) : states[c] + value;
        }
      }
    }
    const std::int64_t elements = rows.count(op_.count_include_pad) * columns.count(op_.count_include_pad);
    const double count = is_max ? 1.0 : static_cast<double>(elements);
    float* y = run_.result().data() + (image_row * y_[2] + out_x) * y_[3];
    for (std::size_t c = 0; c < states.size(); ++c) y[c] = clamp_(static_cast<float>(states[c] / count));
  }

  const NodeRun& run_;
  const Pool2dOp& op_;
  const Shape& x_;
  const Shape& y_;
  FloatClamp clamp_;
};

void run_float_pool(const NodeRun& run) {
  FloatPool(run, std::get<Pool2dOp>(run.node.op)).run();
}

bool pool_keeps_factors(const Pool2dOp& op, const Shape& /*input*/) {
  return op.activation == Activation::none || op.activation == Activation::relu;
}

}  // namespace

extern const OpDefinition kPool2d{.forms = kPoolForms,
                                  .form = pool_form,
                                  .fields = column<pool_fields>,
                                  .shape = column<pool_shape>,
                                  .check = column<check_pool>,
                                  .check_scales = column<check_rescaling<Pool2dOp>>,
                                  .grid = column<pool_grid>,
                                  .stays_in_range = true,
                                  .keeps_factors = column<pool_keeps_factors>,
                                  .obstacle = pool_obstacle,
                                  .function = pool_function,
                                  .access = column<pool_access>,
                                  .run = run_pool,
                                  .run_float = run_float_pool};

}  // namespace qsim
