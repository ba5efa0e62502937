// Operators between the quantizers of QONNX: integers come in, what follows up to the next quantizer becomes
// the requantization of the result.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/graph_builder.h"
#include "workloads/readers/onnx/operator_context.h"

namespace qsim::onnx_format {

struct QonnxGroup {
  std::vector<Operand> operands;  ///< In the operator's order; an absent one has no name.
  Result result;                  ///< The integers, "VALUE#q".
  Activation activation = Activation::none;
  /// Taken in: what lies between, and the quantizer.
  std::vector<std::size_t> absorbed;
  /// The float that the integers stand for, and the node of the model that makes it.
  std::string value;
  std::size_t value_node = 0;
  /// An average: the sum of the window, whose requantization divides.
  bool sums_window = false;
  /// Accumulators of several scales, or with a bias that is no integer: the host multiplies and adds.
  std::vector<float> host_scales, host_shifts;
};

/// The group of an operator, or nothing where it stays a float one: an operand is a float at run time, or
/// what follows is no chain up to a quantizer (of products: then the result is the accumulators).
[[nodiscard]] std::optional<QonnxGroup> find_qonnx_group(OperatorContext& context);

/// A quantizer with what lies before it, from a node on that computes with one constant: Mul, Sub, Relu, ..
/// Nothing where no quantizer follows.
[[nodiscard]] std::optional<QonnxGroup> find_qonnx_prelude(OperatorContext& context);

/// An operator that moves elements does so with the integers; the float it gives is theirs.
[[nodiscard]] std::optional<QonnxGroup> find_qonnx_move(OperatorContext& context);

/// What a quantizer that no group takes in makes of its input.
[[nodiscard]] QonnxGroup qonnx_quantization(OperatorContext& context);

}  // namespace qsim::onnx_format
