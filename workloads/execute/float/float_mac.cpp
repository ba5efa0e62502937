// Convolutions and fully connected layers of float networks as matrix products; depthwise ones channel by
// channel.
#include <algorithm>
#include <stdexcept>

#include "base/parallel_blocks.h"
#include "workloads/execute/float/float_nodes.h"
#include "workloads/execute/gather_rows.h"
#include "workloads/execute/mac_weights.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

/// [out_channel][tap] to [tap][out_channel]
std::vector<float> taps_first(const std::vector<float>& weights, const ConvGeometry& g) {
  const auto taps = static_cast<std::size_t>(g.kernel_h * g.kernel_w);
  const auto channels = static_cast<std::size_t>(g.out_channels);
  std::vector<float> turned(weights.size());
  for (std::size_t n = 0; n < channels; ++n) {
    for (std::size_t t = 0; t < taps; ++t) turned[t * channels + n] = weights[n * taps + t];
  }
  return turned;
}

/// A quarter of a megabyte of gathered rows stays in the second-level cache.
std::int64_t rows_of_block(const ConvGeometry& g, int threads) {
  const std::int64_t by_cache = (64 * 1024) / std::max<std::int64_t>(1, g.depth());
  const std::int64_t share = (g.rows() + threads - 1) / threads;
  return std::max<std::int64_t>(1, std::min(std::clamp<std::int64_t>(by_cache, 8, 256), share));
}

class FloatGemmRun {
 public:
  FloatGemmRun(const NodeRun& run, const PreparedFloatMac& prepared, Activation activation)
      : run_(run), prepared_(prepared), g_(prepared.geometry), clamp_(activation) {}

  void run() const {
    const std::int64_t block_rows = rows_of_block(g_, run_.threads);
    const std::int64_t row_blocks = (g_.rows() + block_rows - 1) / block_rows;
    for_each_block(row_blocks * g_.groups, run_.threads, [&](std::int64_t block) {
      const std::int64_t begin = block / g_.groups * block_rows;
      run_block(block % g_.groups, begin, std::min(block_rows, g_.rows() - begin));
    });
  }

 private:
  void run_block(std::int64_t group, std::int64_t row_begin, std::int64_t rows) const {
    const FloatPanels& panels = prepared_.groups[static_cast<std::size_t>(group)];
    FloatBlock block;
    std::vector<float> gathered;
    if (g_.is_pointwise()) {
      block.rows = run_.input().data() + row_begin * g_.in_channels;
      block.row_stride = g_.in_channels;
    } else {
      gathered.resize(static_cast<std::size_t>(rows * g_.depth()));
      const TapSource<float> source{g_, run_.input().data(), group, 0};
      gather_rows(source, row_begin, rows, gathered.data(), g_.depth());
      block.rows = gathered.data();
      block.row_stride = g_.depth();
    }
    std::vector<float> out(static_cast<std::size_t>(rows * panels.padded_columns()));
    block.row_count = rows;
    block.preload = prepared_.group_biases[static_cast<std::size_t>(group)].data();
    block.out = out.data();
    block.out_stride = panels.padded_columns();
    multiply(panels, block);
    store(out, group, row_begin, rows, panels.padded_columns());
  }

  void store(const std::vector<float>& block, std::int64_t group, std::int64_t row_begin, std::int64_t rows,
             std::int64_t stride) const {
    const std::int64_t columns = g_.group_outputs();
    float* y = run_.result().data() + row_begin * g_.out_channels + group * columns;
    const float* x = block.data();
    for (std::int64_t r = 0; r < rows; ++r, x += stride, y += g_.out_channels) {
      std::transform(x, x + columns, y, clamp_);
    }
  }

  const NodeRun& run_;
  const PreparedFloatMac& prepared_;
  const ConvGeometry& g_;
  FloatClamp clamp_;
};

/// Output channel n reads input channel n / multiplier.
class FloatDepthwiseRun {
 public:
  FloatDepthwiseRun(const NodeRun& run, const PreparedFloatMac& prepared, Activation activation)
      : run_(run), prepared_(prepared), g_(prepared.geometry), clamp_(activation) {}

  void run() const {
    for_each_block(g_.batch * g_.out_h, run_.threads, [&](std::int64_t row) {
      float* y = run_.result().data() + row * g_.out_w * g_.out_channels;
      for (std::int64_t x = 0; x < g_.out_w; ++x, y += g_.out_channels) run_pixel(row, x, y);
    });
  }

