// validate(): operations on the MAC array, and what every check shares.
#include <algorithm>

#include "workloads/graph/graph_check.h"

namespace qsim {
namespace {

/// Fewest and most inputs of an operation; those from `optional_from` on may be absent.
struct OperandCount {
  std::size_t min = 1, max = 1;
  std::size_t optional_from = 1024;
};
OperandCount input_count(const Conv2dOp&) {
  return {2, 3, 2};
}
OperandCount input_count(const TransposeConv2dOp&) {
  return {2, 3, 2};
}
OperandCount input_count(const FullyConnectedOp&) {
  return {2, 3, 2};
}
OperandCount input_count(const BinaryOp&) {
  return {2, 2};
}
OperandCount input_count(const MatMulOp&) {
  return {2, 2};
}
OperandCount input_count(const PReluOp&) {
  return {2, 2};
}
OperandCount input_count(const BatchNormOp&) {
  return {3, 3};
}
OperandCount input_count(const LayerNormOp&) {
  return {3, 3, 1};
}
OperandCount input_count(const ConcatOp&) {
  return {1, 1024};
}
template <typename OneInputOp>
OperandCount input_count(const OneInputOp&) {
  return {1, 1};
}

bool is_integer_of_16_bits(const Tensor& tensor) {
  return tensor.quantization && tensor.quantization->bits <= 16;
}

}  // namespace

void NodeChecker::check() {
  const OperandCount count = std::visit([](const auto& op) { return input_count(op); }, node_.op);
  const std::size_t inputs = node_.inputs.size();
  const std::string range = count.min == count.max
                                ? std::to_string(count.min)
                                : std::to_string(count.min) + " to " + std::to_string(count.max);
  if (!expect(inputs >= count.min && inputs <= count.max, "inputs", std::to_string(inputs), range)) return;
  if (!expect(node_.outputs.size() == 1, "outputs", std::to_string(node_.outputs.size()), "1")) return;
  for (std::size_t i = 0; i < inputs; ++i) {
    const bool optional = i >= count.optional_from;
    if (!expect(optional || node_.inputs[i] != kNoTensor, "input " + std::to_string(i), "none", "a tensor"))
      return;
  }
  const std::size_t problems_before = problems_.size();
  std::visit([this](const auto& op) { check_op(op); }, node_.op);
  if (problems_.size() == problems_before) check_scales();  // They are all there.
}

bool NodeChecker::expect(bool holds, const std::string& subject, const std::string& value,
                         const std::string& expected, const std::string& hint) {
  if (!holds) {
    const std::string name = node_.name.empty() ? "" : " \"" + node_.name + "\"";
    problems_.push_back({graph_.source, node_.place + name + " " + subject, value, expected,
                         hint.empty() ? kModelRemedy : hint});
  }
  return holds;
}

bool NodeChecker::expect_rank(const Tensor& tensor, std::size_t rank) {
  return expect(tensor.shape.size() == rank, "tensor \"" + tensor.name + "\"",
                "shape " + to_string(tensor.shape), std::to_string(rank) + " dimensions");
}

bool NodeChecker::expect_shape(const Tensor& tensor, const Shape& shape) {
  return expect(tensor.shape == shape, "tensor \"" + tensor.name + "\"", "shape " + to_string(tensor.shape),
                to_string(shape));
}

void NodeChecker::check_activation(const Tensor& tensor) {
  const std::string subject = "tensor \"" + tensor.name + "\"";
  if (is_float()) {
    expect(tensor.is_float(), subject, element_type_name(tensor.type), "F32, as the node's other activations",
           "put a dequantize before it");
    return;
  }
  if (!expect(is_integer_of_16_bits(tensor), subject,
              std::string(element_type_name(tensor.type)) + (tensor.quantization ? "" : " without scale"),
              "a quantized tensor of 1 to 16 bits")) {
    return;
  }
  expect(tensor.quantization->scales.size() == 1, subject,
         std::to_string(tensor.quantization->scales.size()) + " scales", "one scale for the tensor");
}

void NodeChecker::check_same_shape() {
  expect_shape(output(), input(0).shape);
}

void NodeChecker::check_same_type() {
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    expect(input(i).type == output().type, "tensor \"" + input(i).name + "\"",
           element_type_name(input(i).type),
           std::string(element_type_name(output().type)) + " as the output's");
  }
}

void NodeChecker::check_same_scale(const Tensor& tensor) {
  if (!tensor.quantization || !output().quantization) return;
  const Quantization& q = *tensor.quantization;
  const Quantization& expected = *output().quantization;
  expect(q.scale() == expected.scale() && q.zero_point() == expected.zero_point(),
         "tensor \"" + tensor.name + "\"",
         "scale " + std::to_string(q.scale()) + ", zero point " + std::to_string(q.zero_point()),
         "the output's scale " + std::to_string(expected.scale()) + " and zero point " +
             std::to_string(expected.zero_point()),
         "put a quantize before it");
}

