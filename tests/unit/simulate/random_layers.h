// Layers with random attributes, tensors and values, appended to a network.
#pragma once

#include <string>
#include <vector>

#include "tests/unit/simulate/random_network.h"

namespace qsim::test {

/// A network under construction whose activations have one format. A layer takes a tensor of rank 4 and
/// returns its output, of rank 4.
class RandomLayers {
 public:
  RandomLayers(Choice& choice, Semantics semantics, int activation_bits, bool is_signed);

  /// Of convolutions that are drawn from now on.
  void set_most_kernel(std::int64_t most) { most_kernel_ = most; }
  [[nodiscard]] Shape shape_of(TensorId id) { return shape(id); }

  /// A graph input with random values.
  TensorId input(const Shape& dims);
  /// The network so far, with `output` as the graph's.
  [[nodiscard]] RandomNetwork finish(TensorId output);

  TensorId convolution(TensorId x);
  TensorId depthwise(TensorId x);
  /// Strides up to 4, dilations up to 3, kernels up to 3: most leave out pixels or rows of the input.
  TensorId strided_convolution(TensorId x);
  TensorId transposed_convolution(TensorId x);
  TensorId fully_connected(TensorId x);
  /// By itself transposed, by its own transposition, or one of the operands is a matrix that all rows share.
  TensorId matmul(TensorId x);
  /// [.., m, k] times [.., k, n], or [.., n, k] where it is transposed.
  TensorId product(TensorId a, TensorId b, bool transposed);

  TensorId pool(TensorId x);
  TensorId global_pool(TensorId x);
  TensorId mean(TensorId x);
  TensorId binary(TensorId x);
  /// Of two tensors of equal shape.
  TensorId sum(TensorId a, TensorId b);
  TensorId extremum(TensorId x);
  TensorId prelu(TensorId x);
  TensorId softmax(TensorId x);
  TensorId layer_norm(TensorId x);
  TensorId resize(TensorId x);
  TensorId pad(TensorId x);
  TensorId slice(TensorId x);
  TensorId transpose(TensorId x);
  TensorId concat(TensorId x);
  TensorId requantize(TensorId x);
  TensorId leaky(TensorId x);
  /// One of the functions that a table holds.
  TensorId table(TensorId x);
  /// A convolution that keeps the extents, plus or minus its input, what comes of it by another way, or a
  /// constant; with or without functions of one element before and behind the addition.
  TensorId residual(TensorId x);

 private:
  Graph& graph() { return network_.graph; }
  const Shape& shape(TensorId id) { return graph().tensor(id).shape; }
  [[nodiscard]] bool is_onnx() const { return network_.graph.semantics == Semantics::onnx; }

  TensorId add_tensor(Tensor tensor);
  TensorId activation(const std::string& name, const Shape& dims);
  TensorId constant_activation(const std::string& name, const Shape& dims);
  TensorData random_values(TensorId id);
  TensorId add_node(Op op, std::vector<TensorId> inputs, TensorId output);
  /// An output with the quantization of `like` (operators that keep it).
  TensorId same_grid(TensorId like, const Shape& dims);
  TensorId weights(const Shape& dims, std::int64_t channels);
  TensorId bias(TensorId input, TensorId weight, std::int64_t channels);
  TensorId channel_constant(const std::string& name, std::int64_t channels);
  /// `grouped`: depthwise, or two groups where the channels allow it.
  TensorId convolve(TensorId x, std::int64_t groups, std::int64_t channels);
  /// A function of one element that there is for the format of the activations.
  TensorId element_function(TensorId x);

  Choice& choice_;
  RandomNetwork network_;
  int activation_bits_;
  bool is_signed_;
  std::int64_t most_kernel_ = 3;
};

}  // namespace qsim::test
