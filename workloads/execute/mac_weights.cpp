#include "workloads/execute/mac_weights.h"

#include <utility>

#include "workloads/execute/gather_rows.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

/// Row-major [out_channel][tap][channel], a transposed kernel turned.
std::vector<std::int32_t> natural_weights(const Tensor& tensor, const ConvGeometry& g) {
  const Quantization& q = *tensor.quantization;
  std::vector<std::int32_t> weights;
  visit_element_type(tensor.data->type, [&](auto zero) {
    const auto values = tensor.data->as<decltype(zero)>();
    weights.assign(values.begin(), values.end());
  });
  if (q.has_groups()) {
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] *= q.group_multiplier(static_cast<std::int64_t>(i) / q.group_size);
  }
  return taps_turned(std::move(weights), g, g.group_channels());
}

template <typename T>
std::vector<T> ordered(const std::vector<T>& natural, const ConvGeometry& g, std::int64_t part_channels) {
  std::vector<T> result(natural.size());
  for (std::size_t row = 0; row < natural.size(); row += static_cast<std::size_t>(g.depth())) {
    order_by_parts(natural.data() + row, g.kernel_h * g.kernel_w, g.group_channels(), part_channels,
                   result.data() + row);
  }
  return result;
}

}  // namespace

std::vector<std::int32_t> weights_in_order(const Tensor& weights, const ConvGeometry& g,
                                           std::int64_t part_channels) {
  std::vector<std::int32_t> natural = natural_weights(weights, g);
  return part_channels > 0 ? ordered(natural, g, part_channels) : natural;
}

std::vector<std::int64_t> taps_in_order(const ConvGeometry& g, std::int64_t part_channels) {
  std::vector<std::int64_t> taps;
  for (std::int64_t tap = 0; tap < g.kernel_h * g.kernel_w; ++tap) {
    taps.insert(taps.end(), static_cast<std::size_t>(g.group_channels()), tap);
  }
  return part_channels > 0 ? ordered(taps, g, part_channels) : taps;
}

std::vector<std::int32_t> matrix_weights(const TensorData& operand, std::int64_t matrix, std::int64_t depth,
                                         std::int64_t columns, bool transposed) {
  std::vector<std::int32_t> weights(static_cast<std::size_t>(columns * depth));
  visit_element_type(operand.type, [&](auto zero) {
    const auto* values = operand.as<decltype(zero)>().data() + matrix * depth * columns;
    for (std::int64_t n = 0; n < columns; ++n) {
      for (std::int64_t k = 0; k < depth; ++k) {
        weights[static_cast<std::size_t>(n * depth + k)] =
            std::int32_t{values[transposed ? n * depth + k : k * columns + n]};
      }
    }
  });
  return weights;
}

}  // namespace qsim
