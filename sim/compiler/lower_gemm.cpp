#include <algorithm>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/arithmetic/thresholds.h"
#include "sim/compiler/lower.h"
#include "workloads/execute/execute.h"
#include "workloads/graph/blocks.h"
#include "workloads/graph/conv_geometry.h"
#include "workloads/ops/definition.h"

namespace qsim {

namespace {

/// The graph's geometry in the dimensions of the chip's memory.
ConvolutionGeometry geometry_of(const Graph& graph, const Node& node) {
  const ConvGeometry conv = conv_geometry(graph, node);
  ConvolutionGeometry g;
  g.input = {conv.batch, conv.in_h, conv.in_w, conv.in_channels};
  g.output = {conv.batch, conv.out_h, conv.out_w, conv.out_channels};
  g.kernel_h = conv.kernel_h;
  g.kernel_w = conv.kernel_w;
  g.stride_h = conv.stride_h;
  g.stride_w = conv.stride_w;
  g.dilation_h = conv.dilation_h;
  g.dilation_w = conv.dilation_w;
  g.input_dilation_h = conv.insert_h;
  g.input_dilation_w = conv.insert_w;
  g.pad_top = conv.pad_top;
  g.pad_left = conv.pad_left;
  g.groups = conv.groups;
  g.input_zero_point = graph.tensor(node.inputs[0]).quantization->zero_point();
  return g;
}

/// A first operand that is one matrix stands for all rows of the image.
void repeat_one_matrix(const Shape& operand, TensorView& input) {
  if (element_count(operand) == operand[operand.size() - 2] * operand.back()) input.layout.strides[kRow] = 0;
}

/// The second operand as weights. Its leading dimensions may be repeated.
ActivationWeights activation_weights(const Graph& graph, const Schedule& schedule, const Node& node) {
  const Shape& b = graph.tensor(node.inputs[1]).shape;
  ActivationWeights weights;
  weights.transposed = std::get<MatMulOp>(node.op).transpose_b;
  weights.matrix_of_row = repeated_matrices(b, graph.tensor(node.outputs[0]).shape);
  const std::int64_t matrices = element_count(b) / (b[b.size() - 2] * b.back());
  weights.layout = view_of(schedule, node.inputs[1], {1, matrices, b[b.size() - 2], b.back()}).layout;
  return weights;
}

/// Multiplier and shift; a float64 scale; a float64 multiplier and offset.
int scale_record_bytes(arithmetic::RoundingProfile profile) {
  if (profile == arithmetic::RoundingProfile::affine) return 16;
  return profile == arithmetic::RoundingProfile::float64 ? 8 : 5;
}

bool fits_thresholds(const arithmetic::OutputRange& range, const HardwareConfig& hardware) {
  return arithmetic::threshold_count(range) <= hardware.requantizer.thresholds;
}

/// The direction, then the thresholds.
int threshold_record_bytes(const arithmetic::OutputRange& range, const HardwareConfig& hardware) {
  return static_cast<int>(1 + arithmetic::threshold_count(range) *
                                  arithmetic::threshold_bytes(hardware.accumulators.width_bits));
}

ParameterFormat parameter_format(const Quantization& weights, const std::vector<std::int64_t>& preload,
                                 arithmetic::RoundingProfile profile, const HardwareConfig& hardware) {
  ParameterFormat format;
  format.per_channel = weights.scales.size() > 1;
  format.asymmetric_weights = std::any_of(weights.zero_points.begin(), weights.zero_points.end(),
                                          [](std::int32_t z) { return z != 0; });
  const bool wide = std::any_of(preload.begin(), preload.end(), [](std::int64_t p) {
    return p < std::numeric_limits<std::int32_t>::min() || p > std::numeric_limits<std::int32_t>::max();
  });
  format.scale_bytes = scale_record_bytes(profile);
  format.preload_bytes = wide || hardware.accumulators.width_bits > 32 ? 8 : 4;
  return format;
}

/// Groups of the weights: what a chunk may take, and how the multipliers are stored.
void set_groups(const Tensor& weights, const HardwareConfig& hardware, GemmProblem& problem) {
  const Quantization& q = *weights.quantization;
  problem.multiplied_depth = problem.geometry.depth();
  if (!q.has_groups()) return;
  problem.scale_group = q.group_size;
  problem.parameters.groups = problem.geometry.depth() / q.group_size;
  problem.parameters.multiplier_bytes = hardware.requantizer.group_multiplier_bits > 8 ? 2 : 1;
  problem.multiplied_depth = 0;
  for (auto channel = q.group_multipliers.begin(); channel != q.group_multipliers.end();
       channel += problem.parameters.groups) {
    const std::int64_t sum = std::accumulate(channel, channel + problem.parameters.groups, std::int64_t{0});
    problem.multiplied_depth = std::max(problem.multiplied_depth, sum * q.group_size);
  }
}

/// Dimensions in memory, where channels have exponents between them.
Dims stored_dims(const GemmProblem& problem, Dims dims) {
  dims[kChannel] = problem.stored_channels(dims[kChannel]);
  return dims;
}

/// Block formats: an exponent a block and channel beside the preload, and the layer's reference exponent. Of
/// a last block that is shorter chunks have a length that divides it and 32.
void set_blocks(const Node& node, GemmProblem& problem) {
  const std::int64_t channels = problem.geometry.group_channels();
  problem.scale_group = std::gcd(std::min(channels, arithmetic::kMxBlock), channels);
  problem.multiplied_depth = 0;
  problem.is_order_free = false;
  problem.block_clamp = block_clamp(node, problem.block_reference);
  ParameterFormat& parameters = problem.parameters;
  parameters.per_channel = parameters.asymmetric_weights = false;
  parameters.scale_bytes = 2;
  parameters.multiplier_bytes = 1;
  parameters.groups =
      problem.geometry.kernel_h * problem.geometry.kernel_w * ceil_div(channels, arithmetic::kMxBlock);
}

}  // namespace

TensorView view_of(const Schedule& schedule, TensorId id, const Dims& dims) {
  const int storage = schedule.storage_of[static_cast<std::size_t>(id)];
  const Storage& root = schedule.storages[static_cast<std::size_t>(storage)];
  // What several rows move lies as costs them least together, which none of them knows.
  const bool is_of_one_row =
      root.first_row < 0 ? root.first_reader == root.last_row : root.last_row < 0 && root.is_graph_output;
  const TensorLayout layout = dense_layout(dims, root.format, 0, root.pixel_granule);
  const bool may_gain = is_of_one_row && root.pitch_bytes > 0 && layout.strides[2] % root.pitch_bytes != 0;
  return {dims, layout, root.pixel_granule, may_gain ? root.pitch_bytes : 0};
}

LoweredRow lower_to_mac_array(const Graph& graph, const Schedule& schedule, std::int32_t row,
                              const HardwareConfig& hardware) {
  const Node& node = graph.nodes[schedule.rows[static_cast<std::size_t>(row)].node];
  const TensorId input = node.inputs[0];
  const TensorId output = node.outputs[0];
  const Quantization& weights = *graph.tensor(node.inputs[1]).quantization;

  LoweredRow lowered;
  GemmProblem problem;
  problem.in_blocks = multiplies_blocks(graph, node);
  if (problem.in_blocks)
    problem.block_reference = block_reference(graph, node, hardware.accumulators.width_bits);
  lowered.preload =
      problem.in_blocks ? block_preload(graph, node, problem.block_reference) : folded_bias(graph, node);
  problem.geometry = geometry_of(graph, node);
  problem.weight_format = weights.format();
  if (!definition(node.op).has_weights) {
    problem.activation_weights = activation_weights(graph, schedule, node);
    problem.weight_format = problem.activation_weights->layout.format;
    problem.sums_weights = problem.geometry.input_zero_point != 0;
  }
  problem.weight_granule_bytes = hardware.dma.weight_granule_bytes;
  problem.activation_format = graph.tensor(input).quantization->format();
  problem.skip_burst_bytes = hardware.dma.skips_pixels ? hardware.dram.burst_bytes : 0;
  problem.input = view_of(schedule, input, stored_dims(problem, problem.geometry.input));
  if (problem.activation_weights) repeat_one_matrix(graph.tensor(input).shape, problem.input);
  problem.output = view_of(schedule, output, stored_dims(problem, problem.geometry.output));
  const arithmetic::RoundingProfile own = automatic_rounding_profile(graph, node);
  const bool gives_sums = graph.tensor(output).quantization->bits > 16;
  problem.rounding_profile = gives_sums || node.has_affine_stage() || problem.in_blocks
                                 ? own
                                 : hardware.requantizer.rounding_profile.value_or(own);
  problem.output_range = output_range(graph, node);
  if (node.has_affine_stage() && fits_thresholds(problem.output_range, hardware))
    problem.rounding_profile = arithmetic::RoundingProfile::thresholds;
  problem.shift_rounding = hardware.requantizer.shift_rounding;
  problem.multiplier_bits = hardware.requantizer.multiplier_bits;
  problem.parameters = parameter_format(weights, lowered.preload, problem.rounding_profile, hardware);
  set_groups(graph.tensor(node.inputs[1]), hardware, problem);
  if (node.has_affine_stage()) {
    problem.parameters.per_channel = node.requantization->multipliers.size() > 1;
    if (problem.rounding_profile == arithmetic::RoundingProfile::thresholds)
      problem.parameters.scale_bytes = threshold_record_bytes(problem.output_range, hardware);
  }
  problem.is_order_free =
      worst_case_accumulator_bits(problem, lowered.preload) <= hardware.accumulators.width_bits;
  if (problem.in_blocks) set_blocks(node, problem);
  lowered.inputs.push_back({schedule.storage_of[static_cast<std::size_t>(input)]});
  if (problem.activation_weights) {
    lowered.inputs.back().push_back(schedule.storage_of[static_cast<std::size_t>(node.inputs[1])]);
  }
  lowered.problems.emplace_back(std::make_shared<const GemmProblem>(std::move(problem)));
  lowered.output = schedule.storage_of[static_cast<std::size_t>(output)];
  return lowered;
}

int worst_case_accumulator_bits(const GemmProblem& problem, const std::vector<std::int64_t>& preload) {
  if (problem.in_blocks) return 0;  // exponents depend on the data
  const auto w = problem.weight_format;
  const auto x = problem.activation_format;
  const auto products = {w.min() * x.min(), w.min() * x.max(), w.max() * x.min(), w.max() * x.max()};
  const auto [low, high] = std::minmax_element(preload.begin(), preload.end());
  const std::int64_t depth = problem.multiplied_depth;
  return arithmetic::signed_bits(std::min<std::int64_t>(*low, *low + depth * std::min(products)),
                                 std::max<std::int64_t>(*high, *high + depth * std::max(products)));
}

std::int64_t weight_at(const Graph& graph, const Node& node, std::int64_t n, std::int64_t kernel_h,
                       std::int64_t kernel_w, std::int64_t c) {
  const Tensor& weights = graph.tensor(node.inputs[1]);
  const Shape& shape = weights.shape;
  if (has_blocks(weights)) c = arithmetic::mx_element(c);
  if (shape.size() == 2) return weights.data->at(n * shape[1] + c);
  if (conv_geometry(graph, node).is_turned) {
    kernel_h = shape[1] - 1 - kernel_h;
    kernel_w = shape[2] - 1 - kernel_w;
  }
  return weights.data->at(((n * shape[1] + kernel_h) * shape[2] + kernel_w) * shape[3] + c);
}

namespace {

void require_affine_stage(const Graph& graph, const Node& node, const HardwareConfig& hardware) {
  const bool requantizes = definition(node.op).engine == Engine::mac_array;
  if (!requantizes || !node.has_affine_stage() || hardware.requantizer.affine_stage) return;
  const arithmetic::OutputRange range = output_range(graph, node);
  if (fits_thresholds(range, hardware)) return;
  throw InputError(
      {{},
       {},
       "outputs that take a factor and a summand of their own (requantizer.affine_stage is false)",
       "a requantizer that multiplies and adds, for what lies between two quantizers",
       "set requantizer.affine_stage to true, or requantizer.thresholds to " +
           std::to_string(arithmetic::threshold_count(range)) + " or more"});
}

}  // namespace

LoweredRow lower(const Graph& graph, const Schedule& schedule, std::int32_t row,
                 const HardwareConfig& hardware) {
  const ScheduledOp& scheduled = schedule.rows[static_cast<std::size_t>(row)];
  if (scheduled.on_host) return lower_to_host(graph, schedule, row);
  require_affine_stage(graph, graph.nodes[scheduled.node], hardware);
  return scheduled.on_mac_array ? lower_to_mac_array(graph, schedule, row, hardware)
                                : lower_to_vector_unit(graph, schedule, row);
}

}  // namespace qsim
