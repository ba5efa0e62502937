#include "workloads/readers/json/json_layers.h"

#include <algorithm>
#include <set>

#include "workloads/graph/layer_order.h"
#include "workloads/graph/shape_inference.h"
#include "workloads/readers/json/json_quantization.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxLayers = 100'000;

std::string index_path(const std::string& list, std::size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

/// Name of the layer's output: "output": "NAME" or {"name": "NAME", ..}; the layer's own name otherwise.
std::string output_name(const Json& layer, const std::string& layer_name) {
  const auto output = layer.find("output");
  if (output == layer.end()) return layer_name;
  if (output->is_string()) return output->get<std::string>();
  if (output->is_object() && output->contains("name") && (*output)["name"].is_string()) {
    return (*output)["name"].get<std::string>();
  }
  return layer_name;
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::vector<ListedLayer> list_layers(const Json* layers) {
  std::vector<ListedLayer> listed;
  if (layers == nullptr || !layers->is_array() || layers->size() > kMaxLayers) return listed;
  for (std::size_t i = 0; i < layers->size(); ++i) {
    const Json& layer = (*layers)[i];
    listed.push_back({index_path("layers", i), text_of(layer, "name"), text_of(layer, "op")});
  }
  return listed;
}

void LayerReader::read(const Json* layers) {
  if (layers == nullptr || !layers->is_array() || layers->size() > kMaxLayers) {
    problems_.add("layers", layers == nullptr ? "" : std::to_string(layers->size()) + " entries",
                  "a list of at most " + std::to_string(kMaxLayers) + " layers");
    return;
  }
  for (std::size_t i = 0; i < layers->size(); ++i) read_wiring((*layers)[i], index_path("layers", i));
  const std::vector<std::size_t> order = read_order();
  std::vector<bool> readable(layers_.size(), false);
  for (const std::size_t i : order) readable[i] = layers_[i].form != nullptr;
  // What cannot be read (an unknown operation, part of a cycle) still has an output, so that its users are
  // not reported as well.
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    if (!readable[i] && !layer.output.empty()) (void)table_.add(layer.path, layer.output, {}, {});
  }
  for (const std::size_t i : order) {
    if (readable[i]) read_layer(layers_[i]);
  }
}

void LayerReader::read_wiring(const Json& json, const std::string& path) {
  if (!json.is_object()) {
    problems_.add(path, written_value(json), "an object that describes a layer");
    return;
  }
  Layer layer{JsonObject(json, path, problems_), path, {}, {}, {}, {}};
  layer.name = layer.json.string("name");
  const std::string& op = op_names()[layer.json.choice("op", op_names())];
  if (json.contains("op") && json["op"] == op) layer.form = find_form(op);
  layer.output = output_name(json, layer.name);
  const std::size_t index = layers_.size();
  if (layer.form != nullptr) read_input_names(layer);
  if (!layer.output.empty() && !producer_.emplace(layer.output, index).second) {
    problems_.add(path + ".output", in_quotes(layer.output), "a name that no other layer's output has",
                  layers_[producer_[layer.output]].path + " has it");
    layer.output.clear();
  }
  layers_.push_back(std::move(layer));
}

void LayerReader::read_input_names(Layer& layer) {
  const OpDefinition& row = definition(layer.form->prototype);
  if (row.inputs_description.empty()) {
    layer.inputs.push_back(layer.json.string("input"));
    return;
  }
  const Json* list = layer.json.raw("inputs");
  const bool any_number = row.operands.max == kMaxOperands;
  const std::size_t count = row.operands.max;
  if (list == nullptr || !list->is_array() || list->empty() || list->size() > kMaxOperands ||
      (!any_number && list->size() != count)) {
    layer.json.problem("inputs", any_number ? "a list of 1 to 1024 names of tensors"
                                            : "a list of " + std::string(count == 2 ? "two" : "three") +
                                                  ": names of tensors, or descriptions of constants");
    return;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Json& entry = (*list)[i];
    const bool may_be_absent = i >= row.operands.optional_from && entry.is_null();
    if (!entry.is_string() && !entry.is_object() && !may_be_absent) {
      problems_.add(index_path(layer.path + ".inputs", i), written_value(entry),
                    "the name of a tensor, or an object that describes a constant");
    }
    layer.inputs.push_back(entry.is_string() ? entry.get<std::string>() : "");
  }
}

std::vector<std::size_t> LayerReader::read_order() {
  std::vector<std::vector<std::size_t>> needs(layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    std::set<std::size_t> needed;
    for (const std::string& name : layers_[i].inputs) {
      const auto found = producer_.find(name);
      // A layer that takes the name of a graph input is reported for that; its users mean the input.
      if (found != producer_.end() && table_.find(name) == kNoTensor) needed.insert(found->second);
    }
    needs[i].assign(needed.begin(), needed.end());
  }
  const LayerOrder result = order_layers(needs);
  if (!result.cycle.empty()) {
    std::string names;
    for (const std::size_t i : result.cycle) names += in_quotes(layers_[i].name) + " -> ";
    problems_.add(layers_[result.cycle.front()].path + ".input",
                  names + in_quotes(layers_[result.cycle.front()].name),
                  "layers that do not wait for each other", "break the cycle");
  }
  return result.order;
}

std::optional<Shape> LayerReader::shape_of(TensorId id) const {
  return known(id) ? std::optional(graph_.tensor(id).shape) : std::nullopt;
}

std::vector<TensorId> LayerReader::read_inputs(Layer& layer) {
  std::vector<TensorId> ids;
  const bool list = !definition(layer.form->prototype).inputs_description.empty();
  for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
    const std::string path = list ? index_path(layer.path + ".inputs", i) : layer.path + ".input";
    const std::string& name = layer.inputs[i];
    if (list && layer.json.json()["inputs"][i].is_object()) {
      ids.push_back(read_constant(layer, layer.json.json()["inputs"][i], path,
                                  layer.name + ".input" + std::to_string(i)));
      continue;
    }
    ids.push_back(table_.find(name));
    if (ids.back() == kNoTensor && !name.empty()) {
      problems_.add(path, in_quotes(name), "a graph input, a constant or the output of a layer",
                    problems_.is_full() ? "" : nearest_hint(name, table_.names()));
    }
  }
  return ids;
}

