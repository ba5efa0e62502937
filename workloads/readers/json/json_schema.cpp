// The operations in the schema of workload files, from the rows that read and write them.
#include <algorithm>

#include "workloads/graph/graph_check.h"
#include "workloads/ops/fields.h"
#include "workloads/readers/json/json_ops.h"
#include "workloads/readers/json/json_write_parts.h"

namespace qsim {
namespace {

OrderedJson reference(const std::string& name) {
  return {{"$ref", "#/$defs/" + name}};
}

/// Describes the fields of one form.
class FieldSchema final : public OpFields {
 public:
  FieldSchema(std::string_view form, OrderedJson& properties, OrderedJson& required)
      : form_(form), properties_(properties), required_(required) {}

  [[nodiscard]] std::string_view form() const override { return form_; }
  void expect(bool /*holds*/, const char* /*key*/, const char* /*expected*/) override {}

  void height_width(const Field& field, std::int64_t& /*h*/, std::int64_t& /*w*/,
                    std::optional<HeightWidth> fallback) override {
    OrderedJson json = reference("height_width");
    add(field, json, fallback ? std::optional<OrderedJson>(fallback->h) : std::nullopt);
  }
  void padding(PaddingSides /*sides*/, std::optional<HeightWidth> /*kernel*/, HeightWidth /*stride*/,
               HeightWidth /*dilation*/) override {
    properties_["padding"] = reference("padding");
  }
  void transposed_padding(HeightWidth /*stride*/, std::int64_t& /*top*/, std::int64_t& /*left*/) override {
    properties_["padding"] = {
        {"description",
         "As for conv2d; [top, bottom, left, right] may have bottom and right below 0: rows and columns that "
         "no tap reaches."},
        {"default", "valid"},
        {"anyOf",
         {reference("padding"), list(integer_json(-kMaxWindowAttribute, kMaxWindowAttribute), 4, 4)}}};
  }
  void input_channels(std::int64_t& /*channels*/) override {}
  void activation(Activation& /*activation*/) override {
    properties_["activation"] = reference("activation");
  }

  void integer(const Field& field, std::int64_t& /*value*/, std::int64_t min, std::int64_t max,
               std::optional<std::int64_t> fallback) override {
    add(field, integer_json(min, max), fallback ? std::optional<OrderedJson>(*fallback) : std::nullopt);
  }
  void boolean(const Field& field, bool& /*value*/, bool fallback) override {
    add(field, {{"type", "boolean"}}, fallback);
  }
  void number(const Field& field, float& /*value*/, double min, double max,
              std::optional<float> fallback) override {
    add(field, number_json(min, max), fallback ? std::optional(float_json(*fallback)) : std::nullopt);
  }
  void limit(const Field& field, float& /*value*/, float /*limitless*/) override {
    constexpr double kLargest = std::numeric_limits<float>::max();
    add({field.key, field.description, false}, number_json(-kLargest, kLargest), OrderedJson());
  }
  void factors(const Field& field, float& /*h*/, float& /*w*/) override {
    const OrderedJson factor = {{"type", "number"}, {"exclusiveMinimum", 0}};
    add(field, {{"oneOf", {factor, list(factor, 2, 2)}}}, std::nullopt);
  }
  void integers(const Field& field, std::vector<std::int64_t>& /*values*/, std::int64_t min, std::int64_t max,
                const std::vector<std::int64_t>* fallback) override {
    add(field, list(integer_json(min, max)), fallback ? std::optional<OrderedJson>(*fallback) : std::nullopt);
  }
  void indices(const Field& field, std::vector<int>& /*values*/, int max) override {
    add(field, list(integer_json(0, max)), std::nullopt);
  }
  void axes(const Field& field, std::vector<int>& /*axes*/) override {
    add(field, list(integer_json(-kMaxRank, kMaxRank - 1), 1), std::nullopt);
  }
  void axis(const Field& field, int& /*axis*/) override {
    add(field, integer_json(-kMaxRank, kMaxRank - 1), std::nullopt);
  }
  void padded_value(const Field& field, std::int64_t& /*integer*/, float& /*real*/) override {
    add(field, {{"type", "number"}}, OrderedJson(0));
  }
  void output_shape(const Field& field) override {
    add(field, list(integer_json(-1, kMaxTensorElements)), std::nullopt);
  }

