// What the compiler minimizes.
#pragma once

#include <cstdint>
#include <utility>

#include "sim/compiler/mapping_cost.h"

namespace qsim {

enum class Objective : std::uint8_t {
  latency,  ///< Cycles of the first inference; of equal ones less energy.
  energy,   ///< Its energy; of equal ones fewer cycles.
  edp,      ///< The product of both.
};

/// A cost as one number: less is better. The product of two sums is no sum over rows; but where it is least,
/// so is the sum of energy and cycles at the rate at which both are exchanged there. So a search for the
/// least product is one for sums, at rates that approach it.
class CostMeasure {
 public:
  CostMeasure() = default;  ///< Latency.
  [[nodiscard]] static CostMeasure energy() { return {0.0, 1.0}; }
  /// Energy, and cycles at so many pJ each.
  [[nodiscard]] static CostMeasure exchange(double pj_a_cycle) {
    return {pj_a_cycle / MappingCost::kCycle, 1.0};
  }

  [[nodiscard]] double operator()(const MappingCost& cost) const {
    return of_total_ * static_cast<double>(cost.total()) + of_energy_ * cost.energy_pj;
  }
  /// With what tells equal ones apart.
  [[nodiscard]] std::pair<double, double> rank(const MappingCost& cost) const {
    return {(*this)(cost), of_energy_ == 0.0 ? cost.energy_pj : static_cast<double>(cost.total())};
  }
  [[nodiscard]] bool is_latency() const { return of_energy_ == 0.0; }

 private:
  CostMeasure(double of_total, double of_energy) : of_total_(of_total), of_energy_(of_energy) {}

  double of_total_ = 1.0, of_energy_ = 0.0;
};

}  // namespace qsim
