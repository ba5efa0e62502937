// One node's computation at layer level, as every file of this folder and the executor see it.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <vector>

#include "hw_models/arithmetic/vector_functions.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Calls `f` with a zero of the C++ type of `type` (integers of at most 16 bits).
template <typename F>
decltype(auto) visit_element_type(ElementType type, F&& f) {
  switch (type) {
    case ElementType::i8:
      return f(std::int8_t{});
    case ElementType::u8:
      return f(std::uint8_t{});
    case ElementType::i16:
      return f(std::int16_t{});
    case ElementType::u16:
      return f(std::uint16_t{});
    default:
      throw std::logic_error("element type without kernels");
  }
}

/// In the order of the node's inputs; an absent optional input is nullptr.
using Operands = std::vector<const TensorData*>;

/// One run of a node of a valid graph.
struct NodeRun {
  const Graph& graph;
  const Node& node;
  const Operands& inputs;
  TensorData& output;
  int threads = 1;

  /// The only input of most nodes.
  [[nodiscard]] const TensorData& x() const { return *inputs[0]; }
  /// Of float nodes.
  [[nodiscard]] std::span<const float> input(std::size_t i = 0) const { return inputs[i]->as<float>(); }
  [[nodiscard]] std::span<float> result() const { return output.as<float>(); }
};

/// Bounds of an activation in real numbers.
struct RealBounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};
[[nodiscard]] RealBounds bounds_of(Activation activation);

/// Limits of a fused activation of a float node.
struct FloatClamp {
  float low, high;

  explicit FloatClamp(Activation activation) : FloatClamp(bounds_of(activation)) {}
  explicit FloatClamp(const RealBounds& bounds) : low(bounds.low), high(bounds.high) {}
  /// A NaN stays one.
  [[nodiscard]] float operator()(float x) const { return x < low ? low : x > high ? high : x; }
};

/// A node's integers by the function that the vector unit evaluates: element by element, or by rows.
void run_vector_function(const NodeRun& run, const arithmetic::VectorFunction& function);

}  // namespace qsim
