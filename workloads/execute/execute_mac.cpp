// Nodes on the MAC array as matrix products, and the output stage behind every accumulator.
#include <algorithm>
#include <numeric>
#include <type_traits>
#include <utility>

#include "workloads/execute/execute_nodes.h"
#include "workloads/execute/gather_rows.h"
#include "workloads/execute/mac_weights.h"

namespace qsim {
namespace {

using namespace arithmetic;

/// That of weights times multipliers: of 32 bits where 16 are not enough.
IntegerFormat multiplied_format(const Quantization& q, const std::vector<std::int32_t>& weights) {
  if (!q.has_groups()) return q.format();
  const auto [low, high] = std::minmax_element(weights.begin(), weights.end());
  const int bits = signed_bits(*low, *high);
  return {bits <= 16 ? std::max(2, bits) : 32, true};
}

/// z_w of each output channel; with groups m_g * z_w of each group. Nothing where all are 0.
std::vector<std::int64_t> correction_factors(const Quantization& q, const ConvGeometry& g) {
  if (std::all_of(q.zero_points.begin(), q.zero_points.end(), [](std::int32_t z) { return z == 0; }))
    return {};
  std::vector<std::int64_t> factors;
  const auto count = q.has_groups() ? static_cast<std::int64_t>(q.group_multipliers.size()) : g.out_channels;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t factor = q.has_groups() ? q.group_multiplier(i) : 1;
    factors.push_back(factor * (q.has_groups() ? q.group_zero_point(i) : q.zero_point(i)));
  }
  if (!q.has_groups()) return factors;
  return taps_turned(std::move(factors), g, g.group_channels() / q.group_size);
}

/// [out_channel][tap] to [tap][out_channel]
DepthwiseWeights depthwise_weights(const std::vector<std::int32_t>& weights, const ConvGeometry& g) {
  const auto taps = static_cast<std::size_t>(g.kernel_h * g.kernel_w);
  const auto channels = static_cast<std::size_t>(g.out_channels);
  std::vector<std::int32_t> turned(weights.size());
  for (std::size_t n = 0; n < channels; ++n) {
    for (std::size_t t = 0; t < taps; ++t) turned[t * channels + n] = weights[n * taps + t];
  }
  return {turned, g.kernel_h * g.kernel_w, g.out_channels};
}

/// The depthwise kernel works on int16, which holds all but unsigned 16-bit operands.
bool fits_int16(const Quantization& q) {
  return q.is_signed || q.bits < 16;
}

GemmOptions gemm_options(const MacRun& run) {
  GemmOptions options;
  options.activation_format = run.input_quantization().format();
  options.accumulator = run.context.accumulator;
  options.chunk_ends = run.context.chunk_ends;
  options.threads = run.threads;
  return options;
}

/// The matrix product of one group of channels.
template <typename In>
class GroupRun {
 public:
  GroupRun(const MacRun& run, std::int64_t group, const OutputStage& stage)
      : run_(run),
        g_(run.prepared.geometry),
        stage_(stage),
        source_{g_, run.input.as<In>().data(), group, run.input_quantization().zero_point()},
        first_channel_(group * g_.group_outputs()),
        row_sums_(run.prepared.weight_zero_points.empty()
                      ? 0
                      : static_cast<std::size_t>(g_.rows() * run.prepared.sums_a_row)) {}

  AccumulatorStats run() {
    const PackedWeights& weights = run_.prepared.groups[static_cast<std::size_t>(source_.group)];
    const std::span<const std::int64_t> preload =
        std::span(run_.prepared.preload)
            .subspan(static_cast<std::size_t>(first_channel_), static_cast<std::size_t>(g_.group_outputs()));
    const auto consume = [this](const AccumulatorBlock& block) { store(block); };
    if constexpr (std::is_same_v<In, std::uint16_t>) {
      const auto produce = [this](std::int64_t begin, std::int64_t rows, std::int32_t* out,
                                  std::int64_t stride) { gather(begin, rows, out, stride); };
      return gemm_wide(g_.rows(), weights, preload, gemm_options(run_), produce, consume);
    } else {
      const auto produce = [this](std::int64_t begin, std::int64_t rows, std::int32_t /*worker*/,
                                  std::int16_t* out,
                                  std::int64_t stride) { gather(begin, rows, out, stride); };
      return gemm(g_.rows(), weights, preload, gemm_options(run_), produce, consume);
    }
  }

 private:
  /// Rows of the left operand; asymmetric weights need the sum of each.
  template <typename Out>
  void gather(std::int64_t row_begin, std::int64_t rows, Out* out, std::int64_t row_stride) {
    gather_rows(source_, row_begin, rows, out, row_stride);
    if (!row_sums_.empty()) {
      for (std::int64_t r = 0; r < rows; ++r) add_up(row_begin + r, out + r * row_stride);
    }
    if (run_.prepared.part_channels > 0) order_rows(rows, out, row_stride);
  }

  template <typename Out>
  void add_up(std::int64_t row, const Out* inputs) {
    const std::int64_t sums = run_.prepared.sums_a_row;
    const std::int64_t elements = g_.depth() / sums;
    for (std::int64_t s = 0; s < sums; ++s, inputs += elements)
      row_sums_[static_cast<std::size_t>(row * sums + s)] =
          std::accumulate(inputs, inputs + elements, std::int64_t{0});
  }

