#include "workloads/execute/worst_case_sums.h"

#include <algorithm>
#include <limits>
#include <set>

#include "workloads/execute/mac_weights.h"
#include "workloads/graph/conv_geometry.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/operand_types.h"

namespace qsim {
namespace {

using arithmetic::AccumulatorRange;

/// Values that a tensor can have: those of its format, or of the clamp of the node that makes it.
AccumulatorRange values_of(const Graph& graph, TensorId id) {
  const Quantization& quantization = *graph.tensor(id).quantization;
  for (const Node& node : graph.nodes) {
    if (node.outputs[0] != id) continue;
    if (is_float_node(graph, node)) break;
    const ClampRange clamp = output_clamp(graph, node);
    return {clamp.min, clamp.max};
  }
  return {quantization.format().min(), quantization.format().max()};
}

/// Steps of the reduction that belong to one tap and one chunk.
struct Segment {
  std::int64_t begin = 0, end = 0;
  std::int64_t tap = 0;
  bool ends_chunk = false;
};

std::vector<Segment> segments_of(const ConvGeometry& g, const MacContext& context) {
  const std::vector<std::int64_t> taps = taps_in_order(g, context.part_channels);
  std::vector<std::int64_t> chunk_ends = context.chunk_ends;
  if (chunk_ends.empty()) chunk_ends.push_back(g.depth());
  std::vector<Segment> segments;
  std::int64_t begin = 0;
  for (const std::int64_t chunk_end : chunk_ends) {
    while (begin < chunk_end) {
      const std::int64_t tap = taps[static_cast<std::size_t>(begin)];
      std::int64_t end = begin;
      while (end < chunk_end && taps[static_cast<std::size_t>(end)] == tap) ++end;
      segments.push_back({begin, end, tap, end == chunk_end});
      begin = end;
    }
  }
  return segments;
}

/// Along one dimension: the different sets of kernel elements that read the input, over all outputs.
std::set<std::vector<bool>> read_sets(std::int64_t outputs, std::int64_t inputs, std::int64_t kernel,
                                      std::int64_t stride, std::int64_t dilation, std::int64_t insert,
                                      std::int64_t pad) {
  std::set<std::vector<bool>> sets;
  for (std::int64_t o = 0; o < outputs; ++o) {
    std::vector<bool> reads;
    for (std::int64_t k = 0; k < kernel; ++k) {
      const std::int64_t i = o * stride - pad + k * dilation;
      reads.push_back(i >= 0 && i <= (inputs - 1) * insert && i % insert == 0);
    }
    sets.insert(std::move(reads));
  }
  return sets;
}

/// By tap, whether it reads the input: one entry for each kind of output pixel.
std::vector<std::vector<bool>> read_taps(const ConvGeometry& g) {
  const auto rows = read_sets(g.out_h, g.in_h, g.kernel_h, g.stride_h, g.dilation_h, g.insert_h, g.pad_top);
  const auto columns =
      read_sets(g.out_w, g.in_w, g.kernel_w, g.stride_w, g.dilation_w, g.insert_w, g.pad_left);
  std::vector<std::vector<bool>> kinds;
  for (const std::vector<bool>& row : rows) {
    for (const std::vector<bool>& column : columns) {
      std::vector<bool> taps;
      for (const bool in_row : row) {
        for (const bool in_column : column) taps.push_back(in_row && in_column);
      }
      kinds.push_back(std::move(taps));
    }
  }
  return kinds;
}

/// Sum of a segment's positive weights, and of its negative ones.
struct SignedSums {
  std::int64_t positive = 0, negative = 0;
};

/// One output channel, one segment after the other.
std::vector<SignedSums> signed_sums(const std::int32_t* weights, const std::vector<Segment>& segments,
                                    bool have_16_bits) {
  std::vector<SignedSums> sums;
  sums.reserve(segments.size());
  const std::int64_t block = have_16_bits ? 32'768 : 1;  // so many weights sum up in 32 bits
  for (const Segment& segment : segments) {
    SignedSums sum;
    for (std::int64_t begin = segment.begin; begin < segment.end; begin += block) {
      const std::int64_t end = std::min(segment.end, begin + block);
      std::int32_t positive = 0;
      std::int32_t all = 0;
      for (std::int64_t k = begin; k < end; ++k) {
        positive += std::max(weights[k], 0);
        all += weights[k];
      }
      sum.positive += positive;
      sum.negative += std::int64_t{all} - positive;
    }
    sums.push_back(sum);
  }
  return sums;
}

/// What the accumulators of one channel can see.
class ChannelLimits {
 public:
  ChannelLimits(const std::vector<Segment>& segments, AccumulatorRange input, std::int64_t zero_point)
      : segments_(segments), input_(input), zero_point_(zero_point) {}

