// From a graph node to the nests that compute it, still without tiles and addresses.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/program.h"
#include "sim/compiler/schedule.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Nests of one row and the tensors that their placements stand for.
struct LoweredRow {
  std::vector<Nest> nests;
  /// Storage indices: inputs[n][i] is nest n's input i; the output is the same for all nests.
  std::vector<std::vector<int>> inputs;
  int output = -1;
  std::vector<std::int64_t> preload;  ///< Rows on the MAC array: one a channel.
};

/// Geometry, formats, functions and parameter layout of a row. Placements have dims and DRAM strides, no
/// addresses; `row` is the report row. A product of activations is for chips with DRAM. Throws InputError
/// where a node cannot be mapped on any chip.
[[nodiscard]] LoweredRow lower(const Graph& graph, const Schedule& schedule, std::int32_t row,
                               const HardwareConfig& hardware);

/// The parts of lower() by unit.
[[nodiscard]] LoweredRow lower_to_mac_array(const Graph& graph, const Schedule& schedule, std::int32_t row,
                                            const HardwareConfig& hardware);
[[nodiscard]] LoweredRow lower_to_vector_unit(const Graph& graph, const Schedule& schedule, std::int32_t row);

/// Width that no operands of these formats can overflow: the preloads plus K products of the extreme
/// operands.
[[nodiscard]] int worst_case_accumulator_bits(const GemmNest& nest, const std::vector<std::int64_t>& preload);

/// Rows on the host: reads and the write without addresses. The graph must outlive the nest.
[[nodiscard]] LoweredRow lower_to_host(const Graph& graph, const Schedule& schedule, std::int32_t row);

/// Placement of a tensor viewed with extents `dims` (dense, base 0).
[[nodiscard]] Placement view_placement(const Schedule& schedule, TensorId id, const Dims& dims);

/// Weight of output channel n at reduction element (kernel_h, kernel_w, c) as the array sees it: transposed
/// convolutions read their kernel flipped.
[[nodiscard]] std::int64_t weight_at(const Graph& graph, const Node& node, std::int64_t n,
                                     std::int64_t kernel_h, std::int64_t kernel_w, std::int64_t c);

}  // namespace qsim
