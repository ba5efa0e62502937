// Pooling, means, softmax and layer norm of float networks: sums in double, in the order of memory, rounded
// once.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/parallel_blocks.h"
#include "workloads/execute/float/float_nodes.h"
#include "workloads/execute/mean_cursor.h"

namespace qsim {
namespace {

/// Part of one dimension that a window covers: [begin, end) inside the tensor.
struct WindowSpan {
  std::int64_t begin = 0, end = 0;

  /// Elements of the padded input that the window covers.
  std::int64_t padded_count = 0;

  WindowSpan(std::int64_t out, std::int64_t stride, std::int64_t kernel, std::int64_t size,
             std::int64_t before, std::int64_t after)
      : begin(std::max<std::int64_t>(out * stride - before, 0)),
        end(std::min(out * stride - before + kernel, size)),
        padded_count(std::min(kernel, size + after - (out * stride - before))) {}
  [[nodiscard]] std::int64_t count(bool include_padding) const {
    return include_padding ? padded_count : end - begin;
  }
};

class FloatPool {
 public:
  FloatPool(const FloatRun& run, const Pool2dOp& op)
      : run_(run), op_(op), x_(run.inputs[0]->shape), y_(run.output.shape), clamp_(op.activation) {}

  void run() const {
    for_each_block(y_[0] * y_[1], run_.threads, [&](std::int64_t row) {
      std::vector<double> states(static_cast<std::size_t>(y_[3]));
      for (std::int64_t x = 0; x < y_[2]; ++x) run_pixel(row, x, states);
    });
  }

 private:
  void run_pixel(std::int64_t image_row, std::int64_t out_x, std::vector<double>& states) const {
    const std::int64_t image = image_row / y_[1];
    const WindowSpan rows(image_row % y_[1], op_.stride_h, op_.kernel_h, x_[1], op_.pad_top, op_.pad_bottom);
    const WindowSpan columns(out_x, op_.stride_w, op_.kernel_w, x_[2], op_.pad_left, op_.pad_right);
    const bool is_max = op_.kind == PoolKind::max;
    std::fill(states.begin(), states.end(), is_max ? -std::numeric_limits<double>::infinity() : 0.0);
    for (std::int64_t iy = rows.begin; iy < rows.end; ++iy) {
      for (std::int64_t ix = columns.begin; ix < columns.end; ++ix) {
        const float* pixel = run_.input().data() + ((image * x_[1] + iy) * x_[2] + ix) * x_[3];
        for (std::size_t c = 0; c < states.size(); ++c) {
          const auto value = static_cast<double>(pixel[c]);
          states[c] = is_max ? std::max(states[c], value) : states[c] + value;
        }
      }
    }
    const std::int64_t elements = rows.count(op_.count_include_pad) * columns.count(op_.count_include_pad);
    const double count = is_max ? 1.0 : static_cast<double>(elements);
    float* y = run_.result().data() + (image_row * y_[2] + out_x) * y_[3];
    for (std::size_t c = 0; c < states.size(); ++c) y[c] = clamp_(static_cast<float>(states[c] / count));
  }

  const FloatRun& run_;
  const Pool2dOp& op_;
  const Shape& x_;
  const Shape& y_;
  FloatClamp clamp_;
};

}  // namespace

void run_float_pool(const FloatRun& run, const Pool2dOp& op) {
  FloatPool(run, op).run();
}

void run_float_mean(const FloatRun& run, const MeanOp& op) {
  std::vector<double> sums(run.result().size(), 0.0);
  MeanCursor cursor(op, run.inputs[0]->shape);
  for (const float x : run.input()) {
    sums[cursor.offset()] += static_cast<double>(x);
    cursor.next();
  }
  const double count = static_cast<double>(run.input().size()) / static_cast<double>(sums.size());
  std::transform(sums.begin(), sums.end(), run.result().begin(),
                 [count](double sum) { return static_cast<float>(sum / count); });
}

// y[i] = exp(z[i]) / sum_j exp(z[j]), or its logarithm z[i] - ln(sum_j exp(z[j])), z[i] = beta * (x[i] - max
// x), in double.
void run_float_softmax(const FloatRun& run, const SoftmaxOp& op) {
  const std::int64_t length = run.output.shape.back();
  for_each_block(run.output.size() / length, run.threads, [&](std::int64_t row) {
    const float* x = run.input().data() + row * length;
    float* y = run.result().data() + row * length;
    const float highest = *std::max_element(x, x + length);
    const auto exponent = [&](float value) {
      return static_cast<double>(op.beta) * (static_cast<double>(value) - static_cast<double>(highest));
    };
    std::vector<double> powers(static_cast<std::size_t>(length));
    std::transform(x, x + length, powers.begin(), [&](float value) { return std::exp(exponent(value)); });
    const double sum = std::accumulate(powers.begin(), powers.end(), 0.0);
    if (op.logarithm) {
      const double shift = std::log(sum);
      std::transform(x, x + length, y,
                     [&](float value) { return static_cast<float>(exponent(value) - shift); });
    } else {
      std::transform(powers.begin(), powers.end(), y,
                     [&](double power) { return static_cast<float>(power / sum); });
    }
  });
}

// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, variance = sum (x - mean)^2 / n, in double.
void run_float_layer_norm(const FloatRun& run, const LayerNormOp& op) {
  const std::int64_t length = run.output.shape.back();
  const auto factor = [&](std::size_t input, std::int64_t i, double absent) {
    const bool given = run.inputs.size() > input && run.inputs[input] != nullptr;
    return given ? static_cast<double>(run.input(input)[static_cast<std::size_t>(i)]) : absent;
  };
  for_each_block(run.output.size() / length, run.threads, [&](std::int64_t row) {
    const float* x = run.input().data() + row * length;
    float* y = run.result().data() + row * length;
    double sum = 0.0;
    for (std::int64_t i = 0; i < length; ++i) sum += static_cast<double>(x[i]);
    const double mean = sum / static_cast<double>(length);
    double squares = 0.0;
    for (std::int64_t i = 0; i < length; ++i) {
      const double distance = static_cast<double>(x[i]) - mean;
      squares += distance * distance;
    }
    const double deviation =
        std::sqrt(squares / static_cast<double>(length) + static_cast<double>(op.epsilon));
    for (std::int64_t i = 0; i < length; ++i) {
      const double normal = (static_cast<double>(x[i]) - mean) / deviation;
      y[i] = static_cast<float>(normal * factor(1, i, 1.0) + factor(2, i, 0.0));
    }
  });
}

}  // namespace qsim
