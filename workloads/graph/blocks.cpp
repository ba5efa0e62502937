#include "workloads/graph/blocks.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/error.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/run.h"

namespace qsim {

using namespace arithmetic;

bool has_blocks(const Tensor& tensor) {
  return tensor.quantization && tensor.quantization->block_size > 0;
}

std::int64_t channels_of(const Tensor& tensor) {
  if (tensor.shape.empty()) return 1;
  return has_blocks(tensor) ? mx_channels(tensor.shape.back()) : tensor.shape.back();
}

std::int64_t values_of(const Tensor& tensor) {
  const std::int64_t elements = element_count(tensor.shape);
  return has_blocks(tensor) ? elements / tensor.shape.back() * channels_of(tensor) : elements;
}

bool converts_blocks(const Graph& graph, const Node& node) {
  if (std::holds_alternative<QuantizeOp>(node.op)) return has_blocks(graph.tensor(node.outputs[0]));
  return std::holds_alternative<DequantizeOp>(node.op) && has_blocks(graph.tensor(node.inputs[0]));
}

bool multiplies_blocks(const Graph& graph, const Node& node) {
  return definition(node.op).engine == Engine::mac_array && has_blocks(graph.tensor(node.inputs[0]));
}

void refuse_blocks_in_files(const Graph& graph) {
  const auto found = std::ranges::find_if(graph.tensors, has_blocks);
  if (found == graph.tensors.end()) return;
  throw InputError({graph.source, "tensor \"" + found->name + "\"", "blocks of format=mxint",
                    "a scheme whose tensors a file can hold",
                    "block formats are made when a network is run: write the network without the scheme"});
}

Tensor in_blocks(Tensor tensor) {
  Quantization q;
  q.block_size = kMxBlock;
  tensor.type = ElementType::i8;
  tensor.shape.back() = mx_stored(tensor.shape.back());
  tensor.quantization = std::move(q);
  tensor.data.reset();
  return tensor;
}

void to_blocks(std::span<const float> values, std::int64_t channels, std::span<std::int8_t> stored) {
  const auto finite = [](float value) -> double {
    if (std::isnan(value)) return 0.0;
    constexpr float kLargest = std::numeric_limits<float>::max();
    return std::clamp(value, -kLargest, kLargest);
  };
  std::size_t at = 0;
  const auto length = static_cast<std::size_t>(channels);
  for (std::size_t row = 0; row < values.size(); row += length) {
    for (std::size_t begin = 0; begin < length; begin += kMxBlock) {
      const auto block = values.subspan(row + begin, std::min<std::size_t>(kMxBlock, length - begin));
      double largest = 0.0;
      for (const float value : block) largest = std::max(largest, std::abs(finite(value)));
      const int exponent = largest == 0.0
                               ? -kMxExponentLimit
                               : std::clamp(std::ilogb(largest), -kMxExponentLimit, kMxExponentLimit);
      for (const float value : block) {
        const double m = std::nearbyint(std::ldexp(finite(value), kMxFractionBits - exponent));
        constexpr auto kLimit = static_cast<double>(kMxLargest);
        stored[at++] = static_cast<std::int8_t>(std::clamp(m, -kLimit, kLimit));
      }
      stored[at++] = static_cast<std::int8_t>(exponent);
    }
  }
}

void from_blocks(std::span<const std::int8_t> stored, std::int64_t channels, std::span<float> values) {
  std::size_t at = 0;
  const auto length = static_cast<std::size_t>(channels);
  for (std::size_t row = 0; row < values.size(); row += length) {
    for (std::size_t begin = 0; begin < length; begin += kMxBlock) {
      const std::size_t count = std::min<std::size_t>(kMxBlock, length - begin);
      const int exponent = stored[at + count];
      for (std::size_t i = 0; i < count; ++i)
        values[row + begin + i] =
            static_cast<float>(std::ldexp(static_cast<double>(stored[at + i]), exponent - kMxFractionBits));
      at += count + 1;
    }
  }
}

int block_reference(const Graph& graph, const Node& node, int width_bits) {
  return mx_reference(graph.tensor(node.inputs[1]).quantization->block_range, width_bits);
}

std::vector<std::int64_t> block_preload(const Graph& graph, const Node& node, int reference) {
  std::vector<std::int64_t> preload(static_cast<std::size_t>(graph.tensor(node.inputs[1]).shape[0]));
  if (node.inputs.size() < 3 || node.inputs[2] == kNoTensor) return preload;
  const std::span<const float> bias = graph.tensor(node.inputs[2]).data->as<float>();
  for (std::size_t n = 0; n < preload.size(); ++n) {
    const double units = std::ldexp(static_cast<double>(bias[n]), 2 * kMxFractionBits - reference);
    preload[n] = static_cast<std::int64_t>(std::clamp(std::nearbyint(units), -0x1p62, 0x1p62));
  }
  return preload;
}

MxClamp block_clamp(const Node& node, int reference) {
  const Activation* activation = fused_activation(node.op);
  const RealBounds bounds = bounds_of(activation == nullptr ? Activation::none : *activation);
  const auto limit = [&](float bound) {
    const double units = std::ldexp(static_cast<double>(bound), 2 * kMxFractionBits - reference);
    return static_cast<std::int64_t>(std::clamp(std::nearbyint(units), -0x1p62, 0x1p62));
  };
  return {limit(bounds.low), limit(bounds.high)};
}

}  // namespace qsim
