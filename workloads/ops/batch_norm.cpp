// Batch normalization as the scale and shift that it is when a network runs.
#include "workloads/ops/definition.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

const std::array kBatchNormForms{
    OpForm{"batch_norm", "scale * x + shift, one of each a channel (last dimension). Float tensors only.",
           BatchNormOp{}}};

void check_batch_norm(const BatchNormOp& /*op*/, NodeCheck& check) {
  check.expect_float_only();
  check.expect_same_shape();
  if (!check.expect(!check.input(0).shape.empty(), "input", "a scalar", "at least one dimension")) return;
  check.expect_channel_constant(1, "scale");
  check.expect_channel_constant(2, "shift");
}

std::string batch_norm_obstacle(const Graph& /*graph*/, const Node& /*node*/) {
  return "no integer arithmetic for this operation";
}

void run_float_batch_norm(const NodeRun& run) {
  const std::span<const float> scale = run.input(1);
  const std::span<const float> shift = run.input(2);
  const float* x = run.input().data();
  float* y = run.result().data();
  for (std::int64_t pixel = 0; pixel < run.output.size() / static_cast<std::int64_t>(scale.size()); ++pixel) {
    for (std::size_t c = 0; c < scale.size(); ++c) *y++ = *x++ * scale[c] + shift[c];
  }
}

}  // namespace

extern const OpDefinition kBatchNorm{.forms = kBatchNormForms,
                                     .operands = {3, 3},
                                     .inputs_description = "x, scale, shift; the last two float constants.",
                                     .shape_operands = 1,
                                     .check = column<check_batch_norm>,
                                     .obstacle = batch_norm_obstacle,
                                     .run_float = run_float_batch_norm};

}  // namespace qsim
