// The worst that the accumulators of a layer can be asked to hold, whatever its inputs are.
#pragma once

#include "hw_models/arithmetic/accumulator.h"
#include "workloads/execute/execute.h"

namespace qsim {

/// Minimum and maximum over every update (the preload, then each chunk in the order of `context`), every
/// output pixel and channel, and every input within the range of its tensor (its format's, or that of the
/// clamp which makes it). Padded and inserted elements are the zero point. With the weights w,
///
///   max = max over n, pixels, chunks c of  preload[n] + sum_{k <= end of c} max(w[n][k] * x_min, w[n][k] *
///   x_max)
///
/// Both limits are reached: the taps of one pixel are different elements, so that one input has all its
/// terms at their extremes (white paper, section 2.1: the accumulator's width). Of a product of activations
/// the second operand is as free as the first. `node` is on the MAC array.
[[nodiscard]] arithmetic::AccumulatorRange worst_case_sums(const Graph& graph, const Node& node,
                                                           const MacContext& context);

}  // namespace qsim
