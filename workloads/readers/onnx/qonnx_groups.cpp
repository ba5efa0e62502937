#include "workloads/readers/onnx/qonnx_groups.h"

#include <algorithm>
#include <utility>

#include "workloads/readers/onnx/qonnx_chain.h"
#include "workloads/readers/onnx/qonnx_quantizer.h"
#include "workloads/readers/onnx/qonnx_requantization.h"

namespace qsim::onnx_format {
namespace {

/// Widths of the chip's operands.
constexpr int kMostBits = 16;
constexpr const char* kIntegers = "#q";

std::size_t index_of(const GraphBuilder& builder, const OnnxNode& node) {
  return static_cast<std::size_t>(&node - builder.model().model().nodes.data());
}

/// The quantizer that alone uses what a chain gives, with one scale.
struct ChainEnd {
  const OnnxNode* node = nullptr;
  QonnxQuantizer quantizer;
};

/// What a chain gives may be negative, of a value that may be or not.
bool gives_negatives(const AffineChain& chain, bool takes_negatives) {
  if (chain.low() >= 0.0) return false;
  if (takes_negatives) return true;
  for (std::int64_t n = 0; n < chain.channels(); ++n) {
    if (chain.factor(n) < 0.0 || chain.summand(n) < 0.0) return true;
  }
  return false;
}

std::optional<ChainEnd> end_of(GraphBuilder& builder, const AffineChain& chain, const Shape& shape,
                               bool takes_negatives = true) {
  const OnnxNode* user = chain.only_user();
  if (user == nullptr || !is_qonnx_quantizer(*user) || user->inputs.front() != chain.value())
    return std::nullopt;
  ChainEnd end{user,
               qonnx_quantizer(builder, *user, shape, kMostBits, gives_negatives(chain, takes_negatives))};
  return end.quantizer.scales.size() == 1 ? std::optional(std::move(end)) : std::nullopt;
}

/// The chain's nodes and the quantizer, whose integers are the result.
void take_end(GraphBuilder& builder, const AffineChain& chain, const ChainEnd& end, QonnxGroup& group) {
  group.absorbed.insert(group.absorbed.end(), chain.nodes().begin(), chain.nodes().end());
  group.value_node = index_of(builder, *end.node);
  group.absorbed.push_back(group.value_node);
  group.value = end.node->outputs.front();
  group.result.value = group.value + kIntegers;
  group.result.type = end.quantizer.type();
  group.result.quantization = end.quantizer.quantization();
}

/// Integers behind an operand, which has one scale unless it is a constant. Accumulators that no quantizer
/// takes are none: they are no operands, and what reads them reads floats.
std::optional<Operand> integers_of(const GraphBuilder& builder, const std::string& value) {
  if (value.empty() || !builder.is_known(value)) return std::nullopt;
  const std::optional<Operand>& source = builder.info(value).dequantized;
  if (!source || !source->quantization) return std::nullopt;
  const Quantization& q = *source->quantization;
  if (q.group_size != 0) return std::nullopt;
  if (!builder.is_constant(value) && (q.scales.size() != 1 || q.bits > kMostBits)) return std::nullopt;
  return source;
}

bool is_same_grid(const Quantization& a, const Quantization& b) {
  return a.bits == b.bits && a.is_signed == b.is_signed && a.scales == b.scales &&
         a.zero_points == b.zero_points;
}

// ---- products --------------------------------------------------------------------------------------------

/// Where the output channels of a product are.
struct ProductShape {
  std::size_t rank = 2, axis = 1;
  std::int64_t channels = 1;
};

class ProductGroup {
 public:
  explicit ProductGroup(OperatorContext& context) : context_(context), builder_(context.builder) {}

  std::optional<QonnxGroup> find() {
    if (!find_operands()) return std::nullopt;
    find_shape();
    const AffineChain start(builder_, context_.node.outputs.front(), shape_.rank, shape_.axis,
                            shape_.channels);
    AffineChain chain = start;
    if (!add_bias(chain)) return std::nullopt;
    const AffineChain with_bias = chain;
    chain.follow();
    Shape y(shape_.rank, 1);
    y[shape_.axis] = shape_.channels;
    const std::optional<ChainEnd> end = end_of(builder_, chain, y);
    end ? requantize(chain, *end) : leave_as_sums(with_bias);
    return std::move(group_);
  }

 private:
  [[nodiscard]] bool is(const char* name) const { return context_.node.op_type == name; }

