#include "workloads/readers/onnx/qdq_groups.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "workloads/readers/onnx/attributes.h"

namespace qsim::onnx_format {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class GroupFinder {
 public:
  GroupFinder(GraphBuilder& builder, const OnnxNode& node, const GroupRule& rule)
      : builder_(builder), node_(node), rule_(rule) {}

  std::optional<QdqGroup> find() {
    if (!find_operands()) return std::nullopt;
    for (const std::string& output : node_.outputs) {
      if (output.empty() || !find_result(output)) return std::nullopt;
    }
    return std::move(group_);
  }

 private:
  bool find_operands() {
    if (node_.inputs.empty()) return false;
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      const std::string& input = node_.inputs[i];
      const bool is_data = rule_.data_inputs == 0 || i < rule_.data_inputs;
      const bool is_bias = rule_.has_bias && i == 2 && !input.empty();
      if (!is_data && !is_bias) {
        group_.operands.push_back({input, std::nullopt});
        continue;
      }
      if (!builder_.is_known(input)) return false;
      const ValueInfo& info = builder_.info(input);
      if (is_bias && !info.dequantized) {
        if (!builder_.is_constant(input)) return false;
        group_.operands.push_back({input, std::nullopt});
        continue;
      }
      if (!info.dequantized) return false;
      const Operand& source = *info.dequantized;
      // A bias of other integers is a float to ONNX Runtime, and so is its operator.
      if (is_bias && (builder_.info(source.value).type != OnnxType::int32 || !fits_bias(source)))
        return false;
      // Activations have one scale and 16 bits at most; all data come at run time but weights and the
      // constant side of arithmetic.
      const bool is_constant = builder_.is_constant(source.value);
      const Quantization& q = *source.quantization;
      if (!is_constant && (q.scales.size() != 1 || q.bits > 16)) return false;
      has_activation_ = has_activation_ || !is_constant;
      group_.operands.push_back(source);
      add_member(builder_.model().producer(input));
    }
    return has_activation_;
  }

  /// The integers of a bias are added to sums of products, at the scale s_x * s_w[n] of those.
  [[nodiscard]] bool fits_bias(const Operand& bias) const {
    const std::optional<Quantization>& x = group_.operands[0].quantization;
    const std::optional<Quantization>& w = group_.operands[1].quantization;
    const std::optional<Quantization>& b = bias.quantization;
    if (!x || !w || !b) return false;
    const std::size_t count = std::max(w->scales.size(), b->scales.size());
    for (const Quantization* q : {&*w, &*b}) {
      if (q->scales.size() != 1 && q->scales.size() != count) return false;
    }
    for (std::size_t n = 0; n < count; ++n) {
      const auto slice = static_cast<std::int64_t>(n);
      const double product = static_cast<double>(x->scale()) * static_cast<double>(w->scale(slice));
      const double difference = std::abs(static_cast<double>(b->scale(slice)) - product);
      const BiasTolerance& tolerance = rule_.bias_tolerance;
      const double allowed =
          static_cast<double>(tolerance.absolute) + static_cast<double>(tolerance.relative) * product;
      if (!(difference <= allowed)) return false;
    }
    return std::ranges::all_of(b->zero_points, [](std::int32_t zero) { return zero == 0; });
  }

  bool find_result(const std::string& output) {
    const OnnxNode* user = only_user(output);
    if (user == nullptr) return false;
    if (rule_.takes_activation && user->domain.empty() &&
        (user->op_type == "Relu" || user->op_type == "Clip")) {
      const std::optional<Activation> activation = activation_of(*user);
      if (!activation || user->outputs.size() != 1) return false;
      group_.activation = *activation;
      absorb(user);
      user = only_user(user->outputs.front());
      if (user == nullptr) return false;
    }
    if (!is_quantize(*user) || user->inputs.size() < 2) return false;
    if (Attributes(*user, builder_.model().model().file).integer("block_size", 0) != 0) return false;
    Result result;
    result.value = user->outputs.front();
    result.type = quantized_type(builder_, *user);
    const std::string zero_point = user->inputs.size() > 2 ? user->inputs[2] : "";
    const OnnxTensor* scale = builder_.constant(user->inputs[1]);
    if (scale == nullptr || scale->size() != 1) return false;
    result.quantization = builder_.quantization(user->inputs[1], zero_point, result.type, {}, 0, user->place);
    group_.results.push_back(std::move(result));
    group_.quantizers.push_back(absorb(user));
    return true;
  }

