#include "workloads/readers/json/json_quantization.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "workloads/graph/graph_check.h"
#include "workloads/graph/group_scales.h"

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

/// Scales and multipliers of groups; `q.scales` has what the file says: one scale a group, or, beside
/// "group_multipliers", one an output channel.
void read_groups(JsonObject& description, const Shape& shape, Quantization& q) {
  const auto channels = static_cast<std::size_t>(shape[0]);
  const auto groups = static_cast<std::size_t>(element_count(shape) / q.group_size);
  const std::int64_t bits = description.integer("group_multiplier_bits", 1, kMaxGroupMultiplierBits, 8);
  const std::string count = std::to_string(groups);
  if (description.has("group_multipliers")) {
    for (const std::int64_t m : description.integers("group_multipliers", 1, kMaxGroupMultiplier))
      q.group_multipliers.push_back(static_cast<std::int32_t>(m));
    if (q.group_multipliers.size() != groups)
      description.problem("group_multipliers", count + " entries, one a group");
    q.group_scale_error =
        description.number("group_scale_error", 0.0, std::numeric_limits<double>::max(), 0.0);
    if (q.scales.size() == 1) q.scales.assign(channels, q.scales[0]);
    if (q.scales.size() != channels)
      description.problem("scale", "one entry, or " + std::to_string(channels) + ": one an output channel");
  } else if (q.scales.size() != 1 && q.scales.size() != groups) {
    description.problem("scale", "one entry, or " + count + ": one a group",
                        "an output channel after the other, in each the groups in the order of its elements");
  } else {
    std::vector<float> scales = q.scales;
    if (scales.size() == 1) scales.assign(groups, scales[0]);
    set_group_scales(q, q.group_size, scales, shape[0], static_cast<int>(bits));
  }
  q.axis = 0;
  if (q.zero_points.size() != 1 && q.zero_points.size() != groups)
    description.problem("zero_point", "one entry, or " + count + ": one a group");
}

/// Whether "group_size" says that there are groups; then they are read, and "axis", which adds nothing.
bool has_groups(JsonObject& description, const std::optional<Shape>& shape, Quantization& q) {
  const std::int64_t size = description.integer("group_size", 0, std::numeric_limits<std::int64_t>::max(), 0);
  for (const char* key : {"group_multiplier_bits", "group_multipliers", "group_scale_error"}) {
    if (description.raw(key) != nullptr && size == 0)
      description.problem(key, "a group_size above 0 beside it");
  }
  if (size == 0) return false;
  (void)description.integer("axis", 0, 0, 0);
  if (!shape) return true;  // Reported.
  if (shape->size() < 2 || shape->back() % size != 0) {
    description.problem(
        "group_size",
        "0, or a divisor of the input channels of a kernel tap, " +
            std::to_string(shape->empty() ? 0 : shape->back()),
        "groups run along the channels within a tap, and none may be shorter than the others");
    return true;
  }
  q.group_size = size;
  read_groups(description, *shape, q);
  return true;
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
  if (has_groups(description, shape, q)) return q;
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
