// Writes a graph as an ONNX model that ONNX Runtime runs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

enum class OnnxStyle {
  /// Quantized operators: QLinearConv, QGemm, com.microsoft.QLinearAdd ..; ONNX Runtime computes them with
  /// integers. What has none lies between DequantizeLinear and QuantizeLinear.
  qoperator,
  /// DequantizeLinear -> float operator -> QuantizeLinear throughout.
  qdq,
};

/// The model's bytes: opset 21 and com.microsoft 1, IR version 10. Inputs and outputs have the names and the
/// layout of the model that the graph was read from. What ONNX cannot say (a rounding profile other than
/// float32, the arithmetic of TFLite, widths that no ONNX type has) is told by onnx_conversion_notes(). The
/// graph is valid. Throws InputError, with every node that ONNX has no operator for.
[[nodiscard]] std::vector<std::byte> encode_onnx(const Graph& graph, OnnxStyle style);

/// In which respects the written model computes something else than the graph; empty: in none.
[[nodiscard]] std::vector<std::string> onnx_conversion_notes(const Graph& graph);

}  // namespace qsim
