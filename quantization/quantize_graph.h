// Post-training quantization: a float graph and calibration inputs become a quantized graph that runs on the
// chip.
#pragma once

#include <string>

#include "quantization/calibrate.h"
#include "quantization/range_setting.h"
#include "workloads/graph/bit_width.h"
#include "workloads/graph/graph.h"

namespace qsim {

struct QuantizeOptions {
  /// Widths, 8 where nothing is said. Weights 1 to 16 bits; activations 2 to 16.
  BitWidthOptions widths;
  RangeMethod ranges = RangeMethod::min_max;
  bool per_channel_weights = true;
  int threads = 1;  ///< Of the calibration; shows in no result.
};

/// True where every activation of the graph is float: there is something to quantize, and nothing is yet.
[[nodiscard]] bool is_float_graph(const Graph& graph);

/// Quantizes `graph` (valid, is_float_graph):
///
/// * Batch norms are folded, activations fused, dynamic-range weights made float (graph_edits.h).
/// * Weights: symmetric, one scale an output channel; biases: s_x * s_w, 32 bits (64 under TFLite semantics
/// with
///   activations of more than 8 bits).
/// * Activations: one quantizer a tensor, behind the fused activation, asymmetric: signed with TFLite
/// semantics,
///   unsigned with ONNX ones. Tensors that an operation only moves, selects or averages (pooling, mean,
///   reshape, transpose, pad, slice, nearest resize) share one grid. Sums, products and concatenations have
///   their own. With TFLite semantics activations of more than 8 bits are symmetric, concatenation ties its
///   operands, and functions of a fixed range make the scales that those operations fix.
/// * What the chip has no integer arithmetic for stays float and goes to the host, between a dequantize and a
///   quantize node (named after the tensors, "#dequantize" and "#quantize").
///
/// Graph inputs and outputs become quantized tensors; a float array given as an input is quantized when it is
/// read. The graph's provenance says what was done. Throws InputError for widths out of range or of no node.
void quantize_graph(Graph& graph, const CalibrationData& data, const QuantizeOptions& options);

}  // namespace qsim
