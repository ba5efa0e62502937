// Constants of the layers of a workload file: weights, biases and constant operands.
#include <algorithm>

#include "workloads/graph_check.h"
#include "workloads/json_layers.h"
#include "workloads/json_quantization.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t reduction_depth(const Shape& weights) {
  return element_count(weights) / weights[0];
}

/// s_b[n] = s_x * s_w[n], 32 bits, zero point 0 (white paper, section 2.1).
Quantization bias_quantization(const Quantization& x, const Quantization& w) {
  Quantization q;
  q.bits = 32;
  q.axis = w.scales.size() > 1 ? 0 : -1;
  q.scales.clear();
  // Nothing is computed with it; a product out of range is validate()'s to report at the tensors themselves.
  for (const float scale : w.scales) q.scales.push_back(std::clamp(x.scale() * scale, kMinScale, kMaxScale));
  q.zero_points.assign(q.scales.size(), 0);
  return q;
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
  Quantization q = read_quantization(description, QuantizationUse::weights, shape);
  const TensorId id = table.add(path, name, shape, q);
  if (shape) constants.add(graph, id, description, path, default_weight_deviation_256ths(q.format()));
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

void LayerReader::read_weights(Layer& layer, Node& node) {
  const Json* weights = layer.json.raw("weights");
  TensorId id = kNoTensor;
  if (weights != nullptr && weights->is_string()) {
    id = table_.find(weights->get<std::string>());
    if (id == kNoTensor) {
      layer.json.problem(
          "weights", "a description, or the name of one of \"constants\"",
          problems_.is_full() ? "" : nearest_hint(weights->get<std::string>(), table_.names()));
    }
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
  if (*bias != true && !bias->is_object()) {
    layer.json.problem("bias", "true, false, or an object such as {\"values\": [1, 2]}");
    return;
  }
  const std::optional<Shape> weight_shape = shape_of(weights);
  const TensorId x = node.inputs[0];
  const std::optional<Quantization> x_quantization =
      x == kNoTensor ? std::nullopt : graph_.tensor(x).quantization;
  if (!weight_shape || !x_quantization) return;  // Reported before, or reported by validate().
  const std::string path = layer.path + ".bias";
  static const Json kNothing = Json::object();
  JsonObject description(bias->is_object() ? *bias : kNothing, path, problems_);
  const std::string name = description.string("name", layer.name + ".bias");
  const Quantization& w = *graph_.tensor(weights).quantization;
  const std::int64_t deviation =
      default_bias_deviation_256ths(w.bits, x_quantization->bits, reduction_depth(*weight_shape));
  const TensorId id =
      table_.add(path, name, Shape{(*weight_shape)[0]}, bias_quantization(*x_quantization, w));
  constants_.add(graph_, id, description, path, deviation);
  description.finish();
  node.inputs[2] = id;
}

}  // namespace qsim
