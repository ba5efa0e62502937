#include "sim/compare/mac_sums.h"

#include <algorithm>

#include "workloads/execute/execute_nodes.h"
#include "workloads/execute/gather_rows.h"

namespace qsim {
namespace {

/// Weights of one output channel in reduction order; a transposed convolution's kernel is turned. Those of
/// groups are m_g * (w - z_g).
std::vector<std::int64_t> channel_weights(const Tensor& weights, const ConvGeometry& g, std::int64_t channel,
                                          bool turned) {
  const Quantization& q = *weights.quantization;
  const std::int64_t taps = g.kernel_h * g.kernel_w;
  std::vector<std::int64_t> values;
  values.reserve(static_cast<std::size_t>(g.depth()));
  for (std::int64_t t = 0; t < taps; ++t) {
    const std::int64_t tap = turned ? taps - 1 - t : t;
    for (std::int64_t c = 0; c < g.group_channels(); ++c) {
      const std::int64_t e = (channel * taps + tap) * g.group_channels() + c;
      const std::int64_t w = weights.data->at(e);
      values.push_back(q.has_groups()
                           ? q.group_multiplier(e / q.group_size) * (w - q.group_zero_point(e / q.group_size))
                           : w);
    }
  }
  return values;
}

struct Operand {
  std::int64_t zero_point = 0;
  std::int64_t offset = 0;  ///< Added to make stored integers unsigned.
};

/// sum_k (x_k - z_x)(w_k - z_w)
std::int64_t exact_sum(const std::vector<std::int64_t>& x, const std::vector<std::int64_t>& w,
                       std::int64_t x_zero_point, std::int64_t w_zero_point) {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < w.size(); ++k) sum += (x[k] - x_zero_point) * (w[k] - w_zero_point);
  return sum;
}

/// With u = x + offset, z_u = z_x + offset:
///   sum_j sat16(u[2j] * w[2j] + u[2j+1] * w[2j+1]) - z_u * sum_k w - z_w * sum_k u + K * z_u * z_w
std::int64_t saturated_sum(const std::vector<std::int64_t>& x, const std::vector<std::int64_t>& w,
                           const Operand& input, std::int64_t w_zero_point) {
  std::int64_t pairs = 0, sum_w = 0, sum_u = 0;
  for (std::size_t k = 0; k < w.size(); k += 2) {
    std::int64_t pair = 0;
    for (std::size_t i = k; i < std::min(k + 2, w.size()); ++i) {
      const std::int64_t u = x[i] + input.offset;
      pair += u * w[i];
      sum_w += w[i];
      sum_u += u;
    }
    pairs += std::clamp<std::int64_t>(pair, -32768, 32767);
  }
  const std::int64_t z_u = input.zero_point + input.offset;
  return pairs - z_u * sum_w - w_zero_point * sum_u +
         static_cast<std::int64_t>(w.size()) * z_u * w_zero_point;
}

}  // namespace

bool has_saturated_pairs(const Graph& graph, const Node& node) {
  const Quantization& x = *graph.tensor(node.inputs[0]).quantization;
  const Quantization& w = *graph.tensor(node.inputs[1]).quantization;
  return x.bits <= 8 && w.bits <= 8 && w.is_signed && !w.has_groups();
}

std::vector<std::int64_t> mac_sums(const Graph& graph, const Node& node, const TensorData& x, PairSum pairs) {
  const ConvGeometry g = conv_geometry(graph, node);
  const Quantization& x_quantization = *graph.tensor(node.inputs[0]).quantization;
  const Tensor& weights = graph.tensor(node.inputs[1]);
  const Operand input{x_quantization.zero_point(), x_quantization.is_signed ? 128 : 0};
  const bool turned = g.is_turned;
  std::vector<std::vector<std::int64_t>> w;
  for (std::int64_t n = 0; n < g.out_channels; ++n) w.push_back(channel_weights(weights, g, n, turned));

  std::vector<std::int64_t> sums(static_cast<std::size_t>(g.rows() * g.out_channels));
  std::vector<std::int64_t> row(static_cast<std::size_t>(g.depth()));
  visit_element_type(x.type, [&](auto zero) {
    using In = decltype(zero);
    for (std::int64_t group = 0; group < g.groups; ++group) {
      const TapSource<In> source{g, x.as<In>().data(), group, x_quantization.zero_point()};
      for (std::int64_t r = 0; r < g.rows(); ++r) {
        gather_rows(source, r, 1, row.data(), g.depth());
        for (std::int64_t n = group * g.group_outputs(); n < (group + 1) * g.group_outputs(); ++n) {
          const std::int64_t z_w =
              weights.quantization->has_groups() ? 0 : weights.quantization->zero_point(n);
          const std::vector<std::int64_t>& channel = w[static_cast<std::size_t>(n)];
          sums[static_cast<std::size_t>(r * g.out_channels + n)] =
              pairs == PairSum::exact ? exact_sum(row, channel, input.zero_point, z_w)
                                      : saturated_sum(row, channel, input, z_w);
        }
      }
    }
  });
  return sums;
}

std::int64_t bias_of(const Graph& graph, const Node& node, std::int64_t channel) {
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor;
  return has_bias ? graph.tensor(node.inputs[2]).data->at(channel) : 0;
}

}  // namespace qsim
