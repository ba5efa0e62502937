// Softmax over the last dimension.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/parallel_blocks.h"
#include "hw_models/arithmetic/softmax.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/operand_types.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

using arithmetic::QuantizedType;

const std::array kSoftmaxForms{OpForm{
    "softmax",
    "Softmax over the last dimension. \"tflite\" semantics fixes the output: 8 bits at 1/256 and -128, "
    "16 bits at 1/32768 and 0.",
    SoftmaxOp{}}};

void softmax_fields(SoftmaxOp& op, OpFields& fields) {
  fields.number({"beta", "Factor of the exponent."}, op.beta, 1e-30, 1e30, 1.0F);
  fields.boolean({"logarithm", "The natural logarithm of the result. Float tensors only."}, op.logarithm,
                 false);
}

void check_softmax(const SoftmaxOp& op, NodeCheck& check) {
  if (op.logarithm) check.expect_float_only();
  check.expect_activation(check.input(0));
  check.expect_activation(check.output());
  check.expect(!check.input(0).shape.empty(), "input", "a scalar", "at least one dimension");
  check.expect_same_shape();
}

// TFLite: at most 8 bits, M = beta * s * 2^26 has to be above 1; more bits, s * beta / (10 / 65535) is a
// multiplier.
void check_softmax_scales(const SoftmaxOp& op, NodeCheck& check) {
  if (check.graph().semantics != Semantics::tflite) return;
  const Quantization& x = *check.input(0).quantization;
  const double step = static_cast<double>(op.beta) * static_cast<double>(x.scale());
  check.expect(step * 67108864.0 > 1.0 || x.bits > 8, "beta x input scale", fmt::format("{:g}", step),
               "above 2^-26, where differences of inputs still show", "is the input's scale too small?");
  check.expect(step < 32768.0, "beta x input scale", fmt::format("{:g}", step), "less than 32,768",
               "is the input's scale too large?");
}

std::optional<RealRange> softmax_range(const SoftmaxOp& op) {
  return op.logarithm ? std::nullopt : std::optional(RealRange{0.0F, 1.0F});
}

std::string softmax_obstacle(const Graph& /*graph*/, const Node& node) {
  return std::get<SoftmaxOp>(node.op).logarithm ? "no integer arithmetic for this operation" : "";
}

std::string softmax_batch_obstacle(const SoftmaxOp& /*op*/, const Shape& input) {
  return input.size() < 2 ? "a softmax over dimension 0" : "";
}

arithmetic::VectorFunction softmax_function(const Graph& graph, const Node& node, std::size_t /*input*/) {
  const Tensor& input = graph.tensor(node.inputs[0]);
  const QuantizedType x = quantized_type(input);
  const QuantizedType y = quantized_type(graph.tensor(node.outputs[0]));
  if (graph.semantics == Semantics::tflite) {
    return arithmetic::RowFunction(
        arithmetic::make_tflite_softmax(x, y.format, std::get<SoftmaxOp>(node.op).beta));
  }
  if (x.format.bits <= 8)
    return arithmetic::RowFunction(arithmetic::make_onnx_table_softmax(x, y, input.shape.back()));
  return arithmetic::RowFunction(
      arithmetic::OnnxSoftmaxFunction{x.scale, y.scale, x.zero_point, y.zero_point, y.format});
}

VectorAccess softmax_access(const SoftmaxOp& /*op*/) {
  return {.pattern = AccessPattern::rows};
}

// y[i] = exp(z[i]) / sum_j exp(z[j]), or its logarithm z[i] - ln(sum_j exp(z[j])), z[i] = beta * (x[i] - max
// x), in double.
void run_float_softmax(const NodeRun& run) {
  const auto& op = std::get<SoftmaxOp>(run.node.op);
  const std::int64_t length = run.output.shape.back();
  for_each_block(run.output.size() / length, run.threads, [&](std::int64_t row) {
    const float* x = run.input().data() + row * length;
    float* y = run.result().data() + row * length;
    const float highest = *std::max_element(x, x + length);
    const auto exponent = [&](float value) {
      return static_cast<double>(op.beta) * (static_cast<double>(value) - static_cast<double>(highest));
    };
    std::vector<double> powers(static_cast<std::size_t>(length));
    std::transform(x, x + length, powers.begin(), [&](float value) { return std::exp(exponent(value)); });
    const double sum = std::accumulate(powers.begin(), powers.end(), 0.0);
    if (op.logarithm) {
      const double shift = std::log(sum);
      std::transform(x, x + length, y,
                     [&](float value) { return static_cast<float>(exponent(value) - shift); });
    } else {
      std::transform(powers.begin(), powers.end(), y,
                     [&](double power) { return static_cast<float>(power / sum); });
    }
  });
}

}  // namespace

extern const OpDefinition kSoftmax{.forms = kSoftmaxForms,
                                   .fields = column<softmax_fields>,
                                   .check = column<check_softmax>,
                                   .check_scales = column<check_softmax_scales>,
                                   .batch_obstacle = column<softmax_batch_obstacle>,
                                   .range = column<softmax_range>,
                                   .obstacle = softmax_obstacle,
                                   .function = softmax_function,
                                   .access = column<softmax_access>,
                                   .run_float = run_float_softmax};

}  // namespace qsim