void NodeChecker::check_float_only() {
  expect(is_float(), "activations", "quantized", "float tensors for " + std::string(op_name(graph_, node_)),
         "put a dequantize before it and a quantize behind it");
}

/// Integer weights that float activations are quantized for on the way (Conv2dOp's comment).
bool NodeChecker::has_dynamic_range() const {
  const Tensor& weights = input(1);
  const auto* conv = std::get_if<Conv2dOp>(&node_.op);
  const bool takes_them =
      std::holds_alternative<FullyConnectedOp>(node_.op) || (conv != nullptr && conv->groups == 1);
  return takes_them && weights.type == ElementType::i8 && weights.quantization &&
         weights.quantization->scales.size() == 1 && weights.quantization->zero_point() == 0;
}

void NodeChecker::check_float_mac_operands() {
  check_activation(output());
  for (std::size_t i = 1; i < node_.inputs.size(); ++i) {
    if (node_.inputs[i] == kNoTensor) continue;
    const std::string subject = (i == 1 ? "weights \"" : "bias \"") + input(i).name + "\"";
    const bool fits = input(i).is_float() || (i == 1 && has_dynamic_range());
    expect(input(i).is_constant() && fits, subject, element_type_name(input(i).type),
           "a constant of type F32, as the activations are");
  }
  if (node_.inputs.size() < 3 || node_.inputs[2] == kNoTensor) return;
  expect(element_count(input(2).shape) == input(1).shape[0], "bias \"" + input(2).name + "\"",
         "shape " + to_string(input(2).shape),
         std::to_string(input(1).shape[0]) + " elements, one an output channel");
}

/// Accumulators are read by a dequantize alone.
void NodeChecker::check_sums_or_activation(const Tensor& tensor) {
  const bool is_sum =
      tensor.type == ElementType::i32 && tensor.quantization && tensor.quantization->bits == 32;
  if (!is_sum) return check_activation(tensor);
  expect(tensor.quantization->scales.size() == 1, "tensor \"" + tensor.name + "\"",
         std::to_string(tensor.quantization->scales.size()) + " scales", "one scale for the tensor");
}

/// 32 bits are the accumulator itself, as ConvInteger and MatMulInteger give it: y = acc at scale s_x * s_w.
void NodeChecker::check_mac_output() {
  if (!output().quantization || output().quantization->bits != 32) return check_activation(output());
  const Quantization& y = *output().quantization;
  const std::vector<float>& w = input(1).quantization ? input(1).quantization->scales : std::vector<float>{};
  const bool is_sum = output().type == ElementType::i32 && y.zero_point() == 0 && input(0).quantization &&
                      y.scales.size() == 1 && std::all_of(w.begin(), w.end(), [&](float scale) {
                        return input(0).quantization->scale() * scale == y.scale();
                      });
  const bool is_clamped = std::visit(
      [](const auto& op) {
        if constexpr (requires { op.activation; }) return op.activation != Activation::none;
        return false;
      },
      node_.op);
  expect(is_sum && !is_clamped, "output \"" + output().name + "\"", "32 bits of something else",
         "an accumulator: scale s_x * s_w, zero point 0, no activation",
         "quantize the output to 1 to 16 bits");
}

void NodeChecker::check_mac_operands() {
  if (is_float()) return check_float_mac_operands();
  const Tensor& weights = input(1);
  const std::string subject = "weights \"" + weights.name + "\"";
  const std::int64_t out_channels = weights.shape[0];
  check_activation(input(0));
  check_mac_output();
  expect(weights.is_constant(), subject, "a tensor computed by the network", "a constant");
  if (expect(is_integer_of_16_bits(weights), subject, element_type_name(weights.type),
             "a quantized tensor of 1 to 16 bits")) {
    const Quantization& q = *weights.quantization;
    expect(q.scales.size() == 1 || q.axis == 0, subject, "quantization axis " + std::to_string(q.axis),
           "0, the output channels");
  }
  if (node_.inputs.size() < 3 || node_.inputs[2] == kNoTensor) return;
  const Tensor& bias = input(2);
  expect(bias.is_constant(), "bias \"" + bias.name + "\"", "a tensor computed by the network", "a constant");
  expect(bias.type == ElementType::i32 || bias.type == ElementType::i64, "bias \"" + bias.name + "\"",
         element_type_name(bias.type), "I32 or I64");
  expect(element_count(bias.shape) == out_channels, "bias \"" + bias.name + "\"",
         "shape " + to_string(bias.shape), std::to_string(out_channels) + " elements, one an output channel");
}

