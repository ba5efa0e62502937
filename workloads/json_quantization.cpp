#include "workloads/json_quantization.h"

#include <cmath>
#include <limits>

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
  q.bits = static_cast<int>(description.integer("bits", 1, 16, 8));
  q.is_signed = description.boolean("signed", true);
  q.scales = read_scales(description);
  q.zero_points = read_zero_points(description, q.format());
  if (use == QuantizationUse::activation) {
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
