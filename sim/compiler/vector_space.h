// The mappings that an operation of the vector unit may have.
#pragma once

#include "hw_models/vector_operation.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/mapping_pin.h"

namespace qsim {

/// The candidates in a fixed order, large tiles before small ones: the batch is cut first, then rows,
/// columns, channels, each only once the ones before are down to one.
class VectorSpace {
 public:
  /// As GemmSpace.
  VectorSpace(const VectorProblem& problem, const VectorMapping& residency, const HardwareConfig& hardware,
              const MappingLimits& limits, const Pinned<VectorMapping>* pin = nullptr)
      : problem_(problem), residency_(residency), hardware_(hardware), limits_(limits), pin_(pin) {}

  [[nodiscard]] MappingOptions<VectorMapping> candidates() const;

  [[nodiscard]] const HardwareConfig& hardware() const { return hardware_; }
  [[nodiscard]] const VectorProblem& problem() const { return problem_; }
  [[nodiscard]] const VectorMapping& residency() const { return residency_; }
  [[nodiscard]] const MappingLimits& limits() const { return limits_; }
  [[nodiscard]] const Pinned<VectorMapping>* pin() const { return pin_; }

 private:
  const VectorProblem& problem_;
  const VectorMapping& residency_;
  const HardwareConfig& hardware_;
  const MappingLimits& limits_;
  const Pinned<VectorMapping>* pin_;
};

/// A mapping of which nothing is decided: all tensors pass through slots.
[[nodiscard]] inline VectorMapping streamed(const VectorProblem& problem) {
  VectorMapping mapping;
  mapping.inputs_resident.assign(problem.inputs.size(), false);
  return mapping;
}

/// Extents of the largest input tile of each input.
[[nodiscard]] Dims vector_input_tile(const VectorProblem& problem, const VectorMapping& mapping,
                                     std::size_t input);

/// Of a slot each of all tensors that do not stay.
[[nodiscard]] std::int64_t vector_tile_bytes(const VectorProblem& problem, const VectorMapping& mapping);

/// Each tile is loaded and stored once. With `rates` also the energy.
[[nodiscard]] MappingCost vector_cost(const VectorProblem& problem, const VectorMapping& mapping,
                                      const HardwareConfig& hardware, const MappingLimits& limits,
                                      const EventRates* rates = nullptr);

}  // namespace qsim
