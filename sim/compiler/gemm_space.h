// The mappings that a product may have on a chip.
#pragma once

#include "hw_models/gemm.h"
#include "hw_models/hardware_config.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/mapping_pin.h"

namespace qsim {

/// What a policy chooses from. The candidates come in a fixed order: the whole reduction before its cuts, few
/// column tiles a block before many, large tiles of pixels before small ones. They depend on no capacity.
class GemmSpace {
 public:
  /// Of `residency` the residency and what is stored in DRAM count; they are the same in all candidates.
  /// Resident weights take no slots and cost no traffic. Everything must outlive the space. A pinned value
  /// stands for the candidates' own; any legal one will do.
  GemmSpace(const GemmProblem& problem, const GemmMapping& residency, const HardwareConfig& hardware,
            const MappingLimits& limits, const Pinned<GemmMapping>* pin = nullptr)
      : problem_(problem), residency_(residency), hardware_(hardware), limits_(limits), pin_(pin) {}

  /// Those that fit the slots of the weight buffer, with their costs, and what all of them need.
  [[nodiscard]] MappingOptions<GemmMapping> candidates() const;
  [[nodiscard]] const HardwareConfig& hardware() const { return hardware_; }
  [[nodiscard]] const GemmProblem& problem() const { return problem_; }
  [[nodiscard]] const GemmMapping& residency() const { return residency_; }
  [[nodiscard]] const MappingLimits& limits() const { return limits_; }
  [[nodiscard]] const Pinned<GemmMapping>* pin() const { return pin_; }

 private:
  const GemmProblem& problem_;
  const GemmMapping& residency_;
  const HardwareConfig& hardware_;
  const MappingLimits& limits_;
  const Pinned<GemmMapping>* pin_;
};

}  // namespace qsim
