#include "sim/compare_schemes/model_bytes.h"

#include <algorithm>
#include <set>

#include "workloads/ops/definition.h"

namespace qsim {
namespace {

constexpr std::int64_t kScaleBytes = 5;
constexpr std::int64_t kZeroPointBytes = 4;
constexpr std::int64_t kPreloadBytes = 4;
constexpr std::size_t kBiasInput = 2;
constexpr std::int32_t kWidestByte = 255;

std::int64_t constant_size(const Tensor& tensor) {
  const std::int64_t elements = element_count(tensor.shape);
  if (tensor.quantization && !tensor.is_float()) return (elements * tensor.quantization->bits + 7) / 8;
  return elements * static_cast<std::int64_t>(element_size_bytes(tensor.type));
}

std::int64_t parameter_size(const Tensor& weights) {
  if (!weights.quantization || weights.is_float()) return 0;
  const Quantization& q = *weights.quantization;
  std::int64_t bytes = kScaleBytes * std::ssize(q.scales) + kPreloadBytes * weights.shape[0];
  const bool is_asymmetric = std::ranges::any_of(q.zero_points, [](std::int32_t z) { return z != 0; });
  if (is_asymmetric)
    bytes += kZeroPointBytes * (q.has_groups() ? std::ssize(q.group_multipliers) : weights.shape[0]);
  const bool is_wide =
      std::ranges::any_of(q.group_multipliers, [](std::int32_t m) { return m > kWidestByte; });
  return bytes + std::ssize(q.group_multipliers) * (is_wide ? 2 : 1);
}

}  // namespace

std::int64_t model_bytes(const Graph& graph) {
  std::set<TensorId> counted;
  std::int64_t bytes = 0;
  for (const Node& node : graph.nodes) {
    const bool has_preloads = definition(node.op).has_weights && graph.tensor(node.inputs[1]).quantization;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const TensorId id = node.inputs[i];
      if (id == kNoTensor || !graph.tensor(id).is_constant() || (has_preloads && i == kBiasInput)) continue;
      if (counted.insert(id).second) bytes += constant_size(graph.tensor(id));
    }
    if (has_preloads) bytes += parameter_size(graph.tensor(node.inputs[1]));
  }
  return bytes;
}

}  // namespace qsim
