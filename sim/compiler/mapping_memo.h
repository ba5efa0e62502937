// What a mapper has said of each problem: equal ones are mapped once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "hw_models/tensor_layout.h"
#include "sim/compiler/mapper.h"
#include "sim/compiler/mapping.h"

namespace qsim {

/// What the mappings of a row in stripes (stripes.h) depend on, beside the chip.
template <typename ProblemType, typename MappingType>
struct StripeQuestion {
  const ProblemType& problem;
  const std::vector<RowWindow>& windows;
  const MappingType& residency;
  const MappingLimits& limits;
  bool loads_resident_weights = false;
  bool is_given = false;  ///< Values are, on which it depends too.
};

/// Asks a mapper, each question once, for one chip but for the capacities of its buffers, on which candidates
/// do not depend. Layers of a network, choices of what stays, and batches of other sizes that have the same
/// problem share the answer; zero points and whatever else mappings do not depend on may differ.
class MappingMemo {
 public:
  /// The mapper is kept by reference.
  MappingMemo(const Mapper& mapper, const CostMeasure& measure) : mapper_(mapper), measure_(measure) {}

  [[nodiscard]] const Mapper& mapper() const { return mapper_; }
  /// What is minimized.
  [[nodiscard]] const CostMeasure& measure() const { return measure_; }
  /// mapping_limits(), with energies where the mapper knows them.
  [[nodiscard]] MappingLimits limits(const HardwareConfig& hardware, std::int64_t weight_slot_bytes,
                                     std::int64_t parameter_slot_bytes) const {
    MappingLimits limits = mapping_limits(hardware, weight_slot_bytes, parameter_slot_bytes);
    limits.energies = mapper_.energies();
    return limits;
  }
  /// The mapper's options, which stay where they are as long as the memo lives. Spaces in which values are
  /// given are asked for anew each time.
  [[nodiscard]] const MappingOptions<GemmMapping>& options(const GemmSpace& space);
  [[nodiscard]] const MappingOptions<VectorMapping>& options(const VectorSpace& space);

  /// Likewise what `make` makes of the mapper's options for stripes.
  [[nodiscard]] const MappingOptions<GemmMapping>& in_stripes(
      const StripeQuestion<GemmProblem, GemmMapping>& question,
      const std::function<MappingOptions<GemmMapping>()>& make);
  [[nodiscard]] const MappingOptions<VectorMapping>& in_stripes(
      const StripeQuestion<VectorProblem, VectorMapping>& question,
      const std::function<MappingOptions<VectorMapping>()>& make);

 private:
  using Key = std::vector<std::int64_t>;
  struct Hash {
    [[nodiscard]] std::size_t operator()(const Key& key) const;
  };
  template <typename MappingType>
  struct Known {
    std::unordered_map<Key, MappingOptions<MappingType>, Hash> found;
    std::unordered_map<Key, MappingOptions<MappingType>, Hash> in_stripes;
    std::vector<std::unique_ptr<MappingOptions<MappingType>>> given;  ///< Of spaces with given values.
  };
  template <typename Space, typename MappingType>
  [[nodiscard]] const MappingOptions<MappingType>& ask(const Space& space, Known<MappingType>& known);
  template <typename ProblemType, typename MappingType>
  [[nodiscard]] static const MappingOptions<MappingType>& ask_in_stripes(
      const StripeQuestion<ProblemType, MappingType>& question,
      const std::function<MappingOptions<MappingType>()>& make, Known<MappingType>& known);

  const Mapper& mapper_;
  CostMeasure measure_;
  Known<GemmMapping> gemm_;
  Known<VectorMapping> vector_;
};

}  // namespace qsim
