// Post-training quantization: a float graph and calibration inputs become a quantized graph that runs on the
// chip.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "quantization/calibrate.h"
#include "quantization/method.h"
#include "quantization/paired_run.h"
#include "workloads/graph/graph.h"
#include "workloads/graph/scheme.h"

namespace qsim {

/// Errors of the float graph's nodes after one step of the method, on at most 32 of the calibration inputs.
struct StepErrors {
  std::string step;                ///< "mse", "cle", ..
  std::vector<std::string> nodes;  ///< Names.
  std::vector<NodeError> errors;   ///< Of their outputs against the float network's.
};

struct QuantizeOptions {
  Scheme scheme;
  QuantizationMethod method = {};
  std::uint64_t seed = 1;  ///< Of the samples that AdaRound draws.
  /// Called behind each step of the method: rounding with its ranges, then the others in their order.
  std::function<void(const StepErrors&)> on_step = {};
  int threads = 1;  ///< Of the calibration; shows in no result.
};

/// Throws InputError for what no quantizer or no arithmetic of the graph's semantics has: block formats;
/// groups that do not divide (group_problems); one signed bit and asymmetric TFLite activations above 8 bits;
/// layers of no node.
void check_scheme(const Graph& graph, const Scheme& scheme);

/// "4 bits, symmetric, a scale an output channel"
[[nodiscard]] std::string weight_text(const WeightScheme& weights);

/// True where every activation of the graph is float: there is something to quantize, and nothing is yet.
[[nodiscard]] bool is_float_graph(const Graph& graph);

/// Quantizes `graph` (valid, is_float_graph):
///
/// * Batch norms are folded, activations fused, dynamic-range weights made float (graph_edits.h); channels
///   equalized (equalize.h), biases absorbed (absorption.h) and corrected (bias_correction.h) where the
///   method says so.
/// * Without inputs (`data.count` 0) ranges are those that the batch norms tell (channel_model.h). Throws
///   InputError where they do not tell all, and for steps that need inputs.
/// * Weights: as the scheme says; biases: s_x * s_w, 32 bits (64 under TFLite semantics with activations of
///   more than 8 bits).
/// * Activations: one quantizer a tensor, behind the fused activation; what the scheme leaves open follows
/// the
///   semantics (activation_format). Tensors that an operation only moves, selects or averages (pooling, mean,
///   reshape, transpose, pad, slice, nearest resize) share one grid. Sums, products and concatenations have
///   their own. With TFLite semantics concatenation of more than 8 bits ties its operands, and functions of a
///   fixed range make the scales that those operations fix.
/// * Power-of-two scales: everything that has one gets a power of two, and the graph's rounding profile is
///   power_of_two.
/// * What the chip has no integer arithmetic for stays float and goes to the host, between a dequantize and a
///   quantize node (named after the tensors, "#dequantize" and "#quantize").
///
/// Graph inputs and outputs become quantized tensors; a float array given as an input is quantized when it is
/// read. The graph's provenance says what was done. Throws InputError for a scheme of no node, and for what
/// check_scheme() refuses.
void quantize_graph(Graph& graph, const CalibrationData& data, const QuantizeOptions& options);

/// A float graph with what its tensors hold: what all schemes for the same inputs and method share.
struct ObservedGraph {
  Graph graph;     ///< Norms folded, activations fused, weights float, ReLU6 replaced.
  Graph prepared;  ///< Where the method does so its channels equalized, its biases absorbed.
  std::vector<ObservedValues> values;  ///< Of the prepared graph, by tensor id.
  std::vector<std::string> notes;      ///< What preparing it did.
  int dequantized = 0, norms = 0, opened = 0, activations = 0;
  CalibrationData data;
};

/// Whether the spread of the values has to be observed, not their limits alone.
[[nodiscard]] bool needs_spread(const QuantizeOptions& options);
[[nodiscard]] ObservedGraph observe_graph(Graph graph, const CalibrationData& data,
                                          const QuantizationMethod& method, bool with_spread, int threads);

/// quantize_graph() in two steps, the same with a spread that a scheme does not need: the options' method is
/// the one that was observed for. check_scheme() of the float graph, whose nodes the scheme names, comes
/// before.
[[nodiscard]] Graph quantize_observed(const ObservedGraph& observed, const QuantizeOptions& options);

}  // namespace qsim
