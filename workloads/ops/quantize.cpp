// Between float32 and integers.
#include <algorithm>
#include <cmath>

#include "hw_models/arithmetic/activation_tables.h"
#include "hw_models/arithmetic/requantize.h"
#include "workloads/graph/blocks.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/operand_types.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

using arithmetic::QuantizedType;

// ---- quantize --------------------------------------------------------------------------------------------

const std::array kQuantizeForms{
    OpForm{"quantize", "float32 to integers, or integers to another quantization.", QuantizeOp{}}};

/// Floats and blocks have the same dimensions but for the exponents.
bool check_blocks(NodeCheck& check, const Tensor& blocks, const Tensor& floats) {
  if (!has_blocks(blocks)) return false;
  check.expect(floats.is_float() && in_blocks(floats).shape == blocks.shape, "tensor \"" + blocks.name + "\"",
               "shape " + to_string(blocks.shape), "float32 of the same dimensions on the other side");
  return true;
}

void check_quantize(const QuantizeOp& /*op*/, NodeCheck& check) {
  if (check_blocks(check, check.output(), check.input(0))) return;
  if (!check.input(0).is_float()) check.expect_activation(check.input(0));
  if (check.expect(!check.output().is_float(), "output", "F32", "a quantized tensor"))
    check.expect_activation(check.output());
  check.expect_same_shape();
}

void limit(arithmetic::QuantizeFunction& function, const Requantization& wanted) {
  if (!wanted.multipliers.empty()) {
    function.multiplier = static_cast<float>(wanted.multipliers.front());
    function.offset = static_cast<float>(wanted.offsets.front());
  }
  function.limits = {wanted.rounding, wanted.low, wanted.high};
}

/// Every integer of the input through the formulas of Requantization.
arithmetic::TableFunction affine_table(const Tensor& input, const Requantization& wanted,
                                       const QuantizedType& output) {
  const QuantizedType x = quantized_type(input);
  arithmetic::ChannelScale scale;
  scale.scale64 = static_cast<double>(x.scale) / static_cast<double>(output.scale);
  scale.offset64 = output.zero_point - scale.scale64 * x.zero_point;
  if (!wanted.multipliers.empty()) {
    scale.scale64 = wanted.multipliers.front();
    scale.offset64 = wanted.offsets.front();
  }
  const arithmetic::OutputRange range{output.zero_point, wanted.low, wanted.high, wanted.rounding};
  arithmetic::TableFunction function{x.format, {}};
  for (std::int64_t q = x.format.min(); q <= x.format.max(); ++q)
    function.table.push_back(arithmetic::requantize(arithmetic::RoundingProfile::affine, scale, range, q));
  return function;
}

/// float32 by the formula of the runtime, integers by a table.
arithmetic::VectorFunction quantize_function(const Graph& graph, const Node& node, std::size_t /*input*/) {
  const Tensor& x = graph.tensor(node.inputs[0]);
  const QuantizedType out = quantized_type(graph.tensor(node.outputs[0]));
  if (x.is_float()) {
    const bool half_away = graph.semantics == Semantics::tflite;
    arithmetic::QuantizeFunction function{out.scale, out.zero_point, out.format, half_away};
    if (node.requantization) limit(function, *node.requantization);
    return arithmetic::UnaryFunction(std::move(function));
  }
  if (node.requantization) return arithmetic::UnaryFunction(affine_table(x, *node.requantization, out));
  return arithmetic::UnaryFunction(rescaling_table(graph.semantics, quantized_type(x), out));
}

/// Of blocks; the others are the vector unit's.
void run_to_blocks(const NodeRun& run) {
  to_blocks(run.input(), channels_of(run.graph.tensor(run.node.outputs[0])), run.output.as<std::int8_t>());
}

// ---- dequantize ------------------------------------------------------------------------------------------

const std::array kDequantizeForms{OpForm{"dequantize", "Integers to float32.", DequantizeOp{}}};

void check_dequantize(const DequantizeOp& /*op*/, NodeCheck& check) {
  if (check_blocks(check, check.input(0), check.output())) return;
  if (check.expect(!check.input(0).is_float(), "input", "F32", "a quantized tensor"))
    check.expect_sums_or_activation(check.input(0));
  check.expect(check.output().is_float(), "output", element_type_name(check.output().type), "F32");
  check.expect_same_shape();
}

arithmetic::VectorFunction dequantize_function(const Graph& graph, const Node& node, std::size_t /*input*/) {
  const QuantizedType in = quantized_type(graph.tensor(node.inputs[0]));
  return arithmetic::UnaryFunction(arithmetic::DequantizeFunction{in.scale, in.zero_point});
}

void run_from_blocks(const NodeRun& run) {
  from_blocks(run.x().as<std::int8_t>(), channels_of(run.graph.tensor(run.node.inputs[0])), run.result());
}

// ---- quantization by the tensor's own range --------------------------------------------------------------

