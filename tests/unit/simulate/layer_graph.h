// Graphs of one layer with given sizes, for tests that vary the chip.
#pragma once

#include <cstdint>

#include "workloads/graph/graph.h"

namespace qsim::test {

struct LayerSize {
  std::int64_t height = 1, width = 1, channels = 1;
  std::int64_t outputs = 1;
  std::int64_t kernel = 1, stride = 1;
  std::int64_t groups = 1;
  int weight_bits = 8;
};

/// A convolution with "same" padding, values from a fixed pattern, on `size`.
[[nodiscard]] Graph layer_graph(const LayerSize& size);
/// Any value for the graph's input.
[[nodiscard]] TensorData pattern_input(const Graph& graph);

}  // namespace qsim::test
