// Writing the fields of an operation.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "workloads/ops/fields.h"
#include "workloads/readers/json/json_ops.h"
#include "workloads/readers/json/json_write_parts.h"

namespace qsim {
namespace {

OrderedJson both_or_one(std::int64_t h, std::int64_t w) {
  return h == w ? OrderedJson(h) : OrderedJson({h, w});
}

OrderedJson padding_json(std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right) {
  const bool all_equal = top == bottom && top == left && top == right;
  return all_equal && top >= 0 ? OrderedJson(top) : OrderedJson({top, bottom, left, right});
}

class FieldWriter final : public OpFields {
 public:
  FieldWriter(const Graph& graph, const Node& node, OrderedJson& json)
      : graph_(graph), node_(node), form_(op_name(graph, node)), json_(json) {}

  [[nodiscard]] bool decides_shape() const { return decides_shape_; }

  [[nodiscard]] std::string_view form() const override { return form_; }
  void expect(bool /*holds*/, const char* /*key*/, const char* /*expected*/) override {}

  void height_width(const Field& field, std::int64_t& h, std::int64_t& w,
                    std::optional<HeightWidth> fallback) override {
    set(field, both_or_one(h, w),
        fallback ? std::optional(both_or_one(fallback->h, fallback->w)) : std::nullopt);
  }
  void padding(PaddingSides sides, std::optional<HeightWidth> /*kernel*/, HeightWidth /*stride*/,
               HeightWidth /*dilation*/) override {
    set_unless("padding", padding_json(sides.top, sides.bottom, sides.left, sides.right), 0);
  }
  /// The output size decides what is cut off below and at the right, which may be less than nothing.
  void transposed_padding(HeightWidth stride, std::int64_t& top, std::int64_t& left) override {
    decides_shape_ = true;
    const Shape& x = shape(0);
    const Shape& w = shape(1);
    const Shape& y = graph_.tensor(node_.outputs[0]).shape;
    const std::int64_t bottom = (x[1] - 1) * stride.h + w[1] - top - y[1];
    const std::int64_t right = (x[2] - 1) * stride.w + w[2] - left - y[2];
    set_unless("padding", padding_json(top, bottom, left, right), 0);
  }
  void input_channels(std::int64_t& /*channels*/) override {}
  void activation(Activation& activation) override {
    constexpr std::array kNames{"none", "relu", "relu6", "relu_n1_to_1"};
    set_unless("activation", kNames.at(static_cast<std::size_t>(activation)), "none");
  }

  void integer(const Field& field, std::int64_t& value, std::int64_t /*min*/, std::int64_t /*max*/,
               std::optional<std::int64_t> fallback) override {
    set(field, value, fallback ? std::optional<OrderedJson>(*fallback) : std::nullopt);
  }
  void boolean(const Field& field, bool& value, bool fallback) override { set(field, value, fallback); }
  void number(const Field& field, float& value, double /*min*/, double /*max*/,
              std::optional<float> fallback) override {
    set(field, float_json(value), fallback ? std::optional(float_json(*fallback)) : std::nullopt);
  }
  void limit(const Field& field, float& value, float /*limitless*/) override {
    if (std::isfinite(value)) json_[field.key] = float_json(value);
  }
  void factors(const Field& field, float& h, float& w) override {
    json_[field.key] = {float_json(h), float_json(w)};
  }
  void integers(const Field& field, std::vector<std::int64_t>& values, std::int64_t /*min*/,
                std::int64_t /*max*/, const std::vector<std::int64_t>* fallback) override {
    set(field, values, fallback == nullptr ? std::nullopt : std::optional<OrderedJson>(*fallback));
  }
  void indices(const Field& field, std::vector<int>& values, int /*max*/) override {
    json_[field.key] = values;
  }
  void axes(const Field& field, std::vector<int>& axes) override { json_[field.key] = axes; }
  void axis(const Field& field, int& axis) override { json_[field.key] = axis; }
  void padded_value(const Field& field, std::int64_t& integer, float& real) override {
    const bool is_float = graph_.tensor(node_.inputs[0]).is_float();
    json_[field.key] = is_float ? float_json(real) : OrderedJson(integer);
  }
  void output_shape(const Field& field) override {
    decides_shape_ = true;
    json_[field.key] = graph_.tensor(node_.outputs[0]).shape;
  }

 protected:
  void choose(const Field& field, std::size_t& index, std::span<const char* const> names) override {
    set(field, names[index], OrderedJson(names.front()));
  }

 private:
  [[nodiscard]] const Shape& shape(std::size_t input) const {
    return graph_.tensor(node_.inputs[input]).shape;
  }
  void set_unless(const char* key, const OrderedJson& value, const OrderedJson& fallback) {
    if (value != fallback) json_[key] = value;
  }
  void set(const Field& field, const OrderedJson& value, const std::optional<OrderedJson>& fallback) {
    if (field.is_always_written || !fallback || value != *fallback) json_[field.key] = value;
  }

  const Graph& graph_;
  const Node& node_;
  std::string_view form_;
  OrderedJson& json_;
  bool decides_shape_ = false;
};

}  // namespace

OrderedJson float_json(float value) {
  std::array<char, 32> text{};
  const char* end = std::to_chars(text.data(), text.data() + text.size() - 1, value).ptr;
  const std::string decimal(text.data(), static_cast<std::size_t>(end - text.data()));
  const double shortest = std::strtod(decimal.c_str(), nullptr);
  // Rounding decimal to double to float may miss where the decimal lies beside a tie of two floats.
  return static_cast<float>(shortest) == value ? shortest : static_cast<double>(value);
}

WrittenOp write_op(const Graph& graph, const Node& node) {
  WrittenOp written{{{"op", op_name(graph, node)}}};
  const OpDefinition& row = definition(node.op);
  if (row.fields == nullptr) return written;
  Op op = node.op;
  FieldWriter writer(graph, node, written.json);
  row.fields(op, writer);
  written.decides_shape = writer.decides_shape();
  return written;
}

}  // namespace qsim
