// Layer normalization over the last dimension.
#include <cmath>

#include "base/parallel_blocks.h"
#include "hw_models/arithmetic/layer_norm.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/operand_types.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

using arithmetic::QuantizedType;

const std::array kLayerNormForms{
    OpForm{"layer_norm", "(x - mean) / sqrt(variance + epsilon) * gamma + beta over the last dimension.",
           LayerNormOp{}}};

void layer_norm_fields(LayerNormOp& op, OpFields& fields) {
  fields.number({"epsilon", "Added to the variance.", true, true}, op.epsilon, 0.0, 1e30, 1e-5F);
}

void check_layer_norm(const LayerNormOp& op, NodeCheck& check) {
  check.expect_activation(check.input(0));
  check.expect_activation(check.output());
  check.expect_same_shape();
  check.expect(std::isfinite(op.epsilon) && op.epsilon >= 0.0F, "epsilon", std::to_string(op.epsilon),
               "0 or more");
  if (!check.expect(!check.input(0).shape.empty(), "input", "a scalar", "at least one dimension")) return;
  check.expect_channel_constant(1, "gamma");
  check.expect_channel_constant(2, "beta");
}

std::string layer_norm_obstacle(const Graph& graph, const Node& /*node*/) {
  return graph.semantics == Semantics::onnx ? "" : "integer arithmetic with \"onnx\" semantics only";
}

arithmetic::VectorFunction layer_norm_function(const Graph& graph, const Node& node, std::size_t /*input*/) {
  const QuantizedType x = quantized_type(graph.tensor(node.inputs[0]));
  const QuantizedType y = quantized_type(graph.tensor(node.outputs[0]));
  return arithmetic::RowFunction(arithmetic::OnnxLayerNormFunction{
      x.scale, y.scale, x.zero_point, y.zero_point, y.format, std::get<LayerNormOp>(node.op).epsilon});
}

VectorAccess layer_norm_access(const LayerNormOp& /*op*/) {
  return {.pattern = AccessPattern::rows};
}

// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, variance = sum (x - mean)^2 / n, in double.
void run_float_layer_norm(const NodeRun& run) {
  const auto& op = std::get<LayerNormOp>(run.node.op);
  const std::int64_t length = run.output.shape.back();
  const auto factor = [&](std::size_t input, std::int64_t i, double absent) {
    const bool given = run.inputs.size() > input && run.inputs[input] != nullptr;
    return given ? static_cast<double>(run.input(input)[static_cast<std::size_t>(i)]) : absent;
  };
  for_each_block(run.output.size() / length, run.threads, [&](std::int64_t row) {
    const float* x = run.input().data() + row * length;
    float* y = run.result().data() + row * length;
    double sum = 0.0;
    for (std::int64_t i = 0; i < length; ++i) sum += static_cast<double>(x[i]);
    const double mean = sum / static_cast<double>(length);
    double squares = 0.0;
    for (std::int64_t i = 0; i < length; ++i) {
      const double distance = static_cast<double>(x[i]) - mean;
      squares += distance * distance;
    }
    const double deviation =
        std::sqrt(squares / static_cast<double>(length) + static_cast<double>(op.epsilon));
    for (std::int64_t i = 0; i < length; ++i) {
      const double normal = (static_cast<double>(x[i]) - mean) / deviation;
      y[i] = static_cast<float>(normal * factor(1, i, 1.0) + factor(2, i, 0.0));
    }
  });
}

}  // namespace

extern const OpDefinition kLayerNorm{
    .forms = kLayerNormForms,
    .operands = {3, 3, 1},
    .inputs_description = "x, gamma, beta: float constants, one a channel, or null.",
    .shape_operands = 1,
    .fields = column<layer_norm_fields>,
    .check = column<check_layer_norm>,
    .obstacle = layer_norm_obstacle,
    .function = layer_norm_function,
    .access = column<layer_norm_access>,
    .run_float = run_float_layer_norm};

}  // namespace qsim
