// Random small networks and chips for tests that hold two ways of computing the same thing equal.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "workloads/graph/graph.h"

namespace qsim::test {

/// A seeded source of choices.
class Choice {
 public:
  explicit Choice(std::uint32_t seed) : engine_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return between(1, 100) <= percent; }
  template <typename T>
  T of(std::initializer_list<T> values) {
    return *(values.begin() + between(0, static_cast<std::int64_t>(values.size()) - 1));
  }
  float scale() { return static_cast<float>(between(5, 200)) / 1024.0F; }

 private:
  std::mt19937_64 engine_;
};

struct RandomNetwork {
  Graph graph;
  std::vector<TensorData> inputs;
};

enum class LayerKind {
  convolution,
  depthwise,
  fully_connected,
  transposed_convolution,
  matmul,
  pool,
  global_pool,
  mean,
  binary,
  extremum,
  prelu,
  softmax,
  layer_norm,
  resize,
  pad,
  slice,
  transpose,
  concat,
  requantize,
  leaky,
  table
};

/// Format of all activations of a network, and the runtime whose arithmetic it has.
struct ActivationKind {
  Semantics semantics = Semantics::tflite;
  int bits = 8;
  bool is_signed = true;
};

/// One to six layers on one branch with the occasional residual addition or concatenation.
[[nodiscard]] RandomNetwork random_network(Choice& choice);

/// One to three residual blocks, with the occasional other layer between them.
[[nodiscard]] RandomNetwork residual_network(Choice& choice);

/// Two to seven layers that may be executed together: convolutions with kernels of 1 to 5 rows, strides of 1
/// and 2 and any padding, depthwise ones, pools, tables and sums with a tensor further up.
[[nodiscard]] RandomNetwork chain_network(Choice& choice);

/// A convolution that leaves out pixels or rows of its input.
[[nodiscard]] RandomNetwork strided_network(Choice& choice);

/// A network of one image with a batch, and inputs of all images; nothing where it keeps them not apart.
[[nodiscard]] std::optional<RandomNetwork> batched(RandomNetwork network, std::int64_t batch);

/// One to three products, each with a pooling behind it, and the occasional residual addition between.
[[nodiscard]] RandomNetwork pooled_network(Choice& choice);

/// The kinds of layers that there are with such activations.
[[nodiscard]] std::vector<LayerKind> layer_kinds(const ActivationKind& kind);
/// One layer, one of layer_kinds().
[[nodiscard]] RandomNetwork single_layer_network(Choice& choice, const ActivationKind& kind, LayerKind layer);

/// A chip with small buffers, so that most layers are cut into tiles.
[[nodiscard]] HardwareConfig random_chip(Choice& choice);

struct RandomPair {
  std::uint32_t seed = 0;
  RandomNetwork network;
  HardwareConfig chip;
};

/// Whether the chip has room for the network.
[[nodiscard]] bool fits(const Graph& graph, const HardwareConfig& chip);
/// The first `count` pairs from `seed` on of which the network fits the chip. What does not fit is told apart
/// before anything is simulated, because AddressSanitizer loses track of the stack when an exception is
/// thrown after SystemC's coroutines have run.
[[nodiscard]] std::vector<RandomPair> random_pairs(std::size_t count, std::uint32_t seed);

}  // namespace qsim::test
