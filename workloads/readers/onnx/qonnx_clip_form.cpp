#include "workloads/readers/onnx/qonnx_clip_form.h"

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "workloads/readers/onnx/model_values.h"
#include "workloads/readers/onnx/operator_table.h"
#include "workloads/readers/onnx/qonnx_operators.h"

namespace qsim::onnx_format {
namespace {

/// Bits and range that the bounds of a Clip say.
struct Width {
  int bits = 0;
  bool is_signed = false, is_narrow = false;
  std::int64_t zero_point = 0;
};

std::optional<Width> width_of(std::int64_t low, std::int64_t high) {
  for (int bits = 1; bits <= 8; ++bits) {
    const std::int64_t half = std::int64_t{1} << (bits - 1);
    if (bits > 1 && high == half - 1 && (low == -half || low == 1 - half)) {
      if (bits == 8 && low == -half) return std::nullopt;  // The type's own range.
      return Width{bits, true, low == 1 - half, 0};
    }
    if (low == 0 && high == 2 * half - 1 && bits < 8) return Width{bits, false, false, 0};
    if (low == 0 && high == 2 * half - 2 && bits > 1) return Width{bits, false, true, 0};
  }
  return std::nullopt;
}

class ClipMerger {
 public:
  explicit ClipMerger(OnnxModel& model) : model_(model), values_(model) {}

  void merge() {
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      if (is_dequantize(model_.nodes[i]) && !model_.nodes[i].merged_into) merge_before(i);
    }
    values_.give_constants_to(model_);
  }

 private:
  void merge_before(std::size_t dequantize) {
    OnnxNode& node = model_.nodes[dequantize];
    const std::optional<std::size_t> clip =
        node.inputs.empty() ? std::nullopt : values_.producer(node.inputs.front());
    if (!clip || *clip == dequantize) return;
    const OnnxNode& limits = model_.nodes[*clip];
    if (limits.op_type != "Clip" || !limits.domain.empty() ||
        !values_.uses(node.inputs.front()).is_one_node())
      return;
    const OnnxTensor* low = values_.constant(limits, 1);
    const OnnxTensor* high = values_.constant(limits, 2);
    if (low == nullptr || high == nullptr || !low->is_integer() || low->size() != 1 || high->size() != 1)
      return;
    std::optional<Width> width = width_of(low->integer(0), high->integer(0));
    const OnnxTensor* scale = values_.constant(node, 1);
    const std::optional<std::int64_t> zero_point = zero_point_of(node);
    if (!width || scale == nullptr || scale->type != OnnxType::float32 || !zero_point) return;
    width->zero_point = *zero_point;
    const OnnxTensor* integers = values_.constant(limits, 0);
    if (integers != nullptr) {
      merge_constant(dequantize, *clip, *integers, *width);
      return;
    }
    const std::optional<std::size_t> quantize = values_.producer(limits.inputs.front());
    if (!quantize || !is_quantize(model_.nodes[*quantize])) return;
    const OnnxNode& first = model_.nodes[*quantize];
    const OnnxTensor* other = values_.constant(first, 1);
    if (!values_.uses(limits.inputs.front()).is_one_node() || other == nullptr ||
        other->bytes != scale->bytes || other->shape != scale->shape || zero_point_of(first) != zero_point)
      return;
    const OnnxTensor* real = values_.constant(first, 0);
    if (*zero_point != 0 && real != nullptr && real->type == OnnxType::float32) {
      if (merge_constant(dequantize, *clip, *real, *width)) model_.nodes[*quantize].merged_into = dequantize;
      return;
    }
    // QuantizeLinear rounds x / s to even, Quant x / s + z: the same where z is even.
    if (*zero_point % 2 != 0) return;
    const std::string input = first.inputs.front();
    model_.nodes[*quantize].merged_into = dequantize;
    model_.nodes[*clip].merged_into = dequantize;
    become_quant(dequantize, input, *width);
  }

  /// One for all elements.
  [[nodiscard]] std::optional<std::int64_t> zero_point_of(const OnnxNode& node) const {
    if (node.inputs.size() < 3 || node.inputs[2].empty()) return 0;
    const OnnxTensor* zero = values_.constant(node, 2);
    if (zero == nullptr || !zero->is_integer() || zero->size() == 0) return std::nullopt;
    for (std::int64_t i = 1; i < zero->size(); ++i) {
      if (zero->integer(i) != zero->integer(0)) return std::nullopt;
    }
    return zero->integer(0);
  }

