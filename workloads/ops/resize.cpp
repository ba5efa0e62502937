// Resizing of rows and columns.
#include <algorithm>
#include <cmath>

#include "base/parallel_blocks.h"
#include "workloads/graph/graph_check.h"
#include "workloads/graph/resize_coordinates.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/resize_taps.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

using arithmetic::ResizeFunction;
using arithmetic::ResizeTap;

const std::array kResizeForms{
    OpForm{
        "resize_nearest",
        "Height and width by nearest pixels. The output's quantization is the input's unless given; `shape` "
        "in the output says the size where scales leave it open.",
        ResizeOp{ResizeMode::nearest}},
    OpForm{
        "resize_linear",
        "Height and width by bilinear interpolation. The output's quantization is the input's unless given.",
        ResizeOp{ResizeMode::linear}}};

/// In the order of the enumerations.
constexpr std::array kCoordinates{"half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners",
                                  "tf_half_pixel_for_nn"};
constexpr std::array kRoundings{"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"};
constexpr std::array kBlends{"integers", "integers_1024", "reals"};

std::size_t resize_form(const Graph& /*graph*/, const Node& node) {
  return std::get<ResizeOp>(node.op).mode == ResizeMode::nearest ? 0 : 1;
}

void resize_fields(ResizeOp& op, OpFields& fields) {
  fields.choice(
      {"coordinates", "Where an output pixel lies in the input, as ONNX Resize defines it.", true, true},
      op.coordinates, kCoordinates);
  if (op.mode == ResizeMode::nearest) {
    fields.choice({"rounding", "Which pixel a position between two takes.", true, true}, op.rounding,
                  kRoundings);
  } else {
    fields.choice(
        {"blend",
         "With onnx semantics: stored integers with float32 weights; with weights in 1/1024, as ONNX "
         "Runtime computes behind a QLinearConv; or the real values, quantized after, as between "
         "DequantizeLinear and QuantizeLinear."},
        op.blend, kBlends);
  }
  fields.factors({"scale", "Output size / input size: one factor, or [height, width]."}, op.scale_h,
                 op.scale_w);
}

InferredShape resize_shape(const ResizeOp& op, std::span<const Shape> inputs,
                           const std::optional<Shape>& declared) {
  const Shape& x = inputs[0];
  if (x.size() != 4) return wrong_shape("an input of 4 dimensions");
  if (declared && declared->size() == 4) return {{x[0], (*declared)[1], (*declared)[2], x[3]}, {}};
  const auto resized = [](std::int64_t in, float scale) {
    const float out = static_cast<float>(in) * scale;
    return out >= 1.0F && out <= static_cast<float>(kMaxTensorElements) ? static_cast<std::int64_t>(out) : 0;
  };
  return {{x[0], resized(x[1], op.scale_h), resized(x[2], op.scale_w), x[3]}, {}};
}

void check_resize(const ResizeOp& op, NodeCheck& check) {
  if (!check.expect_rank(check.input(0), 4) || !check.expect_rank(check.output(), 4)) return;
  check.expect_activation(check.input(0));
  check.expect_activation(check.output());
  check.expect_same_type();
  const Shape& x = check.input(0).shape;
  const Shape& y = check.output().shape;
  check.expect(y[0] == x[0] && y[3] == x[3], "output", "shape " + to_string(y),
               "the input's batch and channels");
  for (const float scale : {op.scale_h, op.scale_w}) {
    check.expect(std::isfinite(scale) && scale > 0.0F, "scale", std::to_string(scale),
                 "a finite number above 0");
  }
}

OutputGrid resize_grid(const ResizeOp& op, Semantics semantics) {
  const bool blends_reals = op.mode == ResizeMode::linear && op.blend == ResizeBlend::reals;
  return semantics == Semantics::tflite || !blends_reals ? OutputGrid::copied : OutputGrid::follows;
}

arithmetic::VectorFunction function_of_node(const Graph& graph, const Node& node, std::size_t /*input*/) {
  return resize_function(graph, node);
}

VectorAccess resize_access(const ResizeOp& /*op*/) {
  return {.pattern = AccessPattern::pixels};
}

