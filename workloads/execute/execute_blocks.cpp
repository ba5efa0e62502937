// Products of blocks on the MAC array, and blocks of their outputs.
#include <algorithm>
#include <numeric>
#include <span>

#include "base/parallel_blocks.h"
#include "workloads/execute/execute_nodes.h"
#include "workloads/execute/gather_rows.h"
#include "workloads/graph/blocks.h"

namespace qsim {
namespace {

using namespace arithmetic;

/// A chunk of the reduction: neighbouring channels of one block of a tap.
struct BlockChunk {
  std::int64_t kernel_h = 0, kernel_w = 0;
  std::int64_t channel = 0;  ///< The first one.
  std::int64_t depth = 0;
};

/// In the order in which the accumulators see them.
std::vector<BlockChunk> chunks_in_order(const ConvGeometry& g, const MacContext& context) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(g.depth()));
  std::iota(order.begin(), order.end(), 0);
  if (context.part_channels > 0) {
    const std::vector<std::int64_t> natural = order;
    order_by_parts(natural.data(), g.kernel_h * g.kernel_w, g.in_channels, context.part_channels,
                   order.data());
  }
  std::vector<BlockChunk> chunks;
  const auto add = [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = order[static_cast<std::size_t>(begin)];
    const std::int64_t tap = first / g.in_channels;
    chunks.push_back({tap / g.kernel_w, tap % g.kernel_w, first % g.in_channels, end - begin});
  };
  if (!context.chunk_ends.empty()) {
    std::int64_t begin = 0;
    for (const std::int64_t end : context.chunk_ends) {
      add(begin, end);
      begin = end;
    }
    return chunks;
  }
  for (std::int64_t begin = 0; begin < g.depth();) {
    const std::int64_t channel = begin % g.in_channels;
    const std::int64_t end = begin + std::min(kMxBlock - channel % kMxBlock, g.in_channels - channel);
    add(begin, end);
    begin = end;
  }
  return chunks;
}

class BlockRun {
 public:
  BlockRun(const Graph& graph, const Node& node, const MacContext& context, const TensorData& input,
           TensorData& output)
      : g_(conv_geometry(graph, node)),
        context_(context),
        reference_(block_reference(graph, node, context.accumulator.width_bits)),
        preload_(block_preload(graph, node, reference_)),
        clamp_(block_clamp(node, reference_)),
        chunks_(chunks_in_order(g_, context)),
        input_(input.as<std::int8_t>().data()),
        weights_(graph.tensor(node.inputs[1]).data->as<std::int8_t>().data()),
        output_(output.as<std::int8_t>().data()),
        stored_in_(mx_stored(g_.in_channels)),
        stored_out_(mx_stored(g_.out_channels)) {}

  AccumulatorStats run(std::int64_t begin, std::int64_t end, std::optional<OverflowPlace>* trapped) const {
    AccumulatorStats stats;
    std::vector<std::int64_t> sums(static_cast<std::size_t>(g_.out_channels));
    for (std::int64_t row = begin; row < end; ++row) {
      accumulate_row(row, sums, stats, trapped);
      store(sums, output_ + row * stored_out_);
    }
    return stats;
  }
  [[nodiscard]] std::int64_t rows() const { return g_.rows(); }

 private:
  /// Stored elements of the pixel that output row `row` reads with a tap; nullptr outside the tensor.
  [[nodiscard]] const std::int8_t* pixel(std::int64_t row, const BlockChunk& chunk) const {
    const std::int64_t y =
        row / g_.out_w % g_.out_h * g_.stride_h - g_.pad_top + chunk.kernel_h * g_.dilation_h;
    const std::int64_t x = row % g_.out_w * g_.stride_w - g_.pad_left + chunk.kernel_w * g_.dilation_w;
    if (y < 0 || y >= g_.in_h || x < 0 || x >= g_.in_w) return nullptr;
    const std::int64_t image = row / (g_.out_w * g_.out_h);
    return input_ + ((image * g_.in_h + y) * g_.in_w + x) * stored_in_;
  }

