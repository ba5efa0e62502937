#include "quantization/requantize_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "base/error.h"
#include "quantization/method.h"
#include "quantization/quantize_graph.h"
#include "quantization/quantize_weights.h"
#include "quantization/weight_groups.h"
#include "workloads/graph/bit_width.h"
#include "workloads/graph/requantize_tensor.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

/// b s_x s_w
Tensor real_bias(const Tensor& bias, float input_scale, const Quantization& weights) {
  Tensor result = bias;
  result.type = ElementType::f32;
  result.quantization.reset();
  TensorData data(ElementType::f32, bias.data->shape);
  for (std::int64_t n = 0; n < bias.data->size(); ++n) {
    data.as<float>()[static_cast<std::size_t>(n)] =
        static_cast<float>(static_cast<double>(bias.data->at(n)) * static_cast<double>(input_scale) *
                           static_cast<double>(weights.scale(n)));
  }
  result.data = std::move(data);
  return result;
}

class GraphRequantizer {
 public:
  GraphRequantizer(Graph& graph, const Scheme& scheme, const RangeRule& ranges)
      : graph_(graph), scheme_(scheme), ranges_(ranges) {}

  void run() {
    requantize_activations();
    for (const Node& node : graph_.nodes) {
      const bool is_quantized = definition(node.op).has_weights &&
                                graph_.tensor(node.inputs[1]).quantization &&
                                graph_.tensor(node.inputs[0]).quantization;
      if (is_quantized) requantize_layer(node);
    }
    if (scheme_.is_power_of_two()) graph_.rounding_profile = arithmetic::RoundingProfile::power_of_two;
    describe();
  }

 private:
  void requantize_activations() {
    BitWidthOptions options;
    options.all.activations = scheme_.activations.bits;
    for (const auto& [name, layer] : scheme_.layers) {
      if (layer.activation_bits) options.nodes[name].activations = layer.activation_bits;
    }
    options.nodes_file = scheme_.source;
    options.grid = [this](const Quantization& from, int bits) {
      ActivationScheme scheme = scheme_.activations;
      scheme.bits = bits;
      return regrid(from, scheme, graph_.semantics, scheme_.is_power_of_two());
    };
    apply_bit_widths(graph_, options);
  }

  void requantize_layer(const Node& node) {
    const TensorId id = node.inputs[1];
    const WeightScheme wanted = scheme_.weights_of(node.name);
    const auto [user, is_first] = done_.emplace(id, std::pair(&node, wanted));
    if (!is_first) {
      if (user->second.second != wanted) refuse_shared(node, *user->second.first, "weights");
      return;
    }
    const Tensor old = graph_.tensor(id);
    const float input_scale = graph_.tensor(node.inputs[0]).quantization->scale();
    const WeightFormat format{wanted, ranges_, scheme_.is_power_of_two()};
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor;
    std::optional<Tensor> bias;
    if (has_bias) bias = real_bias(graph_.tensor(node.inputs[2]), input_scale, *old.quantization);
    group_scale_error_ = std::max(group_scale_error_, old.quantization->group_scale_error);
    graph_.tensor(id) =
        quantize_weights(dequantized_weights(old), bias ? &*bias : nullptr, input_scale, format);
    ++layers_;
    if (has_bias) rescale(node, *old.quantization, *graph_.tensor(id).quantization);
  }

  void rescale(const Node& node, const Quantization& before, const Quantization& after) {
    const auto [user, is_first] = biases_.emplace(node.inputs[2], &node);
    if (!is_first) refuse_shared(node, *user->second, "a bias");
    std::vector<double> ratios;
    for (std::int64_t n = 0; n < graph_.tensor(node.inputs[1]).shape[0]; ++n) {
      ratios.push_back(static_cast<double>(before.scale(n)) / static_cast<double>(after.scale(n)));
    }
    rescale_bias(graph_.tensor(node.inputs[2]), ratios);
  }

  [[noreturn]] void refuse_shared(const Node& node, const Node& user, const std::string& what) const {
    throw InputError({graph_.source, node.name, what + " that node \"" + user.name + "\" uses too",
                      what + " of its own", "what nodes share has one scheme"});
  }

  void describe() {
    std::string text =
        "weights requantized from their integers, w = s (q - z): " + weight_text(scheme_.weights) + " (" +
        std::to_string(layers_) + (layers_ == 1 ? " layer); " : " layers); ");
    const ActivationScheme& activations = scheme_.activations;
    if (activations.is_symmetric) text += *activations.is_symmetric ? "symmetric " : "asymmetric ";
    if (activations.is_signed) text += *activations.is_signed ? "signed " : "unsigned ";
    if (activations.is_symmetric || activations.is_signed) text += "activations; ";
    if (scheme_.is_power_of_two()) text += "power-of-two scales, the better of two by squared error; ";
    if (!scheme_.layers.empty()) text += "single nodes as " + scheme_.source + " says; ";
    text += text_of(ranges_);
    if (group_scale_error_ > 0.0) {
      text +=
          fmt::format("; scales of groups had been approximated by integer multiples, by {:.2g} % at most",
                      100.0 * group_scale_error_);
    }
    graph_.provenance.push_back(text + "; biases rescaled to s_x*s'");
    if (const std::string groups = group_note(graph_, scheme_); !groups.empty()) {
      graph_.provenance.push_back(groups);
    }
  }

  Graph& graph_;
  const Scheme& scheme_;
  RangeRule ranges_;
  std::map<TensorId, std::pair<const Node*, WeightScheme>> done_;
  std::map<TensorId, const Node*> biases_;
  double group_scale_error_ = 0.0;  ///< Of the weights as they were.
  int layers_ = 0;
};

}  // namespace

Quantization regrid(const Quantization& from, const ActivationScheme& scheme, Semantics semantics,
                    bool is_power_of_two) {
  const arithmetic::IntegerFormat old = from.format();
  const auto real = [&](std::int64_t q) { return from.scale() * static_cast<float>(q - from.zero_point()); };
  const Range range{real(old.min()), real(old.max())};
  ActivationScheme open = scheme;
  if (!open.is_signed && scheme.bits > 1) open.is_signed = from.is_signed;
  const bool was_symmetric = from.zero_point() == 0;
  if (!open.is_symmetric && was_symmetric) open.is_symmetric = true;
  const ActivationFormat format = activation_format(open, semantics, range, is_power_of_two);
  const bool same = format.bits == from.bits && format.is_signed == from.is_signed &&
                    (!scheme.is_symmetric || format.is_symmetric == was_symmetric);
  if (same && !is_power_of_two) return from;
  if (!is_power_of_two) return format.float_scale(range);
  const Quantization grid = same ? from : format.float_scale(range);
  const auto error = [&](const Quantization& candidate) {
    double sum = 0.0;
    for (std::int64_t q = old.min(); q <= old.max(); ++q) {
      sum += squared_error(static_cast<double>(real(q)), candidate);
    }
    return sum;
  };
  const std::vector<Quantization> grids = power_of_two_grids(grid, range, format.is_symmetric);
  return *std::min_element(grids.begin(), grids.end(),
                           [&](const Quantization& a, const Quantization& b) { return error(a) < error(b); });
}

void requantize_graph(Graph& graph, const Scheme& scheme, const RangeRule& ranges) {
  check_scheme(graph, scheme);
  GraphRequantizer(graph, scheme, ranges).run();
}

}  // namespace qsim
