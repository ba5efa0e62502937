#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "hw_models/arithmetic/requantize.h"
#include "sim/compare/mac_sums.h"
#include "sim/compare/suspects.h"

namespace qsim {
namespace {

using namespace arithmetic;

/// What an output element is made from.
struct Element {
  std::int64_t accumulator = 0;  ///< Bias included.
  std::int64_t channel = 0;
};

/// Scales of a layer as the formulas below name them.
struct Scales {
  float x = 1.0F, y = 1.0F;
  std::vector<float> w;  ///< One an output channel.
  [[nodiscard]] double real(const Element& e) const {
    return static_cast<double>(e.accumulator) * real_multiplier(e.channel);
  }
  [[nodiscard]] double real_multiplier(std::int64_t channel) const {
    return static_cast<double>(x) * static_cast<double>(w[static_cast<std::size_t>(channel)]) /
           static_cast<double>(y);
  }
  /// (s_x * s_w) / s_y, each operation in float32.
  [[nodiscard]] float multiplier(std::int64_t channel) const {
    return (x * w[static_cast<std::size_t>(channel)]) / y;
  }
};

Scales scales_of(const LayerInputs& layer) {
  const Tensor& weights = layer.graph.tensor(layer.node.inputs[1]);
  Scales scales;
  scales.x = layer.graph.tensor(layer.node.inputs[0]).quantization->scale();
  scales.y = layer.output().quantization->scale();
  for (std::int64_t n = 0; n < weights.shape[0]; ++n) scales.w.push_back(weights.quantization->scale(n));
  return scales;
}

float float32(std::int64_t value) {
  return static_cast<float>(value);
}

/// A way from an accumulator to an integer before the clamp, the zero point included.
struct Rounding {
  const char* name;
  const char* meaning;
  double (*value)(const Scales& scales, const Element& element, std::int32_t zero_point);
};

// s = (s_x * s_w) / s_y in float32 unless said otherwise; rne: to nearest, half to even.
constexpr std::array<Rounding, 7> kRoundings{{
    {"float32_half_away", "acc * s in float32, half away from zero",
     [](const Scales& s, const Element& e, std::int32_t zero_point) {
       return static_cast<double>(std::round(float32(e.accumulator) * s.multiplier(e.channel))) + zero_point;
     }},
    {"float32_zero_point_first", "acc * s + z in float32, then half to even",
     [](const Scales& s, const Element& e, std::int32_t zero_point) {
       const float scaled = float32(e.accumulator) * s.multiplier(e.channel);
       return static_cast<double>(std::nearbyint(scaled + float32(zero_point)));
     }},
    {"float32_truncated", "acc * s in float32, towards zero",
     [](const Scales& s, const Element& e, std::int32_t zero_point) {
       return static_cast<double>(std::trunc(float32(e.accumulator) * s.multiplier(e.channel))) + zero_point;
     }},
    {"float32_floor", "acc * s in float32, downwards",
     [](const Scales& s, const Element& e, std::int32_t zero_point) {
       return static_cast<double>(std::floor(float32(e.accumulator) * s.multiplier(e.channel))) + zero_point;
     }},
    {"dequantize_quantize", "(acc * (s_x * s_w)) / s_y in float32, half to even: a float layer between QDQ",
     [](const Scales& s, const Element& e, std::int32_t zero_point) {
       const float real = float32(e.accumulator) * (s.x * s.w[static_cast<std::size_t>(e.channel)]);
       return static_cast<double>(std::nearbyint(real / s.y)) + zero_point;
     }},
    {"float64_half_even", "acc * (s_x * s_w / s_y) in float64, half to even",
     [](const Scales& s, const Element& e, std::int32_t zero_point) {
       return std::nearbyint(s.real(e)) + zero_point;
     }},
    {"float64_half_up", "acc * (s_x * s_w / s_y) in float64, half upwards",
     [](const Scales& s, const Element& e, std::int32_t zero_point) {
       return std::floor(s.real(e) + 0.5) + zero_point;
     }},
}};

constexpr std::array kProfiles{RoundingProfile::float32,
                               RoundingProfile::fixed_point_double_rounding,
                               RoundingProfile::fixed_point_single_rounding,
                               RoundingProfile::fixed_point_16bit_multiplier,
                               RoundingProfile::float64,
                               RoundingProfile::power_of_two};

const char* meaning_of(RoundingProfile profile) {
  switch (profile) {
    case RoundingProfile::float32:
      return "acc * s in float32, half to even: ONNX Runtime";
    case RoundingProfile::fixed_point_double_rounding:
      return "doubling high multiply, then a rounding shift: TFLite reference, int8";
    case RoundingProfile::fixed_point_single_rounding:
      return "64-bit product, one rounding shift";
    case RoundingProfile::fixed_point_16bit_multiplier:
      return "64-bit accumulator, 16-bit multiplier: TFLite reference, int16 activations";
    case RoundingProfile::float64:
      return "acc * s in float64, half away from zero: LiteRT, FULLY_CONNECTED";
    case RoundingProfile::power_of_two:
      return "a shift: the scale rounded to a power of two";
    case RoundingProfile::affine:
    case RoundingProfile::thresholds:
      return "acc * m + b in float64: between quantizers of QONNX";
  }
  return "";
}

constexpr const char* kSaturatedSums =
    "sums of two u8 x s8 products that saturate at 16 bits: x86 without VNNI";

class MacLayer {
 public:
  explicit MacLayer(const LayerInputs& layer)
      : layer_(layer),
        channels_(layer.output().shape.back()),
        scales_(scales_of(layer)),
        clamp_(output_clamp(layer.graph, layer.node)) {}