 protected:
  void choose(const Field& field, std::size_t& /*index*/, std::span<const char* const> names) override {
    OrderedJson list = OrderedJson::array();
    for (const char* name : names) list.push_back(name);
    add(field, {{"enum", list}}, OrderedJson(names.front()));
  }

 private:
  static constexpr std::int64_t kMaxRank = 8;

  static OrderedJson integer_json(std::int64_t min, std::int64_t max) {
    return {{"type", "integer"}, {"minimum", min}, {"maximum", max}};
  }
  static OrderedJson number_json(double min, double max) {
    return {{"type", "number"}, {"minimum", min}, {"maximum", max}};
  }
  static OrderedJson list(const OrderedJson& items, int min = 0, int max = 0) {
    OrderedJson json = {{"type", "array"}, {"items", items}};
    if (min > 0) json["minItems"] = min;
    if (max > 0) json["maxItems"] = max;
    return json;
  }

  /// A key without a default is required.
  void add(const Field& field, OrderedJson json, const std::optional<OrderedJson>& fallback) {
    if (!fallback) required_.push_back(field.key);
    if (fallback && field.states_default) json["default"] = *fallback;
    json["description"] = field.description;
    properties_[field.key] = std::move(json);
  }

  std::string_view form_;
  OrderedJson& properties_;
  OrderedJson& required_;
};

OrderedJson inputs_schema(const OpDefinition& row) {
  OrderedJson items = reference("operand");
  if (row.operands.optional_from < row.operands.max) items = {{"oneOf", {items, {{"type", "null"}}}}};
  return {{"type", "array"},
          {"items", items},
          {"minItems", row.operands.min},
          {"maxItems", row.operands.max},
          {"description", row.inputs_description}};
}

OrderedJson form_schema(const OpForm& form) {
  const OpDefinition& row = definition(form.prototype);
  const bool has_list = !row.inputs_description.empty();
  OrderedJson required = {"op", "name", has_list ? "inputs" : "input"};
  OrderedJson properties = {
      {"op", {{"const", form.name}}},
      {"name",
       {{"type", "string"},
        {"minLength", 1},
        {"description", "Name of the layer, in reports and as the beginning of its constants' names."}}}};
  if (has_list) {
    properties["inputs"] = inputs_schema(row);
  } else {
    properties["input"] = reference("tensor_name");
  }
  if (row.has_weights) {
    required.push_back("weights");
    properties["weights"] = reference("weights");
    properties["bias"] = reference("bias");
  }
  if (row.fields != nullptr) {
    Op op = form.prototype;
    FieldSchema schema(form.name, properties, required);
    row.fields(op, schema);
  }
  properties["output"] = reference("output");
  return {{"type", "object"},
          {"description", form.description},
          {"additionalProperties", false},
          {"required", required},
          {"properties", properties}};
}

}  // namespace

nlohmann::ordered_json with_operations(nlohmann::ordered_json schema) {
  OrderedJson& layers = schema["properties"]["layers"]["items"]["oneOf"];
  OrderedJson& definitions = schema["$defs"];
  for (const OrderedJson& known : layers) {
    definitions.erase(known["$ref"].get<std::string>().substr(std::string("#/$defs/").size()));
  }
  layers = OrderedJson::array();
  for (const std::string& name : op_names()) {
    layers.push_back(reference(name));
    definitions[name] = form_schema(*find_form(name));
  }
  return schema;
}

}  // namespace qsim