  void accumulate_row(std::int64_t row, std::vector<std::int64_t>& sums, AccumulatorStats& stats,
                      std::optional<OverflowPlace>* trapped) const {
    const auto update = [&](std::size_t n, std::int64_t value, std::size_t number) {
      const std::int64_t before = stats.overflows;
      sums[n] = accumulate(context_.accumulator, value, stats);
      if (trapped == nullptr || stats.overflows == before) return;
      // Of a row the first channel; of that the first update.
      const auto channel = static_cast<std::int64_t>(n);
      if (*trapped && ((*trapped)->position.front() < row || (*trapped)->channel <= channel)) return;
      *trapped = OverflowPlace{channel, {row}, static_cast<std::int64_t>(number), value};
    };
    for (std::size_t n = 0; n < sums.size(); ++n) update(n, preload_[n], 0);
    std::size_t number = 0;
    for (const BlockChunk& chunk : chunks_) {
      ++number;
      const std::int8_t* x = pixel(row, chunk);
      const std::int64_t exponent_at = mx_exponent(chunk.channel, g_.in_channels);
      const std::int64_t first = mx_element(chunk.channel);
      const std::int64_t tap = chunk.kernel_h * g_.kernel_w + chunk.kernel_w;
      const std::int64_t taps = g_.kernel_h * g_.kernel_w;
      for (std::size_t n = 0; n < sums.size(); ++n) {
        const std::int8_t* w = weights_ + (static_cast<std::int64_t>(n) * taps + tap) * stored_in_;
        AlignedSum aligned;
        if (x != nullptr) {
          std::int32_t sum = 0;
          for (std::int64_t k = first; k < first + chunk.depth; ++k) sum += std::int32_t{w[k]} * x[k];
          aligned = align(sum, w[exponent_at] + x[exponent_at] - reference_, context_.shift_rounding);
        }
        stats.rounded_sums += aligned.is_rounded ? 1 : 0;
        update(n, sums[n] + aligned.value, number);
      }
    }
  }

  /// Blocks of 32 neighbouring outputs.
  void store(const std::vector<std::int64_t>& sums, std::int8_t* out) const {
    for (std::size_t begin = 0; begin < sums.size(); begin += kMxBlock) {
      const std::size_t end = std::min(sums.size(), begin + kMxBlock);
      std::uint64_t largest = 0;
      for (std::size_t n = begin; n < end; ++n)
        largest = std::max(largest, magnitude(std::clamp(sums[n], clamp_.low, clamp_.high)));
      const MxScale scale = mx_scale(largest, reference_);
      for (std::size_t n = begin; n < end; ++n)
        *out++ = static_cast<std::int8_t>(
            mx_element_of(std::clamp(sums[n], clamp_.low, clamp_.high), scale, context_.shift_rounding));
      *out++ = static_cast<std::int8_t>(scale.exponent);
    }
  }

  ConvGeometry g_;
  const MacContext& context_;
  int reference_;
  std::vector<std::int64_t> preload_;
  MxClamp clamp_;
  std::vector<BlockChunk> chunks_;
  const std::int8_t* input_;
  const std::int8_t* weights_;
  std::int8_t* output_;
  std::int64_t stored_in_, stored_out_;
};

}  // namespace

AccumulatorStats run_blocks(const Graph& graph, const Node& node, const MacContext& context,
                            const TensorData& input, TensorData& output, int threads,
                            std::optional<OverflowPlace>* trapped) {
  const BlockRun run(graph, node, context, input, output);
  const std::int64_t workers = std::clamp<std::int64_t>(threads, 1, run.rows());
  std::vector<AccumulatorStats> stats(static_cast<std::size_t>(workers));
  for_each_block(workers, static_cast<int>(workers), [&](std::int64_t worker) {
    stats[static_cast<std::size_t>(worker)] =
        run.run(worker * run.rows() / workers, (worker + 1) * run.rows() / workers, trapped);
  });
  AccumulatorStats all;
  for (const AccumulatorStats& own : stats) all.merge(own);
  return all;
}

}  // namespace qsim