  /// The one node that uses a value which is no output of the graph; Shape looks at no element.
  const OnnxNode* only_user(const std::string& value) {
    if (builder_.model().is_output(value)) return nullptr;
    const OnnxNode* user = nullptr;
    for (const std::size_t index : builder_.model().consumers(value)) {
      const OnnxNode& consumer = builder_.model().model().nodes[index];
      if (consumer.op_type == "Shape") continue;
      if (user != nullptr) return nullptr;
      user = &consumer;
    }
    return user != nullptr && user->inputs.front() == value ? user : nullptr;
  }

  std::optional<Activation> activation_of(const OnnxNode& node) {
    if (node.op_type == "Relu") return Activation::relu;
    const std::optional<ClipBounds> bounds = clip_bounds(builder_, node);
    if (!bounds) return std::nullopt;
    if (bounds->low == -kInfinity && bounds->high == kInfinity) return Activation::none;
    if (bounds->low == 0.0F && bounds->high == kInfinity) return Activation::relu;
    if (bounds->low == 0.0F && bounds->high == 6.0F) return Activation::relu6;
    if (bounds->low == -1.0F && bounds->high == 1.0F) return Activation::relu_n1_to_1;
    return std::nullopt;
  }

  std::size_t absorb(const OnnxNode* node) {
    const auto index = static_cast<std::size_t>(node - builder_.model().model().nodes.data());
    group_.absorbed.push_back(index);
    add_member(index);
    return index;
  }

  void add_member(std::optional<std::size_t> index) {
    if (index) group_.members.push_back(builder_.model().model().nodes[*index].name);
  }

  GraphBuilder& builder_;
  const OnnxNode& node_;
  const GroupRule& rule_;
  QdqGroup group_;
  bool has_activation_ = false;
};

}  // namespace

std::optional<QdqGroup> find_qdq_group(GraphBuilder& builder, const OnnxNode& node, const GroupRule& rule) {
  return GroupFinder(builder, node, rule).find();
}

std::optional<ClipBounds> clip_bounds(GraphBuilder& builder, const OnnxNode& node) {
  const Attributes attributes(node, builder.model().model().file);
  ClipBounds bounds{-kInfinity, kInfinity};
  if (builder.model().opset() < 11)
    return ClipBounds{attributes.real("min", -kInfinity), attributes.real("max", kInfinity)};
  const std::array<float*, 2> targets{&bounds.low, &bounds.high};
  for (std::size_t i = 1; i < node.inputs.size() && i < 3; ++i) {
    if (node.inputs[i].empty()) continue;
    const OnnxTensor* value = builder.constant(node.inputs[i]);
    if (value == nullptr || value->type != OnnxType::float32 || value->size() != 1) return std::nullopt;
    *targets[i - 1] = value->get<float>(0);
  }
  return bounds;
}

OnnxType quantized_type(GraphBuilder& builder, const OnnxNode& node) {
  if (node.inputs.size() > 2 && !node.inputs[2].empty()) {
    const OnnxTensor* zero_point = builder.constant(node.inputs[2]);
    if (zero_point != nullptr) return zero_point->type;
  }
  const std::int64_t stated = Attributes(node, builder.model().model().file).integer("output_dtype", 0);
  return stated == 0 ? OnnxType::uint8 : static_cast<OnnxType>(stated);
}

}  // namespace qsim::onnx_format