void LayerReader::read_layer(Layer& layer) {
  Node node;
  node.name = layer.name;
  node.place = layer.path;
  node.inputs = read_inputs(layer);
  const bool has_weights = definition(layer.form->prototype).has_weights;
  if (has_weights) {
    read_weights(layer, node);
    read_bias(layer, node);
  }
  const TensorId x = node.inputs.empty() ? kNoTensor : node.inputs[0];
  const bool is_float = x != kNoTensor && graph_.tensor(x).is_float();
  const bool quantized = x != kNoTensor && graph_.tensor(x).quantization;
  const std::int32_t zero_point = quantized ? graph_.tensor(x).quantization->zero_point() : 0;
  const std::optional<Shape> weights = has_weights ? shape_of(node.inputs[1]) : std::nullopt;
  ReadOp op = read_op(*layer.form, layer.json, shape_of(x), weights,
                      is_float ? std::nullopt : std::optional(zero_point));
  node.op = std::move(op.op);
  add_output(layer, node, op.shape);
  layer.json.finish();
  graph_.nodes.push_back(std::move(node));
}

void LayerReader::add_output(Layer& layer, Node& node, const std::optional<Shape>& attribute_shape) {
  static const Json kNothing = Json::object();
  const Json* output = layer.json.raw("output");
  const std::string path = layer.path + ".output";
  if (output != nullptr && output->is_string()) output = nullptr;
  JsonObject description(output == nullptr ? kNothing : *output, path, problems_);
  (void)description.string("name", "");
  std::optional<Shape> declared = description.has("shape") ? read_shape(description) : std::nullopt;

  std::vector<Shape> shapes;
  const std::size_t operands =
      std::min(shape_operands(definition(node.op), node.inputs.size()), node.inputs.size());
  bool all_known = operands > 0;
  for (std::size_t i = 0; i < operands; ++i) {
    all_known = all_known && known(node.inputs[i]);
    if (all_known) shapes.push_back(graph_.tensor(node.inputs[i]).shape);
  }
  std::optional<Shape> shape;
  if (all_known) {
    const InferredShape inferred =
        infer_output_shape(node.op, shapes, attribute_shape ? attribute_shape : declared);
    if (!inferred.ok()) {
      problems_.add(layer.path, "input " + to_string(shapes[0]), inferred.problem);
    } else {
      shape = inferred.shape;
      if (declared && *declared != *shape) {
        description.problem("shape", "[" + to_string(*shape) + "], as the layer computes it",
                            "leave it out, or mend the layer");
      }
    }
  }
  std::optional<Quantization> quantization = read_output_quantization(layer, node, description, shape);
  std::vector<int> model_axes = read_model_axes(description);
  description.finish();
  if (layer.output.empty()) return;
  const TensorId id = table_.add(path, layer.output, shape, std::move(quantization));
  graph_.tensor(id).model_axes = std::move(model_axes);
  node.outputs.push_back(id);
}