  [[nodiscard]] std::vector<Suspect> suspects() {
    exact_ = mac_sums(layer_.graph, layer_.node, *layer_.values[0], PairSum::exact);
    if (is_sum()) return sum_suspects();
    std::vector<Suspect> result;
    result.reserve(kProfiles.size() + kRoundings.size() + 3);
    for (const RoundingProfile profile : kProfiles) {
      result.push_back(
          {rounding_profile_name(profile), meaning_of(profile), with_profile(profile, exact_, clamp_, true)});
    }
    // half_away is the profile's own.
    for (const ShiftRounding shift :
         {ShiftRounding::half_up, ShiftRounding::half_even, ShiftRounding::truncate}) {
      result.push_back({std::string("power_of_two_") + shift_rounding_name(shift),
                        "power_of_two with another requantizer.shift_rounding",
                        with_profile({RoundingProfile::power_of_two, shift, 32}, exact_, clamp_, true)});
    }
    for (const Rounding& rounding : kRoundings) {
      result.push_back({rounding.name, rounding.meaning, with_rounding(rounding)});
    }
    add_lost_parts(result);
    return result;
  }

  [[nodiscard]] TensorData saturated_output() const {
    const auto sums = mac_sums(layer_.graph, layer_.node, *layer_.values[0], PairSum::saturated_to_16_bits);
    return is_sum() ? as_they_are(sums) : with_profile(RoundingProfile::float32, sums, clamp_, true);
  }

 private:
  [[nodiscard]] bool is_sum() const { return layer_.output().quantization->bits > 16; }

  /// y = acc: of the accumulators themselves.
  [[nodiscard]] std::vector<Suspect> sum_suspects() const {
    std::vector<Suspect> result{{"exact_sums", "every product counts", as_they_are(exact_)}};
    if (has_saturated_pairs(layer_.graph, layer_.node)) {
      result.push_back({kSaturatedPairs, kSaturatedSums, saturated_output()});
    }
    return result;
  }

  [[nodiscard]] TensorData as_they_are(const std::vector<std::int64_t>& sums) const {
    TensorData output(layer_.output().type, layer_.output().shape);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      output.set(static_cast<std::int64_t>(i), element(i, sums, true).accumulator);
    }
    return output;
  }

  /// What kernels are known to lose: high bits of pairs of products, the bias, the fused activation.
  void add_lost_parts(std::vector<Suspect>& result) const {
    const RoundingProfile profile = automatic_rounding_profile(layer_.graph, layer_.node);
    if (has_saturated_pairs(layer_.graph, layer_.node)) {
      result.push_back({kSaturatedPairs, std::string("float32 after ") + kSaturatedSums, saturated_output()});
    }
    const bool has_bias = layer_.node.inputs.size() > 2 && layer_.node.inputs[2] != kNoTensor;
    if (has_bias) {
      result.push_back(
          {"no_bias", "the layer's profile without its bias", with_profile(profile, exact_, clamp_, false)});
    }
    const IntegerFormat format = layer_.output().quantization->format();
    const ClampRange limits{static_cast<std::int32_t>(format.min()), static_cast<std::int32_t>(format.max())};
    if (clamp_.min != limits.min || clamp_.max != limits.max) {
      result.push_back({"no_activation", "the layer's profile without its fused activation",
                        with_profile(profile, exact_, limits, true)});
    }
  }

  [[nodiscard]] Element element(std::size_t i, const std::vector<std::int64_t>& sums, bool with_bias) const {
    const std::int64_t channel = static_cast<std::int64_t>(i) % channels_;
    return {sums[i] + (with_bias ? bias_of(layer_.graph, layer_.node, channel) : 0), channel};
  }

  [[nodiscard]] TensorData with_profile(const arithmetic::Rounding& profile,
                                        const std::vector<std::int64_t>& sums, const ClampRange& clamp,
                                        bool with_bias) const {
    const std::vector<ChannelScale> scales = channel_scales(layer_.graph, layer_.node, profile);
    const OutputRange range{layer_.output().quantization->zero_point(), clamp.min, clamp.max};
    TensorData output(layer_.output().type, layer_.output().shape);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const Element e = element(i, sums, with_bias);
      output.set(static_cast<std::int64_t>(i),
                 requantize(profile, scales[static_cast<std::size_t>(e.channel)], range, e.accumulator));
    }
    return output;
  }

  [[nodiscard]] TensorData with_rounding(const Rounding& rounding) const {
    const std::int32_t zero_point = layer_.output().quantization->zero_point();
    TensorData output(layer_.output().type, layer_.output().shape);
    for (std::size_t i = 0; i < exact_.size(); ++i) {
      const double value = rounding.value(scales_, element(i, exact_, true), zero_point);
      output.set(static_cast<std::int64_t>(i),
                 static_cast<std::int64_t>(std::clamp<double>(value, clamp_.min, clamp_.max)));
    }
    return output;
  }

  const LayerInputs& layer_;
  std::int64_t channels_;
  Scales scales_;
  ClampRange clamp_;
  std::vector<std::int64_t> exact_;
};

}  // namespace

std::vector<Suspect> rounding_suspects(const LayerInputs& layer) {
  return MacLayer(layer).suspects();
}

TensorData saturated_output(const LayerInputs& layer) {
  return MacLayer(layer).saturated_output();
}

}  // namespace qsim
