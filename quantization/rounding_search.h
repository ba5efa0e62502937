// Which of a layer's weights are rounded up and which down: AdaRound, white paper, section 3.4.
#pragma once

#include <cstdint>
#include <vector>

namespace qsim {

/// Weights of outputs that read the same inputs (a layer, or a group of its channels), and what they are to
/// compute.
struct RoundingProblem {
  std::int64_t outputs = 0, depth = 0, samples = 0;
  /// Values below and above each weight, [outputs][depth]; equal where the grid ends.
  std::vector<float> down = {}, up = {};
  /// Where the weight lies between them, 0 to 1.
  std::vector<float> fraction = {};
  std::vector<float> bias = {};     ///< By output.
  float low = 0.0F, high = 0.0F;    ///< Limits of the fused activation.
  std::vector<float> inputs = {};   ///< [samples][depth]: of the quantized network.
  std::vector<float> targets = {};  ///< [samples][outputs]: of the float network, behind the activation.
};

struct RoundingOptions {
  int iterations = 2000;
  std::uint64_t seed = 1;  ///< Orders the batches.
  int threads = 1;         ///< Shows in no result.
  bool tries_all = true;   ///< Of outputs of few weights all choices.
};

/// Mean over the samples of (f(w x + b) - target)^2, by output, with each weight up or down.
[[nodiscard]] std::vector<double> rounding_errors(const RoundingProblem& problem,
                                                  const std::vector<std::uint8_t>& is_up);

/// Minimizes sum_n E[(f(w_n x + b_n) - target_n)^2] over the choices for each weight:
///
/// * relaxed: w = down + h(V) (up - down), h(V) = clamp(sigmoid(V) 1.2 - 0.1, 0, 1), V from the weight's
///   fraction; batches of samples, Adam, and the regularizer 0.01 sum(1 - |2 h(V) - 1|^beta), without it for
///   the first fifth, then with beta from 20 to 2 along a cosine; up where V >= 0;
/// * then weights are turned one by one (of outputs of at most 20 weights in pairs too, and from all down)
/// while that lowers the error of their output, from there and from
///   nearest; the better result is taken, and nearest where neither is below it.
///
/// Outputs of few weights (depthwise ones) get the best of all choices.
[[nodiscard]] std::vector<std::uint8_t> search_rounding(const RoundingProblem& problem,
                                                        const RoundingOptions& options);

}  // namespace qsim
