// Who chooses mappings: a policy that the compiler asks (docs/mapping.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sim/compiler/gemm_space.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/mapping_pin.h"
#include "sim/compiler/objective.h"
#include "sim/compiler/vector_space.h"

namespace qsim {

enum class RowUnit : std::uint8_t { mac_array, vector_unit, host, requantizer };

/// A row of the report, as a mapping file names it.
struct RowId {
  std::string name;  ///< The last node that it executes.
  std::string op;
  RowUnit unit = RowUnit::mac_array;
  std::size_t inputs = 1;  ///< Of the vector unit: of its first nest.
  std::size_t nests = 1;
  bool may_be_joined = false;    ///< Of the vector unit: the requantizer may do it, on a product's way out.
  bool may_have_addend = false;  ///< Of the MAC array: an adder may be on its way out.
};

/// A value of a mapping that is given, and where.
struct PinnedValue {
  std::variant<std::int64_t, std::string> value;
  std::string place;
};

/// What is given beforehand about a row.
struct RowPin {
  std::string file;
  std::string layer;
  std::map<std::string, PinnedValue> values;  ///< By key: all of them, those that follow from others too.
  std::optional<RowUnit> unit;
  Pinned<GemmMapping> gemm;
  std::vector<Pinned<VectorMapping>> vector;     ///< One a nest.
  std::optional<std::int64_t> activation_bytes;  ///< LayerMapping.
  std::optional<std::int64_t> images_together;   ///< LayerMapping.
  std::vector<std::string> fused_with;           ///< RowFusion ..
  std::optional<std::int64_t> stripe_rows;       ///< .. of the layer's mapping.
};

/// One of several: the cost mapper is what the program uses; tests bring others.
class Mapper {
 public:
  Mapper() = default;
  virtual ~Mapper() = default;
  Mapper(const Mapper&) = delete;
  Mapper& operator=(const Mapper&) = delete;

  /// The mappings worth having, a later one better than an earlier: the planner takes the last that fits.
  /// `needed` and `rejection` are the space's.
  [[nodiscard]] virtual MappingOptions<GemmMapping> options(const GemmSpace& space,
                                                            const CostMeasure& measure) const = 0;
  [[nodiscard]] virtual MappingOptions<VectorMapping> options(const VectorSpace& space,
                                                              const CostMeasure& measure) const = 0;

  /// What the compiler minimizes; energies are wanted for any but latency.
  [[nodiscard]] virtual Objective objective() const { return Objective::latency; }
  /// nullptr where they are not known.
  [[nodiscard]] virtual const EnergyRates* energies() const { return nullptr; }

  /// What is given about each row; none where nothing is. Throws InputError for what no row answers to.
  [[nodiscard]] virtual std::vector<RowPin> pins(const std::vector<RowId>& /*rows*/) const { return {}; }
};

/// The cheapest by the measure (decision 0023).
class CostMapper final : public Mapper {
 public:
  CostMapper() = default;  ///< The fastest; of equally fast ones any.
  CostMapper(Objective objective, EnergyRates energies)
      : objective_(objective), energies_(std::move(energies)) {}

  [[nodiscard]] MappingOptions<GemmMapping> options(const GemmSpace& space,
                                                    const CostMeasure& measure) const override;
  [[nodiscard]] MappingOptions<VectorMapping> options(const VectorSpace& space,
                                                      const CostMeasure& measure) const override;
  [[nodiscard]] Objective objective() const override { return objective_; }
  [[nodiscard]] const EnergyRates* energies() const override { return energies_ ? &energies_ : nullptr; }

 private:
  Objective objective_ = Objective::latency;
  EnergyRates energies_;
};

}  // namespace qsim