// Output size of a window: floor((in + pad_before + pad_after - ((kernel - 1) * dilation + 1)) / stride) + 1.
void NodeChecker::check_window(std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                               std::int64_t pad_before, std::int64_t pad_after, std::size_t dimension) {
  const std::string axis = dimension == 1 ? "height" : "width";
  const std::string limit = std::to_string(kMaxWindowAttribute);
  bool ok = expect(kernel >= 1 && kernel <= kMaxWindowAttribute, "kernel " + axis, std::to_string(kernel),
                   "1 to " + limit);
  ok &= expect(stride >= 1 && stride <= kMaxWindowAttribute, "stride " + axis, std::to_string(stride),
               "1 to " + limit);
  ok &= expect(dilation >= 1 && dilation <= kMaxWindowAttribute, "dilation " + axis, std::to_string(dilation),
               "1 to " + limit);
  for (const std::int64_t pad : {pad_before, pad_after}) {
    ok &= expect(pad >= 0 && pad <= kMaxWindowAttribute, "padding " + axis, std::to_string(pad),
                 "0 to " + limit);
  }
  if (!ok) return;
  const std::int64_t in = input(0).shape[dimension];
  const std::int64_t window = (kernel - 1) * dilation + 1;
  const std::int64_t padded = in + pad_before + pad_after;
  if (!expect(window <= padded, "kernel " + axis, std::to_string(window) + " with dilation",
              "at most the padded input's " + std::to_string(padded))) {
    return;
  }
  const std::int64_t out = (padded - window) / stride + 1;
  expect(output().shape[dimension] == out, "output " + axis, std::to_string(output().shape[dimension]),
         std::to_string(out));
}

void NodeChecker::check_op(const Conv2dOp& op) {
  const Tensor& x = input(0);
  const Tensor& w = input(1);
  if (!expect_rank(x, 4) || !expect_rank(w, 4) || !expect_rank(output(), 4)) return;
  check_mac_operands();
  const std::int64_t channels = x.shape[3];
  const std::int64_t outputs = w.shape[0];
  if (!expect(op.groups >= 1 && channels % op.groups == 0 && outputs % op.groups == 0, "groups",
              std::to_string(op.groups),
              "a divisor of " + std::to_string(channels) + " input and " + std::to_string(outputs) +
                  " output channels")) {
    return;
  }
  expect(w.shape[3] == channels / op.groups, "weights \"" + w.name + "\"", "shape " + to_string(w.shape),
         std::to_string(channels / op.groups) + " input channels a group");
  expect(output().shape[0] == x.shape[0] && output().shape[3] == outputs, "output",
         "shape " + to_string(output().shape),
         "batch " + std::to_string(x.shape[0]) + " and " + std::to_string(outputs) + " channels");
  check_window(w.shape[1], op.stride_h, op.dilation_h, op.pad_top, op.pad_bottom, 1);
  check_window(w.shape[2], op.stride_w, op.dilation_w, op.pad_left, op.pad_right, 2);
}

void NodeChecker::check_op(const TransposeConv2dOp& op) {
  const Tensor& x = input(0);
  const Tensor& w = input(1);
  if (!expect_rank(x, 4) || !expect_rank(w, 4) || !expect_rank(output(), 4)) return;
  check_mac_operands();
  expect(w.shape[3] == x.shape[3], "weights \"" + w.name + "\"", "shape " + to_string(w.shape),
         std::to_string(x.shape[3]) + " input channels");
  expect(output().shape[0] == x.shape[0] && output().shape[3] == w.shape[0], "output",
         "shape " + to_string(output().shape),
         "batch " + std::to_string(x.shape[0]) + " and " + std::to_string(w.shape[0]) + " channels");
  for (const std::int64_t stride : {op.stride_h, op.stride_w}) {
    expect(stride >= 1 && stride <= kMaxWindowAttribute, "stride", std::to_string(stride),
           "1 to " + std::to_string(kMaxWindowAttribute));
  }
  for (const std::int64_t pad : {op.pad_top, op.pad_left}) {
    expect(pad >= 0 && pad <= kMaxWindowAttribute, "padding", std::to_string(pad),
           "0 to " + std::to_string(kMaxWindowAttribute));
  }
}

void NodeChecker::check_op(const FullyConnectedOp&) {
  const Tensor& w = input(1);
  if (!expect_rank(w, 2)) return;
  check_mac_operands();
  const std::int64_t elements = element_count(input(0).shape);
  const std::int64_t outputs = w.shape[0];
  const std::int64_t depth = w.shape[1];
  if (!expect(elements % depth == 0, "input", std::to_string(elements) + " elements",
              "a multiple of the weights' depth " + std::to_string(depth))) {
    return;
  }
  const Shape& y = output().shape;
  expect(element_count(y) == elements / depth * outputs && !y.empty() && y.back() == outputs, "output",
         "shape " + to_string(y), std::to_string(elements / depth) + " rows of " + std::to_string(outputs));
}

}  // namespace qsim