  /// The floats that integers of a constant stand for, with a scale along the axis; of a constant of floats
  /// those of the integers that QuantizeLinear gives it. Returns whether the scales fit the shape.
  bool merge_constant(std::size_t dequantize, std::size_t clip, const OnnxTensor& constant,
                      const Width& width) {
    const OnnxTensor& scale = *values_.constant(model_.nodes[dequantize], 1);
    const auto rank = static_cast<std::int64_t>(constant.shape.size());
    const std::int64_t axis = axis_of(model_.nodes[dequantize], rank);
    const bool is_one = scale.size() == 1;
    if (!is_one &&
        (axis < 0 || axis >= rank || constant.shape[static_cast<std::size_t>(axis)] != scale.size()))
      return false;
    OnnxTensor real = make_onnx_tensor(OnnxType::float32, constant.shape);
    const Shape after(constant.shape.begin() + (is_one ? rank : axis + 1), constant.shape.end());
    const std::int64_t inner = element_count(after);
    for (std::int64_t i = 0; i < constant.size(); ++i) {
      const float s = scale.get<float>(i / inner % scale.size());
      const float steps = constant.type == OnnxType::float32
                              ? std::nearbyint(constant.get<float>(i) / s)
                              : static_cast<float>(constant.integer(i) - width.zero_point);
      real.put<float>(i, steps * s);
    }
    const std::string name = values_.add_constant(model_.nodes[dequantize].name + "#real", std::move(real));
    model_.nodes[clip].merged_into = dequantize;
    become_quant(dequantize, name, width);
    return true;
  }

  [[nodiscard]] static std::int64_t axis_of(const OnnxNode& node, std::int64_t rank) {
    std::int64_t axis = 1;
    for (const OnnxAttribute& attribute : node.attributes) {
      const auto* value = std::get_if<std::int64_t>(&attribute.value);
      if (attribute.name == "axis" && value != nullptr) axis = *value;
    }
    return axis < 0 ? axis + rank : axis;
  }

  /// Quant broadcasts its scale as numpy does: dimensions of 1 behind the axis, whose number only a
  /// constant's shape says; scales along an axis of an activation are left to the reader.
  void become_quant(std::size_t index, const std::string& input, const Width& width) {
    OnnxNode& node = model_.nodes[index];
    const OnnxTensor& given = *values_.constant(node, 1);
    OnnxTensor scale = given;
    if (given.size() != 1) {
      const OnnxTensor* operand = values_.constant(input);
      const std::size_t rank = operand == nullptr ? 1 : operand->shape.size();
      const std::int64_t axis = axis_of(node, static_cast<std::int64_t>(rank));
      scale.shape.assign(rank, 1);
      if (axis >= 0 && axis < static_cast<std::int64_t>(rank))
        scale.shape[static_cast<std::size_t>(axis)] = given.size();
    }
    OnnxTensor zero = make_onnx_tensor(OnnxType::float32, {});
    zero.put<float>(0, static_cast<float>(width.zero_point));
    OnnxTensor bits = make_onnx_tensor(OnnxType::float32, {});
    bits.put<float>(0, static_cast<float>(width.bits));
    const std::string name = node.name;
    node.op_type = "Quant";
    node.domain = std::string(kQonnxDomains.front());
    node.inputs = {input, values_.add_constant(name + "#scale", std::move(scale)),
                   values_.add_constant(name + "#zero_point", std::move(zero)),
                   values_.add_constant(name + "#bits", std::move(bits))};
    node.attributes = {{"signed", std::int64_t{width.is_signed ? 1 : 0}},
                       {"narrow", std::int64_t{width.is_narrow ? 1 : 0}},
                       {"rounding_mode", std::string("ROUND")}};
  }

  OnnxModel& model_;
  ModelValues values_;
};

}  // namespace

void merge_clip_form(OnnxModel& model) {
  ClipMerger(model).merge();
}

}  // namespace qsim::onnx_format