  void add(std::int64_t preload, const std::vector<SignedSums>& sums, const std::vector<bool>& reads) {
    AccumulatorRange now{preload, preload};
    widen(now);
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const SignedSums& sum = sums[i];
      if (reads[static_cast<std::size_t>(segments_[i].tap)]) {
        now.max += sum.positive * input_.max + sum.negative * input_.min;
        now.min += sum.positive * input_.min + sum.negative * input_.max;
      } else {
        now.max += (sum.positive + sum.negative) * zero_point_;
        now.min += (sum.positive + sum.negative) * zero_point_;
      }
      if (segments_[i].ends_chunk) widen(now);
    }
  }

  [[nodiscard]] AccumulatorRange limits() const { return {min_, max_}; }

 private:
  void widen(const AccumulatorRange& now) {
    min_ = std::min(min_, now.min);
    max_ = std::max(max_, now.max);
  }

  const std::vector<Segment>& segments_;
  AccumulatorRange input_;
  std::int64_t zero_point_;
  std::int64_t min_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t max_ = std::numeric_limits<std::int64_t>::min();
};

/// Formats reach from 0 or below to above it, so that no product's maximum is negative and the last update
/// is the largest.
AccumulatorRange worst_case_product(const Graph& graph, const Node& node) {
  const AccumulatorRange a = values_of(graph, node.inputs[0]);
  const AccumulatorRange b = values_of(graph, node.inputs[1]);
  const auto [low, high] = std::minmax({a.min * b.min, a.min * b.max, a.max * b.min, a.max * b.max});
  const std::int64_t depth = graph.tensor(node.inputs[0]).shape.back();
  const std::int64_t preload = folded_bias(graph, node).front();
  return {preload + std::min<std::int64_t>(0, depth * low),
          preload + std::max<std::int64_t>(0, depth * high)};
}

}  // namespace

AccumulatorRange worst_case_sums(const Graph& graph, const Node& node, const MacContext& context) {
  if (!definition(node.op).has_weights) return worst_case_product(graph, node);
  const ConvGeometry g = conv_geometry(graph, node);
  const std::vector<std::int32_t> weights =
      weights_in_order(graph.tensor(node.inputs[1]), g, context.part_channels);
  const std::vector<std::int64_t> preload = folded_bias(graph, node);
  const std::vector<Segment> segments = segments_of(g, context);
  const std::vector<std::vector<bool>> kinds_of_pixels = read_taps(g);
  ChannelLimits limits(segments, values_of(graph, node.inputs[0]),
                       graph.tensor(node.inputs[0]).quantization->zero_point());
  // Those of groups are multiplied.
  const bool have_16_bits = !graph.tensor(node.inputs[1]).quantization->has_groups();
  for (std::int64_t n = 0; n < g.out_channels; ++n) {
    const std::vector<SignedSums> sums = signed_sums(weights.data() + n * g.depth(), segments, have_16_bits);
    for (const std::vector<bool>& reads : kinds_of_pixels) {
      limits.add(preload[static_cast<std::size_t>(n)], sums, reads);
    }
  }
  return limits.limits();
}

}  // namespace qsim