std::optional<Quantization> LayerReader::read_output_quantization(Layer& layer, const Node& node,
                                                                  JsonObject& description,
                                                                  const std::optional<Shape>& shape) {
  const bool overrides = description.boolean("override", false);
  if (definition(node.op).makes == OutputType::reals) return std::nullopt;
  const auto* dynamic = std::get_if<DynamicQuantizeOp>(&node.op);
  const std::optional<Quantization> stored =
      dynamic != nullptr ? dynamic_result_quantization(dynamic->result) : std::nullopt;
  const TensorId x = node.inputs.empty() ? kNoTensor : node.inputs[0];
  const bool takes_floats = known(x) && !graph_.tensor(x).quantization && graph_.tensor(x).is_float();
  if (takes_floats && definition(node.op).makes != OutputType::integers && !stored) return std::nullopt;
  std::optional<Quantization> input;
  if (!node.inputs.empty() && node.inputs[0] != kNoTensor) input = graph_.tensor(node.inputs[0]).quantization;
  std::optional<Quantization> required = stored;  // The only one there can be.
  const OutputGrid grid = output_grid(node.op, graph_.semantics);
  if (input && grid == OutputGrid::kept) required = input;
  if (input && !required) required = fixed_output_quantization(node.op, graph_.semantics, *input);
  std::optional<Quantization> fallback = required;
  const bool follows = grid == OutputGrid::follows || grid == OutputGrid::copied;
  if (!fallback && follows) fallback = input;
  const bool input_failed = !input && !node.inputs.empty() && !known(node.inputs[0]);
  if (input_failed && !fallback) fallback = Quantization{};
  Quantization q = read_quantization(description, QuantizationUse::activation, shape, fallback);
  const bool equal = !required || overrides ||
                     (q.bits == required->bits && q.is_signed == required->is_signed &&
                      q.scale() == required->scale() && q.zero_point() == required->zero_point());
  if (!equal) {
    problems_.add(layer.path + ".output", written_value(description.json()),
                  "no quantization, or " + std::to_string(required->bits) + " bits, scale " +
                      Json(required->scale()).dump() + ", zero_point " +
                      std::to_string(required->zero_point()),
                  grid == OutputGrid::kept
                      ? "this operation keeps its input's integers; put a \"quantize\" layer after it"
                      : "\"tflite\" semantics fixes it; \"override\": true where the model says otherwise");
  }
  return q;
}

}  // namespace qsim
