// From a graph node to the problems that its nests solve: no tiles, no addresses.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/program.h"
#include "sim/compiler/schedule.h"
#include "workloads/graph/graph.h"

namespace qsim {

using NestProblem = std::variant<std::shared_ptr<const GemmProblem>, std::shared_ptr<const VectorProblem>,
                                 std::shared_ptr<const HostProblem>>;

/// What the nests of one row compute, and the tensors that they read and write.
struct LoweredRow {
  std::vector<NestProblem> problems;
  /// Storage indices: inputs[n][i] is problem n's input i; the output is the same for all of them.
  std::vector<std::vector<int>> inputs;
  int output = -1;
  std::vector<std::int64_t> preload;  ///< Rows on the MAC array: one a channel.

  /// What the row computes on the MAC array; nullptr where it does not run there.
  [[nodiscard]] const GemmProblem* gemm() const {
    const auto* found =
        problems.empty() ? nullptr : std::get_if<std::shared_ptr<const GemmProblem>>(&problems[0]);
    return found == nullptr ? nullptr : found->get();
  }
};

/// Geometry, formats, functions and parameter layout of a row. A product of activations is for chips with
/// DRAM. Throws InputError where a node cannot be mapped on any chip.
[[nodiscard]] LoweredRow lower(const Graph& graph, const Schedule& schedule, std::int32_t row,
                               const HardwareConfig& hardware);

/// The parts of lower() by unit.
[[nodiscard]] LoweredRow lower_to_mac_array(const Graph& graph, const Schedule& schedule, std::int32_t row,
                                            const HardwareConfig& hardware);
[[nodiscard]] LoweredRow lower_to_vector_unit(const Graph& graph, const Schedule& schedule, std::int32_t row);

/// Width that no operands of these formats can overflow: the preloads plus K products of the extreme
/// operands. 0 of blocks, whose exponents may be any.
[[nodiscard]] int worst_case_accumulator_bits(const GemmProblem& problem,
                                              const std::vector<std::int64_t>& preload);

/// Rows on the host. The graph must outlive the problem.
[[nodiscard]] LoweredRow lower_to_host(const Graph& graph, const Schedule& schedule, std::int32_t row);

/// A tensor viewed with extents `dims` (dense).
[[nodiscard]] TensorView view_of(const Schedule& schedule, TensorId id, const Dims& dims);

/// Weight of output channel n at reduction element (kernel_h, kernel_w, c) as the array sees it: transposed
/// convolutions read their kernel flipped.
[[nodiscard]] std::int64_t weight_at(const Graph& graph, const Node& node, std::int64_t n,
                                     std::int64_t kernel_h, std::int64_t kernel_w, std::int64_t c);

}  // namespace qsim
