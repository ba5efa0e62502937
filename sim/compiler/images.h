// Bytes of weights, parameters and tensors as the modelled memories hold them.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/program.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// All weight blocks of a nest, in the order that its placement's weight_blocks say.
[[nodiscard]] std::vector<std::byte> weight_image(const Graph& graph, const Node& node, const GemmNest& nest);
/// All parameter blocks of a nest, likewise.
[[nodiscard]] std::vector<std::byte> parameter_image(const Graph& graph, const Node& node,
                                                     const GemmNest& nest,
                                                     const std::vector<std::int64_t>& preload);
/// A tensor in a dense layout (its base is ignored).
[[nodiscard]] std::vector<std::byte> tensor_image(const TensorData& value, const Dims& dims,
                                                  const TensorLayout& layout);

}  // namespace qsim