  bool find_operands() {
    const std::vector<std::string>& inputs = context_.node.inputs;
    if (inputs.size() < 2 || builder_.is_constant(inputs[0])) return false;
    for (const std::size_t i : {0, 1}) {
      const std::optional<Operand> source = integers_of(builder_, inputs[i]);
      if (!source) return false;
      group_.operands.push_back(*source);
    }
    if (!is("Gemm")) return true;
    const Attributes attributes(context_.node, context_.file());
    return attributes.real("alpha", 1.0F) == 1.0F && attributes.real("beta", 1.0F) == 1.0F;
  }

  void find_shape() {
    const Shape& a = builder_.info(context_.node.inputs[0]).shape;
    const Shape& b = builder_.info(context_.node.inputs[1]).shape;
    if (is("MatMul")) {
      shape_ = {std::max(a.size(), b.size()), 0, b.back()};
      shape_.axis = shape_.rank - 1;
    } else if (is("Gemm")) {
      const Attributes attributes(context_.node, context_.file());
      shape_ = {2, 1, b[attributes.flag("transB", false) ? 0 : 1]};
    } else {
      shape_ = {a.size(), 1, b[is("Conv") ? 0 : 1]};
    }
    const Quantization& w = *group_.operands[1].quantization;
    const auto x = static_cast<double>(group_.operands[0].quantization->scale());
    for (const float scale : w.scales) scales_.push_back(x * static_cast<double>(scale));
  }

  /// A bias of the operator's own, of floats or behind a quantizer.
  bool add_bias(AffineChain& chain) {
    const std::vector<std::string>& inputs = context_.node.inputs;
    if (inputs.size() < 3 || inputs[2].empty()) return true;
    const OnnxTensor* bias = builder_.is_known(inputs[2]) ? builder_.constant(inputs[2]) : nullptr;
    if (bias == nullptr || !bias->is_real() || (bias->size() != 1 && bias->size() != shape_.channels))
      return false;
    std::vector<double> values;
    for (std::int64_t i = 0; i < bias->size(); ++i) values.push_back(bias->real(i));
    chain.add_bias(values);
    return true;
  }

  void requantize(const AffineChain& chain, const ChainEnd& end) {
    take_end(builder_, chain, end, group_);
    const auto bias = end.quantizer.rounds_plainly() ? integer_bias(chain, scales_) : std::nullopt;
    if (bias) {
      set_bias(*bias);
      group_.result.requantization = limits_of(chain, end.quantizer);
    } else {
      group_.result.requantization = affine_requantization(chain, scales_, end.quantizer);
    }
  }

  /// The accumulators, with the integer biases behind them; their scale is that of the products.
  void leave_as_sums(const AffineChain& start) {
    AffineChain chain = start;
    while (const OnnxNode* user = chain.only_user()) {
      AffineChain longer = chain;
      if ((user->op_type != "Add" && user->op_type != "Sub") || !longer.take(index_of(builder_, *user)) ||
          !integer_bias(longer, scales_))
        break;
      chain = longer;
    }
    group_.absorbed = chain.nodes();
    group_.value = chain.value();
    group_.value_node = chain.nodes().empty() ? context_.index : chain.nodes().back();
    group_.result = {group_.value + kIntegers, OnnxType::int32, Quantization{32, true, {1.0F}, {0}, -1, 0}};
    const auto bias = integer_bias(chain, scales_);
    if (bias && scales_.size() == 1) {
      set_bias(*bias);
      group_.result.quantization->scales = {group_.operands[0].quantization->scale() *
                                            group_.operands[1].quantization->scale()};
      return;
    }
    for (std::int64_t n = 0; n < shape_.channels; ++n) {
      group_.host_scales.push_back(
          static_cast<float>(scales_[scales_.size() == 1 ? 0 : static_cast<std::size_t>(n)]));
      group_.host_shifts.push_back(static_cast<float>(chain.summand(n)));
    }
    for (Operand& operand : group_.operands) {
      Quantization& q = *operand.quantization;
      q.zero_points.resize(q.scales.size() == 1 || q.zero_points.size() == 1 ? 1 : q.scales.size());
      const bool is_even = std::all_of(q.zero_points.begin(), q.zero_points.end(),
                                       [&](std::int32_t z) { return z == q.zero_points.front(); });
      q.scales.assign(is_even ? 1 : q.scales.size(), 1.0F);
      if (!is_even) continue;
      q.zero_points.resize(1);
      q.axis = -1;
    }
  }

  void set_bias(const std::vector<std::int32_t>& bias) {
    if (std::all_of(bias.begin(), bias.end(), [](std::int32_t b) { return b == 0; })) return;
    OnnxTensor tensor = make_onnx_tensor(OnnxType::int32, {static_cast<std::int64_t>(bias.size())});
    for (std::size_t i = 0; i < bias.size(); ++i) tensor.put(static_cast<std::int64_t>(i), bias[i]);
    const std::string name = context_.node.name + "#bias";
    builder_.add_constant(name, std::move(tensor));
    group_.operands.push_back({name, std::nullopt});
  }

