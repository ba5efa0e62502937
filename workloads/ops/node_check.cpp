#include "workloads/ops/node_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "workloads/graph/graph_check.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

constexpr float kLargestQuotient = 2147483648.0F;  // 2^31

bool is_integer_of_16_bits(const Tensor& tensor) {
  return tensor.quantization && tensor.quantization->bits <= 16;
}

}  // namespace

void NodeCheck::run() {
  const OpDefinition& row = definition(node_.op);
  const OperandCount& count = row.operands;
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
  row.check(node_.op, *this);
  const bool scales_are_there = problems_.size() == problems_before;
  if (scales_are_there && row.check_scales != nullptr && !is_float()) row.check_scales(node_.op, *this);
}

bool NodeCheck::expect(bool holds, const std::string& subject, const std::string& value,
                       const std::string& expected, const std::string& hint) {
  if (!holds) {
    const std::string name = node_.name.empty() ? "" : " \"" + node_.name + "\"";
    problems_.push_back({graph_.source, node_.place + name + " " + subject, value, expected,
                         hint.empty() ? kModelRemedy : hint});
  }
  return holds;
}

bool NodeCheck::expect_rank(const Tensor& tensor, std::size_t rank) {
  return expect(tensor.shape.size() == rank, "tensor \"" + tensor.name + "\"",
                "shape " + to_string(tensor.shape), std::to_string(rank) + " dimensions");
}

bool NodeCheck::expect_shape(const Tensor& tensor, const Shape& shape) {
  return expect(tensor.shape == shape, "tensor \"" + tensor.name + "\"", "shape " + to_string(tensor.shape),
                to_string(shape));
}

InferredShape NodeCheck::inferred_shape() const {
  std::vector<Shape> shapes;
  for (const TensorId id : node_.inputs) {
    if (id != kNoTensor) shapes.push_back(graph_.tensor(id).shape);
  }
  return infer_output_shape(node_.op, shapes, output().shape);
}

void NodeCheck::expect_activation(const Tensor& tensor) {
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
  expect(!tensor.quantization->has_groups(), subject, "groups", "one scale for the tensor");
}

void NodeCheck::expect_same_type() {
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    expect(input(i).type == output().type, "tensor \"" + input(i).name + "\"",
           element_type_name(input(i).type),
           std::string(element_type_name(output().type)) + " as the output's");
  }
}

void NodeCheck::expect_same_scale(const Tensor& tensor) {
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

void NodeCheck::expect_float_only() {
  expect(is_float(), "activations", "quantized", "float tensors for " + std::string(op_name(graph_, node_)),
         "put a dequantize before it and a quantize behind it");
}

void NodeCheck::expect_sums_or_activation(const Tensor& tensor) {
  const bool is_sum =
      tensor.type == ElementType::i32 && tensor.quantization && tensor.quantization->bits == 32;
  if (!is_sum) return expect_activation(tensor);
  expect(tensor.quantization->scales.size() == 1, "tensor \"" + tensor.name + "\"",
         std::to_string(tensor.quantization->scales.size()) + " scales", "one scale for the tensor");
}

void NodeCheck::expect_mac_output() {
  if (!output().quantization || output().quantization->bits != 32) return expect_activation(output());
  const Quantization& y = *output().quantization;
  const std::vector<float>& w = input(1).quantization ? input(1).quantization->scales : std::vector<float>{};
  const bool is_sum = output().type == ElementType::i32 && y.zero_point() == 0 && input(0).quantization &&
                      y.scales.size() == 1 && std::all_of(w.begin(), w.end(), [&](float scale) {
                        return input(0).quantization->scale() * scale == y.scale();
                      });
  const Activation* activation = fused_activation(node_.op);
  const bool is_clamped = activation != nullptr && *activation != Activation::none;
  expect(is_sum && !is_clamped, "output \"" + output().name + "\"", "32 bits of something else",
         "an accumulator: scale s_x * s_w, zero point 0, no activation",
         "quantize the output to 1 to 16 bits");
}

void NodeCheck::expect_channel_constant(std::size_t index, const std::string& subject) {
  if (node_.inputs[index] == kNoTensor) return;
  const Tensor& tensor = input(index);
  const std::int64_t channels = input(0).shape.back();
  expect(tensor.is_constant() && tensor.is_float(), subject + " \"" + tensor.name + "\"",
         element_type_name(tensor.type), "a constant of type F32");
  expect(element_count(tensor.shape) == channels, subject + " \"" + tensor.name + "\"",
         "shape " + to_string(tensor.shape), std::to_string(channels) + " elements, one a channel");
}

void NodeCheck::expect_window(std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
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
  const std::int64_t out = window_output_size(in, kernel, stride, dilation, pad_before, pad_after);
  if (!expect(out > 0, "kernel " + axis, std::to_string((kernel - 1) * dilation + 1) + " with dilation",
              "at most the padded input's " + std::to_string(in + pad_before + pad_after))) {
    return;
  }
  expect(output().shape[dimension] == out, "output " + axis, std::to_string(output().shape[dimension]),
         std::to_string(out));
}

bool NodeCheck::expect_quotient(float quotient, const std::string& what) {
  const bool in_floats = graph_.semantics == Semantics::onnx;
  const bool is_usable = std::isfinite(quotient) && (in_floats || quotient < kLargestQuotient);
  return expect(is_usable, what, fmt::format("{:g}", quotient), in_floats ? "a float32" : "less than 2^31",
                "the scales do not fit each other: is the output's too small?");
}

void NodeCheck::expect_rescaling() {
  const float y = output().quantization->scale();
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    if (!input(i).quantization) continue;
    if (!expect_quotient(input(i).quantization->scale() / y, "input scale / output scale")) return;
  }
}

void NodeCheck::expect_mac_scales() {
  const float x = input(0).quantization->scale();
  const float y = output().quantization->scale();
  for (const float w : input(1).quantization->scales) {
    if (!expect_quotient(x * w / y, "input scale x weight scale / output scale")) return;
  }
}

}  // namespace qsim
