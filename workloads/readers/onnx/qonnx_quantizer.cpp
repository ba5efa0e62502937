#include "workloads/readers/onnx/qonnx_quantizer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "workloads/graph/strided_copy.h"
#include "workloads/readers/onnx/attributes.h"
#include "workloads/readers/onnx/qonnx_operators.h"

namespace qsim::onnx_format {
namespace {

using arithmetic::RoundingMode;

constexpr const char* kBipolar = "BipolarQuant";
constexpr const char* kTrunc = "Trunc";

constexpr std::array<std::pair<std::string_view, RoundingMode>, 10> kModes{{
    {"ROUND", RoundingMode::half_even},
    {"HALF_EVEN", RoundingMode::half_even},
    {"CEIL", RoundingMode::ceil},
    {"FLOOR", RoundingMode::floor},
    {"UP", RoundingMode::outward},
    {"DOWN", RoundingMode::inward},
    {"ROUND_TO_ZERO", RoundingMode::inward},
    {"HALF_UP", RoundingMode::half_away},
    {"HALF_DOWN", RoundingMode::half_inward},
    {"TRUNC", RoundingMode::inward},
}};

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

/// Reads the operands of one quantizer.
class Parser {
 public:
  Parser(GraphBuilder& builder, const OnnxNode& node, const Shape& shape, int most_bits,
         bool has_signed_input)
      : builder_(builder),
        node_(node),
        shape_(shape),
        most_bits_(most_bits),
        has_signed_input_(has_signed_input),
        attributes_(node, builder.model().model().file) {}

  QonnxQuantizer parse() {
    if (node_.op_type == kBipolar) {
      parse_scales(1);
      become_bipolar();
    } else if (node_.op_type == kTrunc) {
      parse_trunc();
    } else {
      parse_quant();
    }
    attributes_.finish();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& subject, const std::string& value, const std::string& expected,
                         const std::string& hint) const {
    throw InputError(
        Problem{builder_.model().model().file, node_.place + " " + subject, value, expected, hint});
  }

  const OnnxTensor& parameter(std::size_t i, const char* name) {
    if (i >= node_.inputs.size() || node_.inputs[i].empty())
      fail(name, "none", "a constant", "export the model again");
    const OnnxTensor* value =
        builder_.is_known(node_.inputs[i]) ? builder_.constant(node_.inputs[i]) : nullptr;
    if (value == nullptr)
      fail(name, "a value computed at run time", "a constant",
           builder_.constant_remedy(node_.inputs[i], "export the model with constant quantizers"));
    if (value->size() < 1) fail(name, "no element", "a number", "export the model again");
    return *value;
  }

  /// A whole number, the same for all elements.
  std::int64_t whole(std::size_t i, const char* name) {
    const OnnxTensor& value = parameter(i, name);
    const double first = value.real(0);
    for (std::int64_t e = 0; e < value.size(); ++e) {
      if (value.real(e) != first || std::nearbyint(first) != first || std::abs(first) > 1e6)
        fail(name, std::to_string(value.real(e)), "one whole number for the tensor",
             "train the quantizer with whole numbers, one for the tensor");
    }
    return static_cast<std::int64_t>(first);
  }

  void parse_scales(std::size_t input) {
    const OnnxTensor& scale = parameter(input, "scale");
    result_.scales.clear();
    for (std::int64_t e = 0; e < scale.size(); ++e) {
      const auto value = static_cast<float>(scale.real(e));
      if (!(value > 0.0F) || !std::isfinite(value))
        fail("scale", std::to_string(value), "a number above 0", "export the model again");
      result_.scales.push_back(value);
    }
    const bool is_one = std::all_of(result_.scales.begin(), result_.scales.end(),
                                    [&](float s) { return s == result_.scales.front(); });
    if (is_one) result_.scales.resize(1);
    result_.divisor = result_.scales.front();
    if (!is_one) result_.axis = scale_axis(scale.shape);
  }

  /// The scale's only dimension of more than one element, among those of the input.
  int scale_axis(const Shape& scale) const {
    const auto wide = std::find_if(scale.begin(), scale.end(), [](std::int64_t d) { return d != 1; });
    const bool has_one = std::count_if(scale.begin(), scale.end(), [](auto d) { return d != 1; }) == 1;
    const auto from_end = static_cast<std::size_t>(scale.end() - wide);
    if (!has_one || from_end > shape_.size() || shape_[shape_.size() - from_end] != *wide)
      fail("scale", "shape " + to_string(scale) + " for an input of shape " + to_string(shape_),
           "one scale, or one for each slice of a dimension", "quantize per tensor or per channel");
    return static_cast<int>(shape_.size() - from_end);
  }