const std::array kDynamicForms{OpForm{
    "dynamic_quantize",
    "float32 to integers by the tensor's own range, computed by the host: s = (max(x, 0) - min(x, 0)) / "
    "255, z = clamp(rne(-min(x, 0) / s), 0, 255), q = clamp(rne(x / s) + z, 0, 255).",
    DynamicQuantizeOp{}}};
/// In the order of DynamicResult.
constexpr std::array kResults{"values", "scale", "zero_point", "differences"};

void dynamic_fields(DynamicQuantizeOp& op, OpFields& fields) {
  fields.choice({"result",
                 "What the layer gives: q (8 unsigned bits), s (float32), z (8 unsigned bits), or q - z (16 "
                 "signed bits, for products). Integers have scale 1 and zero point 0.",
                 true, true},
                op.result, kResults);
}

InferredShape dynamic_shape(const DynamicQuantizeOp& op, std::span<const Shape> inputs,
                            const std::optional<Shape>& /*declared*/) {
  return {dynamic_result_shape(op.result, inputs[0]), {}};
}

void check_dynamic(const DynamicQuantizeOp& op, NodeCheck& check) {
  const Tensor& y = check.output();
  check.expect(check.input(0).is_float(), "input", element_type_name(check.input(0).type), "F32");
  check.expect_inferred_shape();
  const std::optional<Quantization> stored = dynamic_result_quantization(op.result);
  if (!stored) {
    check.expect(y.is_float(), "output", element_type_name(y.type), "F32");
    return;
  }
  const std::optional<Quantization>& given = y.quantization;
  const bool same = given && given->bits == stored->bits && given->is_signed == stored->is_signed &&
                    given->scales == stored->scales && given->zero_points == stored->zero_points;
  check.expect(same, "output", "another quantization",
               std::to_string(stored->bits) + (stored->is_signed ? " signed" : " unsigned") +
                   " bits at scale 1 and zero point 0: scale and zero point are results of their own");
}

std::string dynamic_batch_obstacle(const DynamicQuantizeOp& /*op*/, const Shape& /*input*/) {
  return "a quantization by the range of the whole batch";
}

/// In float32 as ONNX Runtime computes it: each step rounded once, quotients divided rather than multiplied
/// by a reciprocal.
constexpr float kLargestCode = 255.0F;

struct DynamicRange {
  float scale = 1.0F;
  float zero_point = 0.0F;
};

/// A NaN becomes 0.
float saturated(float x) {
  return x > 0.0F ? std::min(x, kLargestCode) : 0.0F;
}

/// The range has 0 in it. Of zeros alone the scale is 1.
DynamicRange range_of(std::span<const float> x) {
  float low = 0.0F;
  float high = 0.0F;
  for (const float value : x) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low == high) return {};
  const float scale = (high - low) / kLargestCode;
  return {scale, std::nearbyint(saturated(-low / scale))};
}

float quantized(float x, const DynamicRange& range) {
  return saturated(std::nearbyint(x / range.scale) + range.zero_point);
}

void run_dynamic_quantize(const NodeRun& run) {
  const std::span<const float> x = run.input();
  const DynamicRange range = range_of(x);
  switch (std::get<DynamicQuantizeOp>(run.node.op).result) {
    case DynamicResult::scale:
      run.result().front() = range.scale;
      return;
    case DynamicResult::zero_point:
      run.output.as<std::uint8_t>().front() = static_cast<std::uint8_t>(range.zero_point);
      return;
    case DynamicResult::values:
      std::ranges::transform(x, run.output.as<std::uint8_t>().begin(),
                             [&](float value) { return static_cast<std::uint8_t>(quantized(value, range)); });
      return;
    case DynamicResult::differences:
      std::ranges::transform(x, run.output.as<std::int16_t>().begin(), [&](float value) {
        return static_cast<std::int16_t>(quantized(value, range) - range.zero_point);
      });
      return;
  }
}

}  // namespace

arithmetic::TableFunction rescaling_table(Semantics semantics, const QuantizedType& in,
                                          const QuantizedType& out) {
  if (semantics == Semantics::onnx) return arithmetic::make_onnx_table(in, out, [](float x) { return x; });
  return arithmetic::make_requantize_table(in, out);
}

extern const OpDefinition kQuantize{.forms = kQuantizeForms,
                                    .check = column<check_quantize>,
                                    .check_scales = column<check_rescaling<QuantizeOp>>,
                                    .makes = OutputType::integers,
                                    .function = quantize_function,
                                    .has_tables = true,
                                    .run_float = run_to_blocks};

extern const OpDefinition kDequantize{.forms = kDequantizeForms,
                                      .check = column<check_dequantize>,
                                      .makes = OutputType::reals,
                                      .function = dequantize_function,
                                      .run_float = run_from_blocks};

extern const OpDefinition kDynamicQuantize{.forms = kDynamicForms,
                                           .fields = column<dynamic_fields>,
                                           .shape = column<dynamic_shape>,
                                           .check = column<check_dynamic>,
                                           .batch_obstacle = column<dynamic_batch_obstacle>,
                                           .quantizes_by_range = true,
                                           .run_float = run_dynamic_quantize};

}  // namespace qsim
