// A systolic array in which sums stay.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "hw_models/pe_array/pe_grid.h"

namespace qsim {

/// R x C PEs. Inputs move right and weights down, one PE a cycle each; row i and column j are fed i and j
/// cycles late (skew registers), so that both meet. A PE keeps its sum; with the last step it drives its
/// column's bus to the accumulators, which takes one sum every `update_cycles`; sums that come faster wait in
/// registers of their PEs.
///
/// A further column at the right and a further row at the bottom sum up what leaves (data-dependent
/// zero-point terms).
class OutputGrid : public PeGrid {
 public:
  OutputGrid(const MacArrayConfig& config, std::int64_t update_cycles, SumCollector& sums);

  void enter(StepOperands operands) override { steps_.put(std::move(operands)); }
  void enter(LoadLine line) override;
  void clock(Cycle cycle) override;
  void declare(Waveform& waveform) override;
  void show(Waveform& waveform) const override;
  [[nodiscard]] std::int64_t settle_cycles() const override;

 private:
  struct Pe {
    Wire right, down;       ///< To the neighbours.
    Wire input, weight;     ///< Being multiplied ...
    std::int64_t busy = 0;  ///< ... for so many more cycles.
    std::int64_t sum = 0;
  };

  /// Sums on their way to the accumulators of a column, the first one next.
  struct Bus {
    struct Item {
      std::shared_ptr<Pass> pass;
      std::int64_t pixel = 0;
      std::int64_t sum = 0;
    };
    std::deque<Item> items;
    std::shared_ptr<Pass> pass;  ///< Of the latest sum: those of the next pass come when all have left.
    Cycle free_from = 0;
  };

  [[nodiscard]] Pe& at(std::int64_t row, std::int64_t column) {
    return pes_[static_cast<std::size_t>(row * (columns_ + 1) + column)];
  }
  /// What entered for row or column `place`, of `places`.
  [[nodiscard]] static Wire entered(const StepOperands& operands, const std::vector<Lane>& lanes,
                                    std::int64_t place, std::int64_t places);
  [[nodiscard]] Wire from_left(std::int64_t row, std::int64_t column, Cycle cycle);
  [[nodiscard]] Wire from_above(std::int64_t row, std::int64_t column, Cycle cycle);
  void evaluate(std::int64_t row, std::int64_t column, Cycle cycle);
  void accumulate(Pe& pe, std::int64_t row, std::int64_t column, Cycle cycle);
  /// A product, or an operand of the further row or column.
  void add(Pe& pe, const Lane& input, const Lane& weight, std::int64_t row, std::int64_t column,
           Cycle cycle) const;
  void leave(const Pe& pe, std::int64_t row, std::int64_t column, Cycle cycle);
  void move_buses(Cycle cycle);
  /// Whether the PE is the last of the pass: the lower right corner, further row and column as far as in use.
  [[nodiscard]] bool is_corner(const Pass& pass, std::int64_t row, std::int64_t column) const;

  std::int64_t rows_, columns_, update_cycles_;
  SumCollector& sums_;
  History<StepOperands> steps_;
  std::size_t first_signal_ = 0;
  std::vector<Pe> pes_;                       ///< [row][column], the further ones included.
  std::vector<Bus> buses_;                    ///< By column.
  std::deque<std::shared_ptr<Pass>> ending_;  ///< Passes whose last step has left all PEs.
};

}  // namespace qsim
