// Which input positions each output position of a resize reads, and with what weights.
#include "workloads/ops/resize_taps.h"

#include <algorithm>
#include <cmath>

#include "workloads/graph/resize_coordinates.h"
#include "workloads/ops/operand_types.h"

namespace qsim {
namespace {

using namespace arithmetic;

/// ONNX Runtime takes what lies within 1e-6 of the middle between two elements for the middle
/// (measured: 9.5e-7 off is, 1.01e-6 off is not).
float round_coordinate(float x, ResizeRounding rounding) {
  if (rounding == ResizeRounding::floor) return std::floor(x);
  if (rounding == ResizeRounding::ceil) return std::ceil(x);
  constexpr float kTolerance = 1e-6F;
  const float below = std::floor(x);
  if (std::fabs(x - (below + 0.5F)) >= kTolerance) return std::round(x);
  return rounding == ResizeRounding::round_prefer_floor ? below : below + 1.0F;
}

ResizeTap nearest_tap(float coordinate, const ResizeAxis& d) {
  const float inside = std::clamp(coordinate, 0.0F, static_cast<float>(d.in - 1));
  const std::int64_t at = std::min(static_cast<std::int64_t>(inside), d.in - 1);
  return {at, at, 1.0F, 0.0F};
}

/// a = trunc(x), b = a + 1 inside the input; weights |x - b| and |x - a|, both 1/2 at the last element; in
/// 1/1024 x is truncated first.
ResizeTap onnx_linear_tap(float coordinate, const ResizeAxis& d, bool integer_weights) {
  const float x = std::clamp(coordinate, 0.0F, static_cast<float>(d.in - 1));
  const std::int64_t a = std::min(static_cast<std::int64_t>(x), d.in - 1);
  const std::int64_t b = std::min(a + 1, d.in - 1);
  const float unit = integer_weights ? 1024.0F : 1.0F;
  if (a == b) return {a, b, 0.5F * unit, 0.5F * unit};
  const float scaled = integer_weights ? std::trunc(x * unit) : x;
  return {a, b, std::fabs(scaled - static_cast<float>(b) * unit),
          std::fabs(scaled - static_cast<float>(a) * unit)};
}

/// TFLite, nearest: (o + offset) * s in float32 with s = in / out, or (in - 1) / (out - 1) with aligned
/// corners, where it is rounded half away from zero instead of down.
float tflite_nearest_coordinate(std::int64_t o, const ResizeAxis& d, ResizeCoordinates coordinates) {
  const bool aligned = coordinates == ResizeCoordinates::align_corners;
  const float scale = aligned && d.out > 1 ? static_cast<float>(d.in - 1) / static_cast<float>(d.out - 1)
                                           : static_cast<float>(d.in) / static_cast<float>(d.out);
  const bool centered =
      coordinates == ResizeCoordinates::half_pixel || coordinates == ResizeCoordinates::tf_half_pixel_for_nn;
  const float x = (static_cast<float>(o) + (centered ? 0.5F : 0.0F)) * scale;
  return aligned ? std::round(x) : std::floor(x);
}

/// TFLite, bilinear, all in 1/1024: s = round(1024 in / out), x = o s, or o s + s/2 - 512 with half pixels;
/// a = max(x / 1024, 0), b = min((x + 1023) / 1024, in - 1), divisions truncated; weights 1024 - (x - 1024 a)
/// and x - 1024 a.
ResizeTap tflite_linear_tap(std::int64_t o, const ResizeAxis& d, ResizeCoordinates coordinates) {
  const bool aligned = coordinates == ResizeCoordinates::align_corners && d.out > 1;
  const std::int64_t in = aligned ? d.in - 1 : d.in;
  const std::int64_t out = aligned ? d.out - 1 : d.out;
  const std::int64_t scale = (1024 * in + out / 2) / out;
  const bool centered = coordinates == ResizeCoordinates::half_pixel;
  const std::int64_t x = centered ? o * scale + scale / 2 - 512 : o * scale;
  const std::int64_t a = std::max<std::int64_t>(x / 1024, 0);
  const std::int64_t b = std::min((x + 1023) / 1024, d.in - 1);
  const std::int64_t rest = x - 1024 * a;
  return {a, b, static_cast<float>(1024 - rest), static_cast<float>(rest)};
}

std::vector<ResizeTap> taps(const ResizeAxis& d, const ResizeOp& op, Semantics semantics) {
  std::vector<ResizeTap> result;
  result.reserve(static_cast<std::size_t>(d.out));
  for (std::int64_t o = 0; o < d.out; ++o) {
    if (semantics == Semantics::tflite) {
      result.push_back(op.mode == ResizeMode::nearest
                           ? nearest_tap(tflite_nearest_coordinate(o, d, op.coordinates), d)
                           : tflite_linear_tap(o, d, op.coordinates));
      continue;
    }
    const float coordinate = onnx_coordinate(o, d, op.coordinates);
    result.push_back(op.mode == ResizeMode::nearest
                         ? nearest_tap(round_coordinate(coordinate, op.rounding), d)
                         : onnx_linear_tap(coordinate, d, op.blend == ResizeBlend::integers_1024));
  }
  return result;
}

/// ONNX Runtime's kernel for channels last takes a second dimension that keeps its size for channels, and so
/// computes with float32 weights after all.
bool takes_rows_for_channels(const ResizeOp& op, Semantics semantics) {
  return semantics == Semantics::onnx && op.mode == ResizeMode::linear &&
         op.blend == ResizeBlend::integers_1024 && op.scale_h == 1.0F;
}

/// Then columns are its rows and channels its columns: those weigh 1 and 0, but the last, which is between
/// itself and itself.
void resize_columns_only(const ResizeAxis& columns, ResizeOp op, const Shape& input,
                         ResizeFunction& function) {
  op.blend = ResizeBlend::integers;
  function.arithmetic = ResizeArithmetic::float_truncated;
  function.columns = taps(columns, op, Semantics::onnx);
  for (ResizeTap& row : function.rows) row = {row.first, row.first, 1.0F, 0.0F};
  function.halved_channel = input[3] - 1;
}

ResizeArithmetic arithmetic_of(const ResizeOp& op, Semantics semantics) {
  if (op.mode == ResizeMode::nearest) return ResizeArithmetic::nearest;
  if (semantics == Semantics::tflite) return ResizeArithmetic::integer_rounded;
  if (op.blend == ResizeBlend::reals) return ResizeArithmetic::dequantized;
  return op.blend == ResizeBlend::integers ? ResizeArithmetic::float_truncated
                                           : ResizeArithmetic::integer_truncated;
}

}  // namespace

ResizeFunction resize_function(const Graph& graph, const Node& node) {
  const auto& op = std::get<ResizeOp>(node.op);
  const Shape& x = graph.tensor(node.inputs[0]).shape;
  const Shape& y = graph.tensor(node.outputs[0]).shape;
  const ResizeAxis rows{x[1], y[1], op.scale_h};
  const ResizeAxis columns{x[2], y[2], op.scale_w};
  ResizeFunction function;
  function.arithmetic = arithmetic_of(op, graph.semantics);
  // ONNX Runtime copies where nothing changes its size, whatever the scales.
  const bool copies =
      graph.semantics == Semantics::onnx && x == y && function.arithmetic != ResizeArithmetic::dequantized;
  if (copies) function.arithmetic = ResizeArithmetic::nearest;
  if (function.arithmetic == ResizeArithmetic::dequantized) {
    const QuantizedType from = quantized_type(graph.tensor(node.inputs[0]));
    const QuantizedType to = quantized_type(graph.tensor(node.outputs[0]));
    function.from = {from.scale, from.zero_point};
    function.to = QuantizeFunction{to.scale, to.zero_point, to.format, false};
  }
  const ResizeOp identity{
      ResizeMode::nearest, ResizeCoordinates::asymmetric, ResizeRounding::floor, 1.0F, 1.0F, {}};
  const ResizeAxis same_rows{x[1], y[1], 1.0F};
  const ResizeAxis same_columns{x[2], y[2], 1.0F};
  function.rows = copies ? taps(same_rows, identity, graph.semantics) : taps(rows, op, graph.semantics);
  function.columns =
      copies ? taps(same_columns, identity, graph.semantics) : taps(columns, op, graph.semantics);
  if (!copies && takes_rows_for_channels(op, graph.semantics)) resize_columns_only(columns, op, x, function);
  return function;
}

}  // namespace qsim
