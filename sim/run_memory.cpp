#include "sim/run_memory.h"

#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/timeline.h"
#include "workloads/graph/graph_memory.h"

namespace qsim {
namespace {

/// Bytes that the inferences share.
std::int64_t shared_bytes(const GemmNest& nest) {
  return static_cast<std::int64_t>(sizeof(std::int64_t) * (nest.placement().weight_blocks.size() +
                                                           nest.placement().parameter_blocks.size()));
}

std::int64_t shared_bytes(const VectorNest& nest) {
  const auto* unary = std::get_if<arithmetic::UnaryFunction>(&nest.problem().function);
  const auto* table = unary == nullptr ? nullptr : std::get_if<arithmetic::TableFunction>(unary);
  return table == nullptr ? 0 : static_cast<std::int64_t>(sizeof(std::int32_t) * table->table.size());
}

std::int64_t shared_bytes(const HostNest& /*nest*/) {
  return 0;
}

}  // namespace

void check_value_memory(const Graph& graph, const SimulateOptions& options) {
  if (options.values == Values::none) return;
  std::int64_t bytes = constant_bytes(graph) + activation_bytes(graph, options.dump_tensors);
  if (options.values == Values::tile) {
    // Images of the constants and the memory that they are copied to; each activation there and as integers.
    for (const Tensor& tensor : graph.tensors) {
      const std::int64_t elements = element_count(tensor.shape);
      bytes +=
          elements * (tensor.is_constant() ? 2 * static_cast<std::int64_t>(element_size_bytes(tensor.type))
                                           : 4 + static_cast<std::int64_t>(sizeof(std::int64_t)));
    }
  }
  check_run_bytes(graph, bytes, "values of the run", kLargeValuesHint);
}

void check_record_memory(const Graph& graph, const CompiledProgram& compiled,
                         const SimulateOptions& options) {
  constexpr auto kRowBytes = static_cast<std::int64_t>(
      sizeof(Activity) + sizeof(RowTimes) + sizeof(CycleBreakdown) + sizeof(arithmetic::AccumulatorStats));
  std::int64_t shared = 0;
  for (const Nest& nest : compiled.program.nests)
    shared += std::visit([](const auto& n) { return shared_bytes(n); }, nest);
  const std::int64_t bytes = kRowBytes * compiled.program.rows +
                             static_cast<std::int64_t>(sizeof(Nest) * compiled.program.nests.size());
  check_run_bytes(graph, shared + bytes * options.inferences, "records of all inferences",
                  "use fewer --inferences");
}

}  // namespace qsim