  OperatorContext& context_;
  GraphBuilder& builder_;
  ProductShape shape_;
  SumScales scales_;
  QonnxGroup group_;
};

// ---- sums of windows, arithmetic -------------------------------------------------------------------------

/// An average with a divisor is the sum of the window, divided on its way out.
std::optional<QonnxGroup> find_average(OperatorContext& context) {
  GraphBuilder& builder = context.builder;
  const std::optional<Operand> source = integers_of(builder, context.node.inputs.front());
  if (!source || builder.is_constant(context.node.inputs.front())) return std::nullopt;
  const Shape& x = builder.info(context.node.inputs.front()).shape;
  if (x.size() < 3) return std::nullopt;
  const Attributes attributes(context.node, context.file());
  const auto pads = attributes.integers("pads").value_or(std::vector<std::int64_t>{});
  const bool pads_nothing = std::all_of(pads.begin(), pads.end(), [](auto p) { return p == 0; }) &&
                            attributes.text("auto_pad", "NOTSET") == "NOTSET";
  if (attributes.flag("ceil_mode", false) || (!pads_nothing && !attributes.flag("count_include_pad", false)))
    return std::nullopt;
  const std::vector<std::int64_t> kernel =
      attributes.integers("kernel_shape").value_or(std::vector<std::int64_t>(x.begin() + 2, x.end()));
  double elements = 1.0;
  for (const std::int64_t size : kernel) elements *= static_cast<double>(size);
  AffineChain chain(builder, context.node.outputs.front(), x.size(), 1, x[1]);
  chain.follow();
  Shape y(x.size(), 1);
  y[1] = x[1];
  const std::optional<ChainEnd> end = end_of(builder, chain, y, source->quantization->is_signed);
  if (!end) return std::nullopt;
  QonnxGroup group;
  group.operands = {*source};
  group.sums_window = true;
  take_end(builder, chain, *end, group);
  const auto scale = static_cast<double>(source->quantization->scale());
  group.result.requantization = affine_requantization(chain, {scale / elements}, end->quantizer);
  return group;
}

/// Operators with integer arithmetic of their own, directly before a quantizer or behind Relu or Clip.
std::optional<QonnxGroup> find_arithmetic(OperatorContext& context) {
  GraphBuilder& builder = context.builder;
  const GroupRule& rule = *context.row.group;
  QonnxGroup group;
  bool has_activation = false;
  for (std::size_t i = 0; i < context.node.inputs.size(); ++i) {
    const std::string& input = context.node.inputs[i];
    const bool is_data = rule.data_inputs == 0 || i < rule.data_inputs;
    if (!is_data) {
      group.operands.push_back({input, std::nullopt});
      continue;
    }
    const std::optional<Operand> source = integers_of(builder, input);
    if (!source) return std::nullopt;
    has_activation = has_activation || !builder.is_constant(input);
    group.operands.push_back(*source);
  }
  if (!has_activation || context.node.outputs.size() != 1) return std::nullopt;
  AffineChain chain(builder, context.node.outputs.front(), 1, 0, 1);
  chain.follow();
  const std::optional<ChainEnd> end = end_of(builder, chain, {1});
  if (!end || !end->quantizer.rounds_plainly() || chain.factor(0) != 1.0 || chain.summand(0) != 0.0)
    return std::nullopt;
  take_end(builder, chain, *end, group);
  group.result.requantization = limits_of(chain, end->quantizer);
  const bool keeps_limits =
      context.node.op_type == "Add" || context.node.op_type == "Sub" || context.node.op_type == "Mul";
  return group.result.requantization && !keeps_limits ? std::nullopt : std::optional(std::move(group));
}

// ---- quantizers ------------------------------------------------------------------------------------------

/// float -> integer in float32, or integer -> integer on what is stored.
void requantize_value(GraphBuilder& builder, const AffineChain& chain, const QonnxQuantizer& quantizer,
                      const std::string& input, QonnxGroup& group) {
  const std::optional<Operand> source = integers_of(builder, input);
  if (source) {
    group.operands = {*source};
    const Quantization& q = *source->quantization;
    const auto scale = static_cast<double>(q.scale());
    Requantization requantization = affine_requantization(chain, {scale}, quantizer);
    requantization.offsets.front() -= requantization.multipliers.front() * q.zero_point();
    group.result.requantization = std::move(requantization);
    return;
  }
  group.operands = {{input, std::nullopt}};
  const bool is_alone = chain.nodes().empty() && quantizer.truncated_bits < 0;
  if (is_alone && quantizer.rounds_plainly()) {
    group.result.requantization = limits_of(chain, quantizer);
    if (!group.result.requantization) return;
  } else {
    group.result.requantization = affine_requantization(chain, {1.0}, quantizer);
  }
  // In units of the input: the quantize divides by the scale of its output.
  const double ratio = static_cast<double>(quantizer.scales.front()) / static_cast<double>(quantizer.divisor);
  group.result.requantization->multipliers = {chain.factor(0) * ratio};
  group.result.requantization->offsets = {chain.summand(0) * ratio};
}

}  // namespace

std::optional<QonnxGroup> find_qonnx_group(OperatorContext& context) {
  const OnnxNode& node = context.node;
  if (!context.row.group || node.inputs.empty() || node.outputs.empty()) return std::nullopt;
  if (node.op_type == "Conv" || node.op_type == "ConvTranspose" || node.op_type == "MatMul" ||
      node.op_type == "Gemm")
    return ProductGroup(context).find();
  if (node.op_type == "AveragePool" || node.op_type == "GlobalAveragePool") {
    if (auto average = find_average(context)) return average;
  }
  return find_arithmetic(context);
}

std::optional<QonnxGroup> find_qonnx_prelude(OperatorContext& context) {
  GraphBuilder& builder = context.builder;
  const OnnxNode& node = context.node;
  const auto input = std::find_if(node.inputs.begin(), node.inputs.end(), [&](const std::string& value) {
    return !value.empty() && !builder.is_constant(value);
  });
  if (input == node.inputs.end() || builder.info(*input).type != OnnxType::float32) return std::nullopt;
  const Shape& x = builder.info(*input).shape;
  const std::int64_t channels = x.size() > 1 ? x[1] : 1;
  AffineChain chain(builder, *input, std::max<std::size_t>(x.size(), 1), x.size() > 1 ? 1 : 0, channels);
  if (!chain.take(context.index)) return std::nullopt;
  chain.follow();
  const std::optional<ChainEnd> end = end_of(builder, chain, x);
  if (!end || !chain.is_uniform()) return std::nullopt;
  QonnxGroup group;
  take_end(builder, chain, *end, group);
  std::erase(group.absorbed, context.index);
  requantize_value(builder, chain, end->quantizer, *input, group);
  return group;
}

std::optional<QonnxGroup> find_qonnx_move(OperatorContext& context) {
  GraphBuilder& builder = context.builder;
  const OnnxNode& node = context.node;
  const bool renames = node.op_type == "Identity" || node.op_type == "Dropout";
  if (context.row.integers != IntegerUse::moves || renames || node.inputs.empty()) return std::nullopt;
  const std::optional<Operand> source = integers_of(builder, node.inputs.front());
  if (!source || builder.is_constant(node.inputs.front())) return std::nullopt;
  // Concat moves all of its inputs; where they have different grids a quantizer has to follow.
  const bool moves_all = context.row.group && context.row.group->data_inputs == 0;
  QonnxGroup group;
  for (const std::string& input : node.inputs) {
    const bool is_data = group.operands.empty() || moves_all;
    const std::optional<Operand> moved = is_data ? integers_of(builder, input) : Operand{input, {}};
    if (!moved || (is_data && !is_same_grid(*moved->quantization, *source->quantization)))
      return std::nullopt;
    group.operands.push_back(*moved);
  }
  group.value = node.outputs.front();
  group.value_node = context.index;
  group.result = {group.value + kIntegers, builder.info(source->value).type, source->quantization};
  builder.share_wishes(group.result.value, group.value);
  return group;
}

QonnxGroup qonnx_quantization(OperatorContext& context) {
  GraphBuilder& builder = context.builder;
  const OnnxNode& node = context.node;
  const std::string& input = node.inputs.front();
  const QonnxQuantizer quantizer = qonnx_quantizer(builder, node, builder.info(input).shape, kMostBits);
  if (quantizer.scales.size() != 1)
    context.fail("scale", std::to_string(quantizer.scales.size()) + " scales of an activation", "one",
                 "quantize activations per tensor");
  AffineChain chain(builder, input, 1, 0, 1);
  QonnxGroup group;
  group.value = node.outputs.front();
  group.value_node = context.index;
  group.result = {group.value + kIntegers, quantizer.type(), quantizer.quantization()};
  requantize_value(builder, chain, quantizer, input, group);
  builder.share_wishes(group.result.value, group.value);
  return group;
}

}  // namespace qsim::onnx_format
