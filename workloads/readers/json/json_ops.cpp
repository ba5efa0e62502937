// Reading the fields of an operation.
#include "workloads/readers/json/json_ops.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "workloads/graph/graph_check.h"
#include "workloads/ops/fields.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// "same": as many output elements as ceil(in / stride), the odd padding element after; TensorFlow's rule.
std::pair<std::int64_t, std::int64_t> same_padding(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                                                   std::int64_t dilation) {
  const std::int64_t out = (in + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>((out - 1) * stride + (kernel - 1) * dilation + 1 - in, 0);
  return {total / 2, total - total / 2};
}

/// Height and width of NHWC or OHWI, where the shape is known and has four dimensions.
std::optional<HeightWidth> height_width_of(const std::optional<Shape>& shape) {
  if (!shape || shape->size() != 4) return std::nullopt;
  return HeightWidth{(*shape)[1], (*shape)[2]};
}

struct LayerContext {
  const std::optional<Shape>& x;
  const std::optional<Shape>& weights;
  std::optional<std::int32_t> zero_point;

  /// Of the first input; 8, the most, where it is not known.
  [[nodiscard]] std::int64_t rank() const { return x ? static_cast<std::int64_t>(x->size()) : 8; }
};

class FieldReader final : public OpFields {
 public:
  FieldReader(std::string_view form, JsonObject& layer, const LayerContext& context)
      : form_(form), layer_(layer), context_(context) {}

  [[nodiscard]] const std::optional<Shape>& shape() const { return shape_; }

  [[nodiscard]] std::string_view form() const override { return form_; }
  void expect(bool holds, const char* key, const char* expected) override {
    if (!holds) layer_.problem(key, expected);
  }

  void height_width(const Field& field, std::int64_t& h, std::int64_t& w,
                    std::optional<HeightWidth> fallback) override {
    const HeightWidth read = read_height_width(field.key, fallback);
    h = read.h;
    w = read.w;
  }
  void padding(PaddingSides sides, std::optional<HeightWidth> kernel, HeightWidth stride,
               HeightWidth dilation) override {
    const std::optional<HeightWidth> window = kernel ? kernel : height_width_of(context_.weights);
    read_padding(sides, height_width_of(context_.x), window, stride, dilation);
  }
  void transposed_padding(HeightWidth stride, std::int64_t& top, std::int64_t& left) override;
  void input_channels(std::int64_t& channels) override {
    const bool known = context_.x && context_.x->size() == 4;
    channels = known ? std::max<std::int64_t>(context_.x->back(), 1) : 1;
  }
  void activation(Activation& activation) override {
    activation = static_cast<Activation>(
        layer_.choice("activation", {"none", "relu", "relu6", "relu_n1_to_1"}, "none"));
  }

  void integer(const Field& field, std::int64_t& value, std::int64_t min, std::int64_t max,
               std::optional<std::int64_t> fallback) override {
    value = std::max(layer_.integer(field.key, min, max, fallback), min);
  }
  void boolean(const Field& field, bool& value, bool fallback) override {
    value = layer_.boolean(field.key, fallback);
  }
  void number(const Field& field, float& value, double min, double max,
              std::optional<float> fallback) override {
    const std::optional<double> otherwise =
        fallback ? std::optional<double>(static_cast<double>(*fallback)) : std::nullopt;
    value = static_cast<float>(layer_.number(field.key, min, max, otherwise));
  }
  void limit(const Field& field, float& value, float limitless) override {
    value = limitless;
    if (layer_.raw(field.key) != nullptr) read_float(field, value, 0.0F);
  }
  void factors(const Field& field, float& h, float& w) override;
  void integers(const Field& field, std::vector<std::int64_t>& values, std::int64_t min, std::int64_t max,
                const std::vector<std::int64_t>* fallback) override {
    values =
        layer_.integers(field.key, min, max, fallback == nullptr ? std::nullopt : std::optional(*fallback));
  }
  void indices(const Field& field, std::vector<int>& values, int max) override {
    values.clear();
    for (const std::int64_t d : layer_.integers(field.key, 0, max)) values.push_back(static_cast<int>(d));
  }
  void axes(const Field& field, std::vector<int>& axes) override {
    const std::int64_t rank = context_.rank();
    axes.clear();
    for (const std::int64_t axis : layer_.integers(field.key, -rank, rank - 1)) {
      axes.push_back(static_cast<int>(axis < 0 ? axis + rank : axis));
    }
    std::sort(axes.begin(), axes.end());
    if (std::adjacent_find(axes.begin(), axes.end()) != axes.end())
      layer_.problem(field.key, "each axis once");
  }
  void axis(const Field& field, int& axis) override {
    const std::int64_t rank = context_.rank();
    const std::int64_t read = layer_.integer(field.key, -rank, rank - 1);
    axis = static_cast<int>(read < 0 ? read + rank : read);
  }
  void padded_value(const Field& field, std::int64_t& integer, float& real) override {
    if (!context_.zero_point) return read_float(field, real, 0.0F);
    integer = layer_.integer(field.key, std::numeric_limits<std::int32_t>::min(),
                             std::numeric_limits<std::int32_t>::max(), *context_.zero_point);
  }
  void output_shape(const Field& field) override {
    Shape shape = layer_.integers(field.key, -1, kMaxTensorElements);
    if (std::count(shape.begin(), shape.end(), -1) > 1 || std::count(shape.begin(), shape.end(), 0) > 0) {
      layer_.problem(field.key, "dimensions of at least 1, one of which may be -1: what is left over");
      return;
    }
    shape_ = std::move(shape);
  }

 protected:
  void choose(const Field& field, std::size_t& index, std::span<const char* const> names) override {
    index = layer_.choice(field.key, {names.begin(), names.end()}, names.front());
  }

 private:
  void read_float(const Field& field, float& value, float fallback) {
    constexpr double kLimit = std::numeric_limits<float>::max();
    number(field, value, -kLimit, kLimit, fallback);
  }
  HeightWidth read_height_width(const std::string& key, std::optional<HeightWidth> fallback);
  void read_padding(PaddingSides sides, std::optional<HeightWidth> in, std::optional<HeightWidth> kernel,
                    HeightWidth stride, HeightWidth dilation);

  std::string_view form_;
  JsonObject& layer_;
  const LayerContext& context_;
  std::optional<Shape> shape_;
};

HeightWidth FieldReader::read_height_width(const std::string& key, std::optional<HeightWidth> fallback) {
  if (!layer_.has(key) && fallback) {
    (void)layer_.raw(key);
    return *fallback;
  }
  if (layer_.has(key) && layer_.json()[key].is_array()) {
    const auto both = layer_.integers(key, 1, kMaxWindowAttribute);
    if (both.size() == 2) return {both[0], both[1]};
    layer_.problem(key, "an integer, or two: [height, width]");
    return {};
  }
  const std::int64_t both = std::max<std::int64_t>(layer_.integer(key, 1, kMaxWindowAttribute), 1);
  return {both, both};
}

/// `in` and `kernel` are absent while shapes are unknown.
void FieldReader::read_padding(PaddingSides sides, std::optional<HeightWidth> in,
                               std::optional<HeightWidth> kernel, HeightWidth stride, HeightWidth dilation) {
  sides.top = sides.bottom = sides.left = sides.right = 0;
  const Json* value = layer_.raw("padding");
  if (value == nullptr || *value == "valid") return;
  if (*value == "same") {
    if (!in || !kernel) return;
    std::tie(sides.top, sides.bottom) = same_padding(in->h, kernel->h, stride.h, dilation.h);
    std::tie(sides.left, sides.right) = same_padding(in->w, kernel->w, stride.w, dilation.w);
    return;
  }
  if (value->is_number()) {
    sides.top = sides.bottom = sides.left = sides.right = layer_.integer("padding", 0, kMaxWindowAttribute);
    return;
  }
  if (value->is_array()) {
    const auto four = layer_.integers("padding", 0, kMaxWindowAttribute);
    if (four.size() == 4) {
      std::tie(sides.top, sides.bottom, sides.left, sides.right) =
          std::tie(four[0], four[1], four[2], four[3]);
      return;
    }
  }
  layer_.problem("padding", R"("valid", "same", an integer, or four: [top, bottom, left, right])");
}

/// What is cut off below and at the right may be less than nothing: rows and columns that no tap reaches.
/// Output length: (in - 1) * stride + kernel - pad_before - pad_after; "same" makes it in * stride.
void FieldReader::transposed_padding(HeightWidth stride, std::int64_t& top, std::int64_t& left) {
  const Json* value = layer_.has("padding") ? &layer_.json()["padding"] : nullptr;
  const bool same = value != nullptr && *value == "same";
  std::int64_t bottom = 0, right = 0;
  if (value == nullptr || !value->is_array()) {
    read_padding({top, bottom, left, right}, std::nullopt, std::nullopt, {}, {});
  } else {
    const auto four = layer_.integers("padding", -kMaxWindowAttribute, kMaxWindowAttribute);
    if (four.size() == 4 && four[0] >= 0 && four[2] >= 0) {
      std::tie(top, bottom, left, right) = std::tie(four[0], four[1], four[2], four[3]);
    } else {
      layer_.problem("padding", "[top, bottom, left, right] with top and left of at least 0");
    }
  }
  const std::optional<HeightWidth> in = height_width_of(context_.x);
  const std::optional<HeightWidth> kernel = height_width_of(context_.weights);
  if (!in || !kernel) return;
  HeightWidth out{(in->h - 1) * stride.h + kernel->h - top - bottom,
                  (in->w - 1) * stride.w + kernel->w - left - right};
  if (same) {
    out = {in->h * stride.h, in->w * stride.w};
    top = std::max<std::int64_t>(kernel->h - stride.h, 0) / 2;
    left = std::max<std::int64_t>(kernel->w - stride.w, 0) / 2;
  }
  shape_ = Shape{(*context_.x)[0], out.h, out.w, (*context_.weights)[0]};
}

void FieldReader::factors(const Field& field, float& h, float& w) {
  const Json* value = layer_.raw(field.key);
  const bool is_pair = value != nullptr && value->is_array() && value->size() == 2;
  const auto factor = [&](const Json* given) {
    const float number = given != nullptr && given->is_number() ? given->get<float>() : 0.0F;
    if (!(number > 0.0F && std::isfinite(number)))
      layer_.problem(field.key, "output size / input size: a number above 0, or two: [height, width]");
    return number > 0.0F ? number : 1.0F;
  };
  h = factor(is_pair ? &(*value)[0] : value);
  w = is_pair ? factor(&(*value)[1]) : h;
}

}  // namespace

ReadOp read_op(const OpForm& form, JsonObject& layer, const std::optional<Shape>& x,
               const std::optional<Shape>& weights, std::optional<std::int32_t> zero_point) {
  ReadOp result{form.prototype, {}};
  const OpDefinition& row = definition(form.prototype);
  if (row.fields == nullptr) return result;
  const LayerContext context{x, weights, zero_point};
  FieldReader reader(form.name, layer, context);
  row.fields(result.op, reader);
  result.shape = reader.shape();
  return result;
}

std::optional<Quantization> fixed_output_quantization(const Op& op, Semantics semantics,
                                                      const Quantization& input) {
  const std::optional<RealRange> range = value_range(op);
  const bool has_kernel = input.is_signed && (input.bits == 8 || input.bits == 16);
  if (semantics != Semantics::tflite || !range || !has_kernel) return std::nullopt;
  return tflite_fixed_grid(*range, input.bits);
}

std::size_t shape_operands(const OpDefinition& row, std::size_t inputs) {
  return row.shape_operands == 0 ? inputs : row.shape_operands;
}

}  // namespace qsim
