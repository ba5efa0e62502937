#include "workloads/readers/onnx/double_pairs.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "workloads/readers/onnx/model_values.h"
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
  explicit PairMerger(OnnxModel& model) : model_(model), values_(model) {}

  /// In the file's order; chains of three pairs and more whose nodes stand in another one keep their inner
  /// pairs.
  void merge() {
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      if (is_dequantize(model_.nodes[i])) merge_around(i);
    }
    values_.give_constants_to(model_);
  }

 private:
  /// The one node that uses what a node makes, or nothing.
  [[nodiscard]] std::optional<std::size_t> only_user(std::size_t node) const {
    if (model_.nodes[node].outputs.size() != 1) return std::nullopt;
    const ModelValues::Uses uses = values_.uses(model_.nodes[node].outputs.front());
    return uses.is_one_node() ? std::optional(uses.last) : std::nullopt;
  }

  void merge_around(std::size_t first_dequantize) {
    const OnnxNode& node = model_.nodes[first_dequantize];
    if (node.inputs.empty() || node.outputs.size() != 1) return;
    const std::optional<std::size_t> first = values_.producer(node.inputs.front());
    if (!first || !is_quantize(model_.nodes[*first])) return;
    const auto second = only_user(first_dequantize);
    if (!second || !is_quantize(model_.nodes[*second]) || only_user(*first) != first_dequantize) return;
    const auto last = only_user(*second);
    if (!last || !is_dequantize(model_.nodes[*last])) return;
    if (*first == *second || *last == first_dequantize) return;  // A cycle, which is refused later.
    const std::optional<Parameters> outer = pair_parameters(*first, first_dequantize);
    const std::optional<Parameters> inner = pair_parameters(*second, *last);
    if (!outer || !inner || outer->type != inner->type) return;
    if (*outer != *inner) {
      const std::optional<Parameters> common = common_range(*outer, *inner);
      if (!common) return;
      set_parameters(*first, *last, *common);
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
    const OnnxTensor* scale = values_.constant(node.inputs[kScale]);
    const OnnxTensor* zero_point = values_.constant(node.inputs[kZeroPoint]);
    if (scale == nullptr || zero_point == nullptr) return std::nullopt;
    const OnnxTensor& s = *scale;
    const OnnxTensor& z = *zero_point;
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
    const std::string scale_name = values_.add_constant(prefix + "#merged_scale", std::move(scale));
    const std::string zero_point_name =
        values_.add_constant(prefix + "#merged_zero_point", std::move(zero_point));
    for (const std::size_t node : {quantize, dequantize}) {
      model_.nodes[node].inputs[kScale] = scale_name;
      model_.nodes[node].inputs[kZeroPoint] = zero_point_name;
    }
  }

  /// `last` reads what the first QuantizeLinear makes.
  void remove(std::size_t first_dequantize, std::size_t second, std::size_t last) {
    const std::string& value = model_.nodes[first_dequantize].inputs.front();
    model_.nodes[last].inputs.front() = value;
    values_.set_last_use(value, last);
    for (const std::size_t node : {first_dequantize, second}) model_.nodes[node].merged_into = last;
  }

  OnnxModel& model_;
  ModelValues values_;
};

}  // namespace

void merge_double_pairs(OnnxModel& model) {
  PairMerger(model).merge();
}

}  // namespace qsim::onnx_format
