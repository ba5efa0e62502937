#include "workloads/readers/onnx/double_pairs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "workloads/readers/onnx/operator_table.h"

namespace qsim::onnx_format {
namespace {

constexpr std::size_t kScale = 1;
constexpr std::size_t kZeroPoint = 2;

/// Scale and zero point of a QuantizeLinear or DequantizeLinear.
struct Parameters {
  float scale = 1.0F;
  OnnxType type = OnnxType::undefined;
  std::int64_t zero_point = 0;
  friend bool operator==(const Parameters&, const Parameters&) = default;
};

/// The reals that both hold; nothing where they have none in common.
std::optional<Parameters> common_range(const Parameters& a, const Parameters& b) {
  const bool is_signed = onnx_is_signed(a.type);
  const std::int64_t q_min = is_signed ? -128 : 0;
  const std::int64_t q_max = is_signed ? 127 : 255;
  const auto real = [](std::int64_t q, const Parameters& p) {
    return static_cast<float>(q - p.zero_point) * p.scale;
  };
  const float real_min = std::max(real(q_min, a), real(q_min, b));
  const float real_max = std::min(real(q_max, a), real(q_max, b));
  const float scale = (real_max - real_min) / static_cast<float>(q_max - q_min);
  if (!(scale > 0.0F)) return std::nullopt;
  const float zero_point = std::round(static_cast<float>(q_min) - real_min / scale);
  return Parameters{scale, a.type, static_cast<std::int64_t>(zero_point)};
}

class PairMerger {
 public:
  explicit PairMerger(OnnxModel& model) : model_(model) {
    for (const OnnxInitializer& initializer : model.initializers)
      constants_.emplace(initializer.name, &initializer.tensor);
    for (std::size_t i = 0; i < model.nodes.size(); ++i) add_links(i);
    for (const OnnxValue& output : model.outputs) uses_[output.name].is_output = true;
  }

  /// In the file's order; chains of three pairs and more whose nodes stand in another one keep their inner
  /// pairs.
  void merge() {
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      if (is_dequantize(model_.nodes[i])) merge_around(i);
    }
    for (OnnxInitializer& constant : added_) model_.initializers.push_back(std::move(constant));
  }

 private:
  struct Uses {
    std::size_t count = 0;
    std::size_t last = 0;  ///< Node that uses it.
    bool is_output = false;
  };

  void add_links(std::size_t i) {
    const OnnxNode& node = model_.nodes[i];
    for (const std::string& input : node.inputs) {
      Uses& uses = uses_[input];
      ++uses.count;
      uses.last = i;
    }
    for (const std::string& output : node.outputs) producers_.emplace(output, i);
    if (node.op_type != "Constant" || node.outputs.size() != 1) return;
    for (const OnnxAttribute& attribute : node.attributes) {
      const auto* tensor = std::get_if<OnnxTensor>(&attribute.value);
      if (attribute.name == "value" && tensor != nullptr) constants_.emplace(node.outputs.front(), tensor);
    }
  }

  /// The one node that uses what a node makes, or nothing.
  [[nodiscard]] std::optional<std::size_t> only_user(std::size_t node) const {
    if (model_.nodes[node].outputs.size() != 1) return std::nullopt;
    const auto found = uses_.find(model_.nodes[node].outputs.front());
    const bool is_one = found != uses_.end() && found->second.count == 1 && !found->second.is_output;
    return is_one ? std::optional(found->second.last) : std::nullopt;
  }