  template <typename Out>
  void order_rows(std::int64_t rows, Out* out, std::int64_t row_stride) const {
    std::vector<Out> row(static_cast<std::size_t>(g_.depth()));
    for (std::int64_t r = 0; r < rows; ++r, out += row_stride) {
      std::copy(out, out + g_.depth(), row.begin());
      order_by_parts(row.data(), g_.kernel_h * g_.kernel_w, g_.group_channels(), run_.prepared.part_channels,
                     out);
    }
  }

  void store(const AccumulatorBlock& block) const {
    const std::int64_t columns = g_.group_outputs();
    if (!row_sums_.empty()) {
      const std::vector<std::int64_t> corrected = correct(block);
      stage_.store(block.row_begin, block.rows, first_channel_, columns, corrected.data(), columns);
    } else if (block.narrow != nullptr) {
      stage_.store(block.row_begin, block.rows, first_channel_, columns, block.narrow, block.stride);
    } else {
      stage_.store(block.row_begin, block.rows, first_channel_, columns, block.wide, block.stride);
    }
  }

  /// acc[r][n] - sum_g m_g z_w[n][g] * sum_{k in g} x[r][k], of a single group without multipliers
  /// acc[r][n] - z_w[n] * sum_k x[r][k]: the white paper's term 2, after the reduction.
  [[nodiscard]] std::vector<std::int64_t> correct(const AccumulatorBlock& block) const {
    std::vector<std::int64_t> corrected;
    corrected.reserve(static_cast<std::size_t>(block.rows * g_.group_outputs()));
    const std::int64_t sums = run_.prepared.sums_a_row;
    for (std::int64_t r = 0; r < block.rows; ++r) {
      const std::int64_t* row = &row_sums_[static_cast<std::size_t>((block.row_begin + r) * sums)];
      for (std::int64_t n = 0; n < g_.group_outputs(); ++n) {
        const std::int64_t i = r * block.stride + n;
        const std::int64_t accumulator = block.narrow != nullptr ? block.narrow[i] : block.wide[i];
        const std::int64_t* factors =
            &run_.prepared.weight_zero_points[static_cast<std::size_t>((first_channel_ + n) * sums)];
        corrected.push_back(accumulator - std::inner_product(factors, factors + sums, row, std::int64_t{0}));
      }
    }
    return corrected;
  }

  const MacRun& run_;
  const ConvGeometry& g_;
  const OutputStage& stage_;
  TapSource<In> source_;
  std::int64_t first_channel_;
  std::vector<std::int64_t> row_sums_;  ///< [output pixel][group]; blocks of rows write their own.
};

}  // namespace

PreparedMac prepare_mac(const Graph& graph, const Node& node, std::int64_t part_channels) {
  const Tensor& tensor = graph.tensor(node.inputs[1]);
  PreparedMac prepared;
  const ConvGeometry& g = prepared.geometry = conv_geometry(graph, node);
  prepared.preload = folded_bias(graph, node);
  prepared.part_channels = part_channels;
  const Quantization& quantization = *tensor.quantization;
  const std::vector<std::int32_t> weights = weights_in_order(tensor, g, part_channels);
  prepared.weight_zero_points = correction_factors(quantization, g);
  if (quantization.has_groups()) prepared.sums_a_row = g.depth() / quantization.group_size;
  const bool in_int16 = fits_int16(*graph.tensor(node.inputs[0]).quantization) && fits_int16(quantization);
  if (g.groups > 1 && g.group_channels() == 1 && in_int16) {
    prepared.depthwise = depthwise_weights(weights, g);
    return prepared;
  }
  const IntegerFormat format = multiplied_format(quantization, weights);
  const auto group_size = weights.size() / static_cast<std::size_t>(g.groups);
  for (std::size_t i = 0; i < static_cast<std::size_t>(g.groups); ++i) {
    prepared.groups.emplace_back(std::span(weights).subspan(i * group_size, group_size), g.group_outputs(),
                                 g.depth(), format);
  }
  return prepared;
}

AccumulatorStats run_mac(const MacRun& run) {
  const OutputStage stage(run.graph, run.node, run.context, run.output);
  AccumulatorStats stats;
  for (std::int64_t group = 0; group < run.prepared.geometry.groups; ++group) {
    stats.merge(visit_element_type(
        run.input.type, [&](auto zero) { return GroupRun<decltype(zero)>(run, group, stage).run(); }));
  }
  return stats;
}

OutputStage::OutputStage(const Graph& graph, const Node& node, const MacContext& context, TensorData& output)
    : out_channels_(output.shape.back()),
      scales_(context.rounding(), channel_scales(graph, node, context.rounding()), out_channels_),
      output_(output) {
  range_ = output_range(graph, node);
}

template <typename Accumulator>
void OutputStage::store(std::int64_t row_begin, std::int64_t rows, std::int64_t first_channel,
                        std::int64_t columns, const Accumulator* accumulators, std::int64_t stride) const {
  const auto store_as = [&](auto zero) {
    using Out = decltype(zero);
    Out* out = output_.as<Out>().data() + row_begin * out_channels_ + first_channel;
    requantize_block<Accumulator, Out>(
        scales_, range_, {accumulators, stride, rows, columns, first_channel, out, out_channels_});
  };
  if (output_.type == ElementType::i32) return store_as(std::int32_t{});
  visit_element_type(output_.type, store_as);
}

template void OutputStage::store(std::int64_t, std::int64_t, std::int64_t, std::int64_t, const std::int32_t*,
                                 std::int64_t) const;
template void OutputStage::store(std::int64_t, std::int64_t, std::int64_t, std::int64_t, const std::int64_t*,
                                 std::int64_t) const;

}  // namespace qsim