  void parse_rounding(const char* fallback) {
    const std::string mode = upper(attributes_.text("rounding_mode", fallback));
    const auto* row =
        std::find_if(kModes.begin(), kModes.end(), [&](const auto& known) { return known.first == mode; });
    if (row == kModes.end())
      fail("attribute rounding_mode", mode, "ROUND, HALF_EVEN, HALF_UP, HALF_DOWN, CEIL, FLOOR, UP or DOWN",
           "choose one of them in the model");
    result_.rounding = row->second;
  }

  void parse_bits(std::size_t input, bool is_signed, bool is_narrow) {
    const std::int64_t bits = whole(input, "bit_width");
    if (bits < 1 || bits > most_bits_)
      fail("bit_width", std::to_string(bits), "1 to " + std::to_string(most_bits_), "quantize to fewer bits");
    result_.bits = static_cast<int>(bits);
    result_.is_signed = is_signed;
    const std::int64_t top = std::int64_t{1} << (is_signed ? bits - 1 : bits);
    const std::int64_t narrow = is_narrow ? 1 : 0;
    result_.low = static_cast<std::int32_t>(is_signed ? narrow - top : 0);
    result_.high = static_cast<std::int32_t>(is_signed ? top - 1 : top - 1 - narrow);
  }

  /// One signed bit is -1 or 1.
  void become_bipolar() {
    result_.bits = 1;
    result_.is_signed = true;
    result_.rounding = RoundingMode::sign;
    result_.low = -1;
    result_.high = 1;
  }

  void parse_quant() {
    parse_scales(1);
    result_.zero_point = static_cast<std::int32_t>(whole(2, "zero_point"));
    result_.shift = result_.zero_point;
    const bool is_signed = attributes_.integer("signed", 1) != 0;
    const bool is_narrow = attributes_.integer("narrow", 1) != 0;
    parse_bits(3, is_signed, is_narrow);
    parse_rounding("ROUND");
    if (result_.bits == 1 && is_signed) become_bipolar();
  }

  /// y = round(x / scale + zero_point) / 2^n, then rounded (version 1: n = in_bits - out_bits, the scale
  /// stays; version 2: 2^n = out_scale / scale).
  void parse_trunc() {
    const bool is_second = node_.inputs.size() > 5;
    parse_scales(1);
    if (result_.scales.size() != 1)
      fail("scale", std::to_string(result_.scales.size()) + " scales", "one", "quantize per tensor");
    const std::int64_t zero_point = whole(2, "zero_point");
    const std::int64_t in_bits = whole(3, "input bit width");
    if (is_second) {
      const auto scale = static_cast<float>(parameter(4, "output scale").real(0));
      result_.truncated_bits = static_cast<int>(std::lround(std::log2(scale / result_.scales.front())));
      result_.scales = {scale};
    } else {
      result_.truncated_bits = static_cast<int>(in_bits - whole(4, "output bit width"));
    }
    if (result_.truncated_bits < 0 || result_.truncated_bits > 30)
      fail("bits", std::to_string(result_.truncated_bits) + " truncated", "0 to 30", "check the bit widths");
    if (zero_point != 0)
      fail("zero_point", std::to_string(zero_point), "0", "truncate a symmetric quantization");
    result_.divisor = std::ldexp(result_.divisor, result_.truncated_bits);
    const bool is_signed = attributes_.integer("signed", is_second ? 1 : (input_is_signed() ? 1 : 0)) != 0;
    parse_bits(is_second ? 5 : 4, is_signed, attributes_.integer("narrow", 0) != 0);
    parse_rounding("FLOOR");
  }

  /// Version 1 does not say; integers of a quantizer before it do.
  [[nodiscard]] bool input_is_signed() const {
    if (!builder_.is_known(node_.inputs.front())) return has_signed_input_;
    const std::optional<Operand>& source = builder_.info(node_.inputs.front()).dequantized;
    return !source || !source->quantization || source->quantization->is_signed;
  }

