// A float graph whose products are computed in blocks: MXINT8 (workloads/graph/blocks.h).
#pragma once

#include <string>
#include <vector>

#include "quantization/range_setting.h"
#include "workloads/graph/graph.h"

namespace qsim {

struct BlockLayers {
  int layers = 0;                       ///< Products of blocks.
  int vector_layers = 0;                ///< Additions and poolings of them.
  std::vector<std::string> host_nodes;  ///< All others, which stay float.
};

/// Convolutions of one group, and fully connected layers over the last dimension of their input, get operands
/// and outputs in blocks of 32 channels; their biases stay float32. Additions, maxima and means of windows
/// (block_function() in workloads/ops/block_rows.h) whose inputs are blocks compute with them. What lies
/// between stays float, behind dequantize and quantize nodes of the host ("#dequantize", "#quantize"); so do
/// the graph's inputs and outputs. Of a layer with the largest |x| seen below 2^(e + 1) the sums' range is
///
///   2^block_range > max_n (sum_k |w[n][k]| * 2^(e + 1) + |b[n]|)
///
/// `observed`: by tensor, of the same graph.
[[nodiscard]] BlockLayers quantize_to_blocks(Graph& graph, const std::vector<ObservedValues>& observed);

}  // namespace qsim
