#include "sim/compare_schemes/reference_network.h"

#include <cmath>
#include <utility>

#include "workloads/graph/layout.h"
#include "workloads/graph/liveness.h"

namespace qsim {
namespace {

bool is_quantized(const Tensor& tensor) {
  return tensor.quantization.has_value() && !tensor.is_float();
}

bool have_equal_grids(const Tensor& a, const Tensor& b) {
  if (a.type != b.type || is_quantized(a) != is_quantized(b)) return false;
  if (!is_quantized(a)) return true;
  const Quantization& p = *a.quantization;
  const Quantization& q = *b.quantization;
  return p.bits == q.bits && p.is_signed == q.is_signed && p.scales == q.scales &&
         p.zero_points == q.zero_points;
}

/// Rounds as the graph's semantics do, and overflows nowhere.
MacContext exact_sums(const Graph& graph, const Node& node) {
  MacContext context;
  if (is_float_node(graph, node) || !graph.tensor(node.outputs[0]).quantization ||
      !graph.tensor(node.inputs[0]).quantization)
    return context;  // without sums
  context.accumulator.width_bits = 64;
  context.rounding_profile = automatic_rounding_profile(graph, node);
  return context;
}

}  // namespace

TensorData input_value(const TensorData& value, const Tensor& from, const Tensor& to) {
  if (have_equal_grids(from, to)) return value;
  const std::vector<float> real = real_values(value, from.quantization);
  TensorData data(to.type, value.shape);
  if (!is_quantized(to)) {
    const auto out = data.as<float>();
    std::copy(real.begin(), real.end(), out.begin());
    return data;
  }
  for (std::size_t i = 0; i < real.size(); ++i)
    data.set(static_cast<std::int64_t>(i), quantize_value(real[i], *to.quantization));
  return data;
}

ReferenceNetwork::ReferenceNetwork(const Graph& graph)
    : graph_(graph), last_reader_(last_readers(graph)), executor_(graph) {}

std::vector<std::vector<float>> ReferenceNetwork::run(const std::vector<TensorData>& inputs) {
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) executor_.set_input(graph_.inputs[i], inputs[i]);
  for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
    const Node& node = graph_.nodes[n];
    executor_.run_node(node, exact_sums(graph_, node));
    for (const TensorId id : node.inputs) {
      const bool is_done = id != kNoTensor && last_reader_[static_cast<std::size_t>(id)] == n;
      if (is_done && !graph_.tensor(id).is_constant()) executor_.release(id);
    }
  }
  std::vector<std::vector<float>> outputs;
  for (const TensorId id : graph_.outputs) {
    const Tensor& tensor = graph_.tensor(id);
    outputs.push_back(
        real_values(to_model_layout(executor_.value(id), tensor),
                    is_quantized(tensor) ? tensor.quantization : std::optional<Quantization>{}));
  }
  return outputs;
}

std::vector<std::int64_t> output_sizes(const Graph& graph) {
  std::vector<std::int64_t> sizes;
  for (const TensorId id : graph.outputs) sizes.push_back(element_count(graph.tensor(id).shape));
  return sizes;
}

std::optional<double> sqnr_db(const OutputError& error) {
  if (error.noise == 0.0) return std::nullopt;
  constexpr double kDecibels = 10.0;
  return kDecibels * std::log10(error.signal / error.noise);
}

}  // namespace qsim