  void merge_around(std::size_t first_dequantize) {
    const OnnxNode& node = model_.nodes[first_dequantize];
    if (node.inputs.empty() || node.outputs.size() != 1) return;
    const auto first = producers_.find(node.inputs.front());
    if (first == producers_.end() || !is_quantize(model_.nodes[first->second])) return;
    const auto second = only_user(first_dequantize);
    if (!second || !is_quantize(model_.nodes[*second]) || only_user(first->second) != first_dequantize)
      return;
    const auto last = only_user(*second);
    if (!last || !is_dequantize(model_.nodes[*last])) return;
    if (first->second == *second || *last == first_dequantize) return;  // A cycle, which is refused later.
    const std::optional<Parameters> outer = pair_parameters(first->second, first_dequantize);
    const std::optional<Parameters> inner = pair_parameters(*second, *last);
    if (!outer || !inner || outer->type != inner->type) return;
    if (*outer != *inner) {
      const std::optional<Parameters> common = common_range(*outer, *inner);
      if (!common) return;
      set_parameters(first->second, *last, *common);
    }
    remove(first_dequantize, *second, *last);
  }

  /// Of QuantizeLinear and DequantizeLinear behind it, where both have the same.
  [[nodiscard]] std::optional<Parameters> pair_parameters(std::size_t quantize,
                                                          std::size_t dequantize) const {
    const std::optional<Parameters> made = parameters(model_.nodes[quantize]);
    return made && made == parameters(model_.nodes[dequantize]) ? made : std::nullopt;
  }

  [[nodiscard]] std::optional<Parameters> parameters(const OnnxNode& node) const {
    if (node.inputs.size() != 3) return std::nullopt;
    const auto scale = constants_.find(node.inputs[kScale]);
    const auto zero_point = constants_.find(node.inputs[kZeroPoint]);
    if (scale == constants_.end() || zero_point == constants_.end()) return std::nullopt;
    const OnnxTensor& s = *scale->second;
    const OnnxTensor& z = *zero_point->second;
    const auto is_scalar = [](const OnnxTensor& tensor) {
      return tensor.size() == 1 && tensor.shape.size() <= 1;
    };
    const bool is_byte = z.type == OnnxType::uint8 || z.type == OnnxType::int8;
    if (!is_byte || s.type != OnnxType::float32 || !is_scalar(s) || !is_scalar(z)) return std::nullopt;
    return Parameters{s.get<float>(0), z.type, z.integer(0)};
  }

  void set_parameters(std::size_t quantize, std::size_t dequantize, const Parameters& given) {
    const std::string prefix = model_.nodes[quantize].name;
    OnnxTensor scale = make_onnx_tensor(OnnxType::float32, {});
    scale.put<float>(0, given.scale);
    OnnxTensor zero_point = make_onnx_tensor(given.type, {});
    zero_point.put<std::uint8_t>(0, static_cast<std::uint8_t>(given.zero_point));
    const std::string scale_name = add_constant(prefix + "#merged_scale", std::move(scale));
    const std::string zero_point_name = add_constant(prefix + "#merged_zero_point", std::move(zero_point));
    for (const std::size_t node : {quantize, dequantize}) {
      model_.nodes[node].inputs[kScale] = scale_name;
      model_.nodes[node].inputs[kZeroPoint] = zero_point_name;
    }
  }

  std::string add_constant(const std::string& wanted, OnnxTensor tensor) {
    std::string name = wanted;
    for (int n = 2; constants_.count(name) != 0 || producers_.count(name) != 0 || uses_.count(name) != 0; ++n)
      name = wanted + "#" + std::to_string(n);
    added_.push_back({name, std::move(tensor)});
    constants_.emplace(name, &added_.back().tensor);
    return name;
  }

  /// `last` reads what the first QuantizeLinear makes.
  void remove(std::size_t first_dequantize, std::size_t second, std::size_t last) {
    const std::string& value = model_.nodes[first_dequantize].inputs.front();
    model_.nodes[last].inputs.front() = value;
    uses_[value].last = last;
    for (const std::size_t node : {first_dequantize, second}) model_.nodes[node].merged_into = last;
  }

  OnnxModel& model_;
  std::map<std::string, const OnnxTensor*> constants_;
  std::deque<OnnxInitializer> added_;
  std::map<std::string, Uses> uses_;
  std::map<std::string, std::size_t> producers_;
};

}  // namespace

void merge_double_pairs(OnnxModel& model) {
  PairMerger(model).merge();
}

}  // namespace qsim::onnx_format
