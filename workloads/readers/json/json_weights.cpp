// Constants of the layers of a workload file: weights, biases and constant operands.
#include "workloads/readers/json/json_layers.h"
#include "workloads/readers/json/json_quantization.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t reduction_depth(const Shape& weights) {
  return element_count(weights) / weights[0];
}

}  // namespace

TensorId read_constant_tensor(Graph& graph, TensorTable& table, ConstantSources& constants, const Json& json,
                              const std::string& path, const std::string& default_name,
                              ProblemList& problems) {
  JsonObject description(json, path, problems);
  if (!json.is_object()) return kNoTensor;
  const std::string name =
      default_name.empty() ? description.string("name") : description.string("name", default_name);
  const std::optional<Shape> shape = read_shape(description);
  const bool is_float = description.choice("type", {"integer", "float32"}, "integer") == 1;
  std::optional<Quantization> q;
  if (!is_float) q = read_quantization(description, QuantizationUse::weights, shape);
  const TensorId id = table.add(path, name, shape, q);
  if (shape) {
    constants.add(graph, id, description, path, q ? default_weight_deviation_256ths(q->format()) : 0);
  }
  if (!shape) {
    for (const char* key : {"values", "generator", "mean", "deviation", "low", "high"})
      (void)description.raw(key);
  }
  description.finish();
  return id;
}

TensorId LayerReader::read_constant(Layer& /*layer*/, const Json& description, const std::string& path,
                                    const std::string& default_name) {
  return read_constant_tensor(graph_, table_, constants_, description, path, default_name, problems_);
}

TensorId LayerReader::find_constant(Layer& layer, const std::string& key, const std::string& name) {
  const TensorId id = table_.find(name);
  if (id == kNoTensor) {
    layer.json.problem(key, "a description, or the name of one of \"constants\"",
                       problems_.is_full() ? "" : nearest_hint(name, table_.names()));
  }
  return id;
}

void LayerReader::read_weights(Layer& layer, Node& node) {
  const Json* weights = layer.json.raw("weights");
  TensorId id = kNoTensor;
  if (weights != nullptr && weights->is_string()) {
    id = find_constant(layer, "weights", weights->get<std::string>());
  } else if (weights != nullptr && weights->is_object()) {
    id = read_constant(layer, *weights, layer.path + ".weights", layer.name + ".weights");
  } else {
    layer.json.problem("weights", R"(an object such as {"shape": [16, 3, 3, 3], "scale": 0.01})");
  }
  node.inputs.push_back(id);
}

void LayerReader::read_bias(Layer& layer, Node& node) {
  const Json* bias = layer.json.raw("bias");
  const TensorId weights = node.inputs[1];
  node.inputs.push_back(kNoTensor);
  if (bias == nullptr || *bias == false) return;
  if (bias->is_string()) {
    node.inputs[2] = find_constant(layer, "bias", bias->get<std::string>());
    return;
  }
  if (*bias != true && !bias->is_object()) {
    layer.json.problem("bias",
                       "true, false, the name of a constant, or an object such as {\"values\": [1, 2]}");
    return;
  }
  const std::optional<Shape> weight_shape = shape_of(weights);
  const TensorId x = node.inputs[0];
  if (!weight_shape || x == kNoTensor) return;  // Reported before.
  const std::string path = layer.path + ".bias";
  static const Json kNothing = Json::object();
  JsonObject description(bias->is_object() ? *bias : kNothing, path, problems_);
  const std::string name = description.string("name", layer.name + ".bias");
  const auto& w = graph_.tensor(weights).quantization;
  const auto& x_quantization = graph_.tensor(x).quantization;
  const std::int64_t deviation =
      w && x_quantization
          ? default_bias_deviation_256ths(w->bits, x_quantization->bits, reduction_depth(*weight_shape))
          : 0;
  BiasType type = read_bias_type(description, graph_.tensor(x), graph_.tensor(weights));
  const TensorId id = table_.add(path, name, Shape{(*weight_shape)[0]}, std::move(type.quantization));
  graph_.tensor(id).type = type.type;
  constants_.add(graph_, id, description, path, deviation);
  description.finish();
  node.inputs[2] = id;
}

}  // namespace qsim
