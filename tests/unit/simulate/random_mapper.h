// Mappings drawn at random, so that all that are legal are executed and not only those that cost least.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "sim/compiler/compile.h"
#include "sim/compiler/mapper.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim::test {

/// Chooses any of a space's mappings: its candidates, and others that only a file would ask for. What fits
/// is the space's to say. The same answers to the same questions in the same order: a run a mapper.
class RandomMapper final : public Mapper {
 public:
  explicit RandomMapper(std::uint32_t seed) : choice_(seed) {}

  [[nodiscard]] MappingOptions<GemmMapping> options(const GemmSpace& space,
                                                    const CostMeasure& measure) const override;
  [[nodiscard]] MappingOptions<VectorMapping> options(const VectorSpace& space,
                                                      const CostMeasure& measure) const override;

 private:
  mutable Choice choice_;
};

/// A mapping file for a network that has been compiled with mappings of its own: at random what stays on the
/// chip, how a batch is cut, neighbours that run in stripes, what is on a way out. It may be refused.
[[nodiscard]] nlohmann::ordered_json random_pins(Choice& choice, const Graph& graph,
                                                 const CompiledProgram& own, const HardwareConfig& chip);

}  // namespace qsim::test
