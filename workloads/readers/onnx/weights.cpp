#include "workloads/readers/onnx/weights.h"

#include <cmath>

namespace qsim::onnx_format {

TensorId bias_tensor(OperatorContext& context, std::size_t index, std::int64_t channels, const Operand& x,
                     const Operand& w) {
  if (!context.has(index)) return kNoTensor;
  const std::string& value = context.operand(index).value;
  const OnnxTensor* given = context.builder.constant(value);
  if (given == nullptr)
    context.fail("bias \"" + value + "\"", "a tensor computed at run time", "a constant",
                 context.builder.constant_remedy(value));
  const bool repeats = given->size() == 1 && channels != 1;
  const bool is_row = given->shape.empty() || given->shape.back() == given->size();
  if ((given->size() != channels && !repeats) || !is_row)
    context.fail("bias \"" + value + "\"", "shape " + to_string(given->shape),
                 std::to_string(channels) + " elements");
  if (context.is_float() && given->type != OnnxType::float32)
    context.fail("bias \"" + value + "\"", onnx_type_name(given->type), "FLOAT");
  if (!context.is_float() && given->type != OnnxType::float32 && given->type != OnnxType::int32)
    context.fail("bias \"" + value + "\"", onnx_type_name(given->type), "INT32");
  OnnxTensor bias = make_onnx_tensor(context.is_float() ? OnnxType::float32 : OnnxType::int32, {channels});
  std::optional<Quantization> quantization;
  if (!context.is_float()) {
    quantization.emplace();
    quantization->bits = 32;
    quantization->scales.clear();
    for (const float scale : w.quantization->scales)
      quantization->scales.push_back(x.quantization->scale() * scale);
    quantization->zero_points = {0};
    if (quantization->scales.size() > 1) quantization->axis = 0;
  }
  for (std::int64_t n = 0; n < channels; ++n) {
    const std::int64_t from = repeats ? 0 : n;
    if (context.is_float()) {
      bias.put<float>(n, given->get<float>(from));
    } else if (given->type == OnnxType::int32) {
      bias.put<std::int32_t>(n, given->get<std::int32_t>(from));
    } else {
      const float scaled = std::nearbyint(given->get<float>(from) / quantization->scale(n));
      constexpr float kLimit = 2147483648.0F;
      if (!(std::fabs(scaled) < kLimit))
        context.fail("bias \"" + value + "\"", std::to_string(given->get<float>(from)),
                     "a number that 32 bits hold at the scales");
      bias.put<std::int32_t>(n, static_cast<std::int32_t>(scaled));
    }
  }
  return context.builder.constant_tensor(value, bias, DimensionOrder::plain(1), quantization);
}

std::string constant_weights(const OperatorContext& context) {
  const std::string& value = context.operand(1).value;
  if (!context.is_constant(1))
    context.fail("weights \"" + value + "\"", "a tensor computed at run time", "a constant",
                 context.builder.constant_remedy(value));
  return "weights \"" + value + "\"";
}

std::vector<std::int64_t> kernel_sizes(const OperatorContext& context) {
  const Shape& w = context.shape(1);
  const std::vector<std::int64_t> kernel(w.begin() + 2, w.end());
  const auto stated = context.attributes.integers("kernel_shape");
  if (stated && *stated != kernel)
    context.fail("attribute kernel_shape", to_string(*stated), to_string(kernel) + ", as the weights have");
  return kernel;
}

void expect_scales_along(const OperatorContext& context, std::int64_t axis) {
  const auto& scales = context.operand(1).quantization;
  if (scales && scales->scales.size() > 1 && scales->axis != axis)
    context.fail("weights \"" + context.operand(1).value + "\"",
                 "scales along axis " + std::to_string(scales->axis),
                 "axis " + std::to_string(axis) + ", the output channels");
}

}  // namespace qsim::onnx_format