void run_resize(const NodeRun& run) {
  const TensorData& input = run.x();
  TensorData& output = run.output;
  const ResizeFunction function = resize_function(run.graph, run.node);
  const std::int64_t channels = input.shape[3];
  visit_element_type(input.type, [&](auto zero) {
    using T = decltype(zero);
    T* y = output.as<T>().data();
    for (std::int64_t image = 0; image < output.shape[0]; ++image) {
      const T* base = input.as<T>().data() + image * input.shape[1] * input.shape[2] * channels;
      const auto pixel = [&](std::int64_t row, std::int64_t column) {
        return base + (row * input.shape[2] + column) * channels;
      };
      for (std::size_t r = 0; r < function.rows.size(); ++r) {
        for (std::size_t c = 0; c < function.columns.size(); ++c) {
          const ResizeTap& row = function.rows[r];
          const ResizeTap& column = function.columns[c];
          const T* x11 = pixel(row.first, column.first);
          const T* x12 = pixel(row.first, column.second);
          const T* x21 = pixel(row.second, column.first);
          const T* x22 = pixel(row.second, column.second);
          for (std::int64_t i = 0; i < channels; ++i) {
            *y++ = static_cast<T>(evaluate(function, r, c, i, {x11[i], x12[i], x21[i], x22[i]}));
          }
        }
      }
    }
  });
}

// ---- float -----------------------------------------------------------------------------------------------

/// Output index -> the two input indices and the share of the second.
struct FloatTap {
  std::int64_t low = 0, high = 0;
  float share = 0.0F;
};

std::vector<FloatTap> linear_taps(const ResizeOp& op, const ResizeAxis& axis) {
  std::vector<FloatTap> taps;
  taps.reserve(static_cast<std::size_t>(axis.out));
  for (std::int64_t o = 0; o < axis.out; ++o) {
    const float position =
        std::clamp(onnx_coordinate(o, axis, op.coordinates), 0.0F, static_cast<float>(axis.in - 1));
    FloatTap tap;
    tap.low = static_cast<std::int64_t>(position);
    tap.high = std::min(tap.low + 1, axis.in - 1);
    tap.share = position - static_cast<float>(tap.low);
    taps.push_back(tap);
  }
  return taps;
}

void run_linear(const NodeRun& run, const ResizeOp& op) {
  const Shape& x = run.inputs[0]->shape;
  const Shape& y = run.output.shape;
  const std::int64_t channels = x[3];
  const std::vector<FloatTap> rows = linear_taps(op, {x[1], y[1], op.scale_h});
  const std::vector<FloatTap> columns = linear_taps(op, {x[2], y[2], op.scale_w});
  for_each_block(y[0] * y[1], run.threads, [&](std::int64_t row) {
    const FloatTap& v = rows[static_cast<std::size_t>(row % y[1])];
    const float* image = run.input().data() + row / y[1] * x[1] * x[2] * channels;
    const float* low = image + v.low * x[2] * channels;
    const float* high = image + v.high * x[2] * channels;
    float* out = run.result().data() + row * y[2] * channels;
    for (const FloatTap& h : columns) {
      const std::int64_t left = h.low * channels;
      const std::int64_t right = h.high * channels;
      for (std::int64_t c = 0; c < channels; ++c) {
        const float top = low[left + c] * (1.0F - h.share) + low[right + c] * h.share;
        const float bottom = high[left + c] * (1.0F - h.share) + high[right + c] * h.share;
        *out++ = top * (1.0F - v.share) + bottom * v.share;
      }
    }
  });
}

/// Which element is nearest does not depend on the element type.
void run_nearest(const NodeRun& run) {
  const Shape& x = run.inputs[0]->shape;
  const Shape& y = run.output.shape;
  const std::int64_t channels = x[3];
  const ResizeFunction function = resize_function(run.graph, run.node);
  for_each_block(y[0] * y[1], run.threads, [&](std::int64_t row) {
    const std::int64_t image_row =
        row / y[1] * x[1] + function.rows[static_cast<std::size_t>(row % y[1])].first;
    const float* from = run.input().data() + image_row * x[2] * channels;
    float* out = run.result().data() + row * y[2] * channels;
    for (const ResizeTap& tap : function.columns) {
      out = std::copy_n(from + tap.first * channels, channels, out);
    }
  });
}

void run_float_resize(const NodeRun& run) {
  const auto& op = std::get<ResizeOp>(run.node.op);
  const bool copies = run.graph.semantics == Semantics::onnx && run.inputs[0]->shape == run.output.shape;
  if (op.mode == ResizeMode::nearest || copies) {
    run_nearest(run);
  } else {
    run_linear(run, op);
  }
}

}  // namespace

extern const OpDefinition kResize{.forms = kResizeForms,
                                  .form = resize_form,
                                  .fields = column<resize_fields>,
                                  .shape = column<resize_shape>,
                                  .check = column<check_resize>,
                                  .grid = column<resize_grid>,
                                  .stays_in_range = true,
                                  .function = function_of_node,
                                  .access = column<resize_access>,
                                  .run = run_resize,
                                  .run_float = run_float_resize};

}  // namespace qsim
