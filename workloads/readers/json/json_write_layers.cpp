// Inputs, constants, layers and their outputs.
#include <algorithm>

#include "base/error.h"
#include "workloads/graph/shape_inference.h"
#include "workloads/readers/json/json_ops.h"
#include "workloads/readers/json/json_quantization.h"
#include "workloads/readers/json/json_write_parts.h"

namespace qsim {
namespace {

template <typename Number, typename ToJson>
OrderedJson list_or_number(const std::vector<Number>& numbers, ToJson to_json) {
  if (numbers.size() == 1) return to_json(numbers[0]);
  OrderedJson list = OrderedJson::array();
  for (const Number number : numbers) list.push_back(to_json(number));
  return list;
}

OrderedJson scale_json(const std::vector<float>& scales) {
  return list_or_number(scales, float_json);
}

OrderedJson zero_point_json(const std::vector<std::int32_t>& zero_points) {
  const bool all_zero =
      std::all_of(zero_points.begin(), zero_points.end(), [](std::int32_t z) { return z == 0; });
  if (all_zero) return 0;
  return list_or_number(zero_points, [](std::int32_t z) { return OrderedJson(z); });
}

/// bits, signed, scale, zero_point, axis; without quantization the element type.
void add_quantization(OrderedJson& json, const Tensor& tensor) {
  if (!tensor.quantization) {
    if (tensor.is_float()) json["type"] = "float32";
    if (tensor.type == ElementType::i32) json["type"] = "int32";
    if (tensor.type == ElementType::i64) json["type"] = "int64";
    return;
  }
  const Quantization& q = *tensor.quantization;
  if (q.bits != 8) json["bits"] = q.bits;
  if (!q.is_signed) json["signed"] = false;
  json["scale"] = scale_json(q.scales);
  const OrderedJson zero_point = zero_point_json(q.zero_points);
  if (zero_point != 0) json["zero_point"] = zero_point;
  if (q.axis >= 0) json["axis"] = q.axis;
  if (!q.has_groups()) return;
  json["group_size"] = q.group_size;
  json["group_multipliers"] = q.group_multipliers;
  if (q.group_scale_error > 0.0) json["group_scale_error"] = q.group_scale_error;
}

bool same_quantization(const std::optional<Quantization>& a, const std::optional<Quantization>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->bits == b->bits && a->is_signed == b->is_signed && a->scales == b->scales &&
         a->zero_points == b->zero_points && a->group_size == b->group_size &&
         a->group_multipliers == b->group_multipliers;
}

/// Inputs that the operation's weights and bias are not.
std::vector<TensorId> data_inputs(const Node& node) {
  return definition(node.op).has_weights ? std::vector<TensorId>{node.inputs[0]} : node.inputs;
}

}  // namespace

OrderedJson LayerWriter::input(TensorId id) const {
  const Tensor& tensor = graph_.tensor(id);
  OrderedJson json = {{"name", tensor.name}, {"shape", tensor.shape}};
  add_quantization(json, tensor);
  if (!tensor.model_axes.empty()) json["model_axes"] = tensor.model_axes;
  if (!tensor.required_value) return json;
  OrderedJson values = OrderedJson::array();
  for (std::int64_t i = 0; i < tensor.required_value->size(); ++i)
    values.push_back(tensor.required_value->at(i));
  json["required_value"] = std::move(values);
  return json;
}

void LayerWriter::keep(TensorId id) {
  const Tensor& tensor = graph_.tensor(id);
  described_.insert(id);
  constants_.push_back({tensor.name, *tensor.data});
}

OrderedJson LayerWriter::constant(TensorId id, const std::string& default_name) {
  const Tensor& tensor = graph_.tensor(id);
  OrderedJson json = OrderedJson::object();
  if (tensor.name != default_name) json["name"] = tensor.name;
  json["shape"] = tensor.shape;
  add_quantization(json, tensor);
  keep(id);
  return json;
}

OrderedJson LayerWriter::operand(TensorId id, const std::string& default_name) {
  const Tensor& tensor = graph_.tensor(id);
  return tensor.is_constant() && !is_described(id) ? constant(id, default_name) : OrderedJson(tensor.name);
}

std::vector<OrderedJson> LayerWriter::shared_constants() {
  std::vector<OrderedJson> list;
  const auto add = [&](TensorId id) {
    if (id == kNoTensor || !graph_.tensor(id).is_constant() || is_described(id)) return;
    list.push_back(constant(id, ""));
  };
  for (const Node& node : graph_.nodes) {
    if (definition(node.op).inputs_description.empty()) {
      for (const TensorId id : data_inputs(node)) add(id);
    }
  }
  for (const TensorId id : graph_.outputs) add(id);
  return list;
}

/// true, where the reader's own name, width and scale are meant; else what differs.
OrderedJson LayerWriter::bias(const Node& node) {
  const TensorId id = node.inputs[2];
  const Tensor& tensor = graph_.tensor(id);
  if (is_described(id)) return tensor.name;
  OrderedJson json = OrderedJson::object();
  if (tensor.name != node.name + ".bias") json["name"] = tensor.name;
  if (tensor.type == ElementType::i64) json["bits"] = 64;
  if (!tensor.is_float()) {
    const std::optional<Quantization> derived =
        bias_quantization(graph_.tensor(node.inputs[0]), graph_.tensor(node.inputs[1]), tensor.type);
    if (!tensor.quantization) {
      json["scale"] = nullptr;
    } else if (!same_quantization(tensor.quantization, derived)) {
      json["scale"] = scale_json(tensor.quantization->scales);
    }
  }
  TensorData values = *tensor.data;
  values.shape = {values.size()};
  described_.insert(id);
  constants_.push_back({tensor.name, std::move(values)});
  return json.empty() ? OrderedJson(true) : json;
}

OrderedJson LayerWriter::output(const Node& node, bool decides_shape) const {
  const Tensor& tensor = graph_.tensor(node.outputs[0]);
  OrderedJson json = OrderedJson::object();
  if (tensor.name != node.name) json["name"] = tensor.name;
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < shape_operands(definition(node.op), node.inputs.size()); ++i)
    shapes.push_back(graph_.tensor(node.inputs[i]).shape);
  if (!decides_shape) {
    const InferredShape inferred = infer_output_shape(node.op, shapes, std::nullopt);
    if (!inferred.ok() || inferred.shape != tensor.shape) json["shape"] = tensor.shape;
  }
  if (!tensor.model_axes.empty()) json["model_axes"] = tensor.model_axes;
  const std::optional<Quantization>& input = graph_.tensor(node.inputs[0]).quantization;
  std::optional<Quantization> decided;
  if (input && output_grid(node.op, graph_.semantics) == OutputGrid::kept) decided = input;
  if (input && !decided) decided = fixed_output_quantization(node.op, graph_.semantics, *input);
  if (tensor.quantization && !same_quantization(tensor.quantization, decided)) {
    add_quantization(json, tensor);
    json.erase("axis");
    if (decided) json["override"] = true;
  }
  return json;
}

OrderedJson LayerWriter::layer(const Node& node) {
  const WrittenOp op = write_op(graph_, node);
  const OpDefinition& row = definition(node.op);
  OrderedJson json = {{"op", op.json["op"]}, {"name", node.name}};
  if (!row.inputs_description.empty()) {
    json["inputs"] = OrderedJson::array();
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool is_absent = node.inputs[i] == kNoTensor;
      json["inputs"].push_back(is_absent ? OrderedJson(nullptr)
                                         : operand(node.inputs[i], node.name + ".input" + std::to_string(i)));
    }
  } else {
    json["input"] = graph_.tensor(node.inputs[0]).name;
  }
  if (row.has_weights) {
    json["weights"] = operand(node.inputs[1], node.name + ".weights");
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor;
    if (has_bias) json["bias"] = bias(node);
  }
  json.update(op.json);
  const OrderedJson described_output = output(node, op.decides_shape);
  if (!described_output.empty()) json["output"] = described_output;
  return json;
}

}  // namespace qsim