  GraphBuilder& builder_;
  const OnnxNode& node_;
  const Shape& shape_;
  int most_bits_;
  bool has_signed_input_;
  Attributes attributes_;
  QonnxQuantizer result_;
};

OnnxType storage_type(int bits, bool is_signed) {
  if (bits <= 8) return is_signed ? OnnxType::int8 : OnnxType::uint8;
  if (bits <= 16) return is_signed ? OnnxType::int16 : OnnxType::uint16;
  return OnnxType::int32;
}

}  // namespace

bool is_qonnx_domain(const std::string& domain) {
  return std::find(kQonnxDomains.begin(), kQonnxDomains.end(), domain) != kQonnxDomains.end();
}

bool is_qonnx_quantizer(const OnnxNode& node) {
  return is_qonnx_domain(node.domain) && (node.op_type == "Quant" || node.op_type == "IntQuant" ||
                                          node.op_type == kBipolar || node.op_type == kTrunc);
}

bool uses_qonnx(const OnnxModel& model) {
  return std::any_of(model.nodes.begin(), model.nodes.end(),
                     [](const OnnxNode& node) { return is_qonnx_domain(node.domain); });
}

Quantization QonnxQuantizer::quantization() const {
  return {bits, is_signed, scales, std::vector<std::int32_t>(scales.size(), zero_point), axis, 0};
}

OnnxType QonnxQuantizer::type() const {
  return storage_type(bits, is_signed);
}

bool QonnxQuantizer::rounds_plainly() const {
  return rounding == RoundingMode::half_even && truncated_bits < 0 && zero_point % 2 == 0;
}

QonnxQuantizer qonnx_quantizer(GraphBuilder& builder, const OnnxNode& node, const Shape& shape, int most_bits,
                               bool has_signed_input) {
  return Parser(builder, node, shape, most_bits, has_signed_input).parse();
}

namespace {

/// Which scale an element of a tensor has.
class SliceIndex {
 public:
  SliceIndex(const Shape& shape, int axis) {
    if (axis < 0) return;
    const auto after = static_cast<std::size_t>(axis) + 1;
    inner_ = element_count(Shape(shape.begin() + static_cast<std::ptrdiff_t>(after), shape.end()));
    slices_ = shape[after - 1];
  }
  [[nodiscard]] std::size_t operator()(std::int64_t element) const {
    return static_cast<std::size_t>(element / inner_ % slices_);
  }

 private:
  std::int64_t inner_ = 1, slices_ = 1;
};

}  // namespace

OnnxTensor dequantized_constant(const Quantization& quantization, const OnnxTensor& integers) {
  OnnxTensor result = make_onnx_tensor(OnnxType::float32, integers.shape);
  const SliceIndex slice(integers.shape, quantization.axis);
  for (std::int64_t i = 0; i < integers.size(); ++i) {
    const auto n = static_cast<std::int64_t>(slice(i));
    const auto q = static_cast<float>(integers.integer(i) - quantization.zero_point(n));
    result.put<float>(i, q * quantization.scale(n));
  }
  return result;
}

OnnxTensor quantized_constant(const QonnxQuantizer& quantizer, const OnnxTensor& values) {
  OnnxTensor result = make_onnx_tensor(quantizer.type(), values.shape);
  const SliceIndex slice(values.shape, quantizer.axis);
  const float divisor_ratio = quantizer.divisor / quantizer.scales.front();
  for (std::int64_t i = 0; i < values.size(); ++i) {
    const float scale = quantizer.scales[slice(i)];
    const float v =
        static_cast<float>(values.real(i)) / (scale * divisor_ratio) + static_cast<float>(quantizer.shift);
    double q = 0.0;
    if (quantizer.rounding == RoundingMode::sign) {
      q = v < 0.0F ? -1.0 : 1.0;
    } else {
      const double limited = std::clamp(static_cast<double>(v), static_cast<double>(quantizer.low),
                                        static_cast<double>(quantizer.high));
      q = arithmetic::round_by(quantizer.rounding, limited);
    }
    const auto integer = static_cast<std::int32_t>(q);
    switch (onnx_element_bytes(result.type)) {
      case 1:
        result.put<std::int8_t>(i, static_cast<std::int8_t>(integer));
        break;
      case 2:
        result.put<std::int16_t>(i, static_cast<std::int16_t>(integer));
        break;
      default:
        result.put<std::int32_t>(i, integer);
    }
  }
  return result;
}

}  // namespace qsim::onnx_format
