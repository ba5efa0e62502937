#include "workloads/readers/json/json_quantization.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "workloads/graph/graph_check.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// A number or a list of numbers, every one positive and finite as float32.
std::vector<float> read_scales(JsonObject& description) {
  const std::string expected = "a finite number above 0 (float32), or a list of them";
  const Json* value = description.raw("scale");
  if (value == nullptr) {
    description.problem("scale", expected, "real = scale * (integer - zero_point)");
    return {1.0F};
  }
  std::vector<float> scales;
  for (std::size_t i = 0; i < (value->is_array() ? value->size() : 1); ++i) {
    const Json& entry = value->is_array() ? (*value)[i] : *value;
    const float scale = entry.is_number() ? entry.get<float>() : 0.0F;
    if (!std::isfinite(scale) || scale <= 0.0F) {
      description.problem("scale", expected,
                          value->is_array() ? "entry " + std::to_string(i) + " is not" : "");
      return {1.0F};
    }
    scales.push_back(scale);
  }
  if (scales.empty()) description.problem("scale", expected);
  return scales.empty() ? std::vector<float>{1.0F} : scales;
}

std::vector<std::int32_t> read_zero_points(JsonObject& description, arithmetic::IntegerFormat format) {
  const Json* value = description.has("zero_point") ? &description.json()["zero_point"] : nullptr;
  if (value != nullptr && value->is_array()) {
    std::vector<std::int32_t> zero_points;
    for (const std::int64_t zero_point : description.integers("zero_point", format.min(), format.max())) {
      zero_points.push_back(static_cast<std::int32_t>(zero_point));
    }
    if (zero_points.empty()) description.problem("zero_point", "at least one entry");
    return zero_points.empty() ? std::vector<std::int32_t>{0} : zero_points;
  }
  return {static_cast<std::int32_t>(description.integer("zero_point", format.min(), format.max(), 0))};
}

/// Makes one scale and one zero point a slice, and checks that there are as many as slices.
void spread_over_axis(JsonObject& description, const std::optional<Shape>& shape, Quantization& q) {
  if (!shape) return;
  const auto rank = static_cast<std::int64_t>(shape->size());
  std::int64_t axis = description.integer("axis", -rank, rank - 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return;
  const auto slices = static_cast<std::size_t>((*shape)[static_cast<std::size_t>(axis)]);
  q.axis = static_cast<int>(axis);
  if (q.scales.size() == 1) q.scales.assign(slices, q.scales[0]);
  if (q.zero_points.size() == 1) q.zero_points.assign(slices, q.zero_points[0]);
  const std::string expected = "one entry, or " + std::to_string(slices) + ": one a slice of the axis";
  if (q.scales.size() != slices) description.problem("scale", expected);
  if (q.zero_points.size() != slices) description.problem("zero_point", expected);
}

}  // namespace

std::optional<Quantization> bias_quantization(const Tensor& x, const Tensor& weights, ElementType type) {
  if (!x.quantization || !weights.quantization) return std::nullopt;
  Quantization q;
  q.bits = static_cast<int>(8 * element_size_bytes(type));
  q.axis = weights.quantization->scales.size() > 1 ? 0 : -1;
  q.scales.clear();
  // Nothing is computed with it; a product out of range is validate()'s to report at the tensors themselves.
  for (const float scale : weights.quantization->scales)
    q.scales.push_back(std::clamp(x.quantization->scale() * scale, kMinScale, kMaxScale));
  q.zero_points.assign(q.scales.size(), 0);
  return q;
}

BiasType read_bias_type(JsonObject& description, const Tensor& x, const Tensor& weights) {
  const std::int64_t bits = description.integer("bits", 32, 64, 32);
  if (bits != 32 && bits != 64) description.problem("bits", "32 or 64");
  const Json* scale = description.raw("scale");
  if (x.is_float()) return {ElementType::f32, std::nullopt};
  const ElementType type = bits == 64 ? ElementType::i64 : ElementType::i32;
  BiasType bias{type, bias_quantization(x, weights, type)};
  if (scale == nullptr || !bias.quantization) return bias;
  if (scale->is_null()) return {type, std::nullopt};
  bias.quantization->scales = read_scales(description);
  bias.quantization->zero_points.assign(bias.quantization->scales.size(), 0);
  bias.quantization->axis = bias.quantization->scales.size() > 1 ? 0 : -1;
  const auto channels = static_cast<std::size_t>(weights.shape[0]);
  if (bias.quantization->scales.size() != 1 && bias.quantization->scales.size() != channels) {
    description.problem("scale", "one number, or " + std::to_string(channels) + ": one an output channel");
  }
  return bias;
}

Quantization read_quantization(JsonObject& description, QuantizationUse use,
                               const std::optional<Shape>& shape,
                               const std::optional<Quantization>& fallback) {
  const bool any = description.has("bits") || description.has("signed") || description.has("scale") ||
                   description.has("zero_point");
  if (!any && fallback) {
    for (const char* key : {"bits", "signed", "scale", "zero_point"}) (void)description.raw(key);
    return *fallback;
  }
  Quantization q;
  const bool is_activation = use == QuantizationUse::activation;
  q.bits = static_cast<int>(description.integer("bits", 1, is_activation ? 32 : 16, 8));
  if (q.bits > 16 && q.bits != 32)
    description.problem("bits", "1 to 16, or 32 for the accumulators of a layer with weights");
  q.is_signed = description.boolean("signed", true);
  q.scales = read_scales(description);
  q.zero_points = read_zero_points(description, q.format());
  if (is_activation) {
    if (q.scales.size() > 1) description.problem("scale", "one number: activations are quantized per tensor");
    if (q.zero_points.size() > 1)
      description.problem("zero_point", "one integer: activations are quantized per tensor");
    return q;
  }
  if (description.integer("group_size", 0, std::numeric_limits<std::int64_t>::max(), 0) != 0) {
    description.problem("group_size", "0, which means no groups",
                        "use one scale a tensor or one a channel (\"axis\": 0)");
  }
  if (description.has("axis")) {
    spread_over_axis(description, shape, q);
  }
  (void)description.raw("axis");
  if (q.axis < 0 && (q.scales.size() > 1 || q.zero_points.size() > 1)) {
    description.problem("axis", "the dimension that the scales run along",
                        "0 for one scale an output channel");
  }
  return q;
}

}  // namespace qsim