 private:
  /// Taps ascending, those outside the image left out: they would add 0 * w.
  void run_pixel(std::int64_t image_row, std::int64_t out_x, float* y) const {
    const std::int64_t out_y = image_row % g_.out_h;
    const std::int64_t image = image_row / g_.out_h;
    const std::vector<float>& bias = prepared_.group_biases[0];
    std::copy_n(bias.data(), g_.out_channels, y);
    for (std::int64_t ky = 0; ky < g_.kernel_h; ++ky) {
      const std::int64_t iy = out_y * g_.stride_h - g_.pad_top + ky * g_.dilation_h;
      if (iy < 0 || iy >= g_.in_h) continue;
      for (std::int64_t kx = 0; kx < g_.kernel_w; ++kx) {
        const std::int64_t ix = out_x * g_.stride_w - g_.pad_left + kx * g_.dilation_w;
        if (ix < 0 || ix >= g_.in_w) continue;
        add_tap(run_.input().data() + ((image * g_.in_h + iy) * g_.in_w + ix) * g_.in_channels,
                prepared_.depthwise.data() + (ky * g_.kernel_w + kx) * g_.out_channels, y);
      }
    }
    std::transform(y, y + g_.out_channels, y, clamp_);
  }

  void add_tap(const float* x, const float* w, float* y) const {
    const std::int64_t multiplier = g_.group_outputs();
    if (multiplier == 1) {
      for (std::int64_t c = 0; c < g_.out_channels; ++c) y[c] += x[c] * w[c];
      return;
    }
    for (std::int64_t c = 0; c < g_.out_channels; ++c) y[c] += x[c / multiplier] * w[c];
  }

  const NodeRun& run_;
  const PreparedFloatMac& prepared_;
  const ConvGeometry& g_;
  FloatClamp clamp_;
};

}  // namespace

PreparedFloatMac prepare_float_mac(const NodeRun& run) {
  PreparedFloatMac prepared;
  const ConvGeometry& g = prepared.geometry = conv_geometry(run.graph, run.node);
  std::vector<float> bias(static_cast<std::size_t>(g.out_channels), 0.0F);
  if (run.inputs.size() > 2 && run.inputs[2] != nullptr) {
    bias.assign(run.input(2).begin(), run.input(2).end());
  }
  const Tensor& weight_tensor = run.graph.tensor(run.node.inputs[1]);
  if (!weight_tensor.is_float()) {
    prepared.dynamic = prepare_dynamic_weights(*run.inputs[1], *weight_tensor.quantization, g);
    prepared.group_biases.push_back(std::move(bias));
    return prepared;
  }
  const std::span<const float> given = run.input(1);
  const std::vector<float> weights =
      taps_turned(std::vector<float>(given.begin(), given.end()), g, g.group_channels());
  const bool inserts = g.insert_h > 1 || g.insert_w > 1;
  if (g.groups > 1 && g.group_channels() == 1 && !inserts) {
    prepared.depthwise = taps_first(weights, g);
    prepared.group_biases.push_back(std::move(bias));
    return prepared;
  }
  const auto group_size = weights.size() / static_cast<std::size_t>(g.groups);
  const auto outputs = static_cast<std::size_t>(g.group_outputs());
  for (std::size_t i = 0; i < static_cast<std::size_t>(g.groups); ++i) {
    prepared.groups.emplace_back(std::span(weights).subspan(i * group_size, group_size), g.group_outputs(),
                                 g.depth());
    const auto part = std::span(bias).subspan(i * outputs, outputs);
    prepared.group_biases.emplace_back(part.begin(), part.end());
    prepared.group_biases.back().resize(static_cast<std::size_t>(prepared.groups.back().padded_columns()));
  }
  return prepared;
}

void run_float_mac(const NodeRun& run, const PreparedFloatMac& prepared, Activation activation) {
  if (prepared.dynamic) {
    run_float_dynamic(run, prepared, activation);
  } else if (prepared.depthwise.empty()) {
    FloatGemmRun(run, prepared, activation).run();
  } else {
    FloatDepthwiseRun(run, prepared, activation).run();
  }
}

void run_float_node(const NodeRun& run, const PreparedFloatMac* prepared) {
  const OpDefinition& row = definition(run.node.op);
  if (row.run_float != nullptr) return row.run_float(run);
  if (row.engine != Engine::mac_array) throw std::logic_error(op_name(run.graph, run.node).data());
  if (!row.has_weights) return run_float_matmul(run);
  run_float_mac(run, *prepared, *fused_activation(run.node.op));
}

}  // namespace qsim
