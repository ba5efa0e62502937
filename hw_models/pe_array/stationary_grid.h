// A systolic array in which weights or inputs stay.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/pe_array/pe_grid.h"

namespace qsim {

/// R x C PEs. Operands move right, one PE a cycle; partial sums move down, one PE a cycle, and leave the
/// lowest row for the accumulators. Row i is fed i cycles after row 0 (skew registers).
///
/// What stays moves down a chain of its own, bottom row first, R shifts in all; the shift of PE (i, j)
/// follows that of its upper and left neighbours by a cycle. So a load never overtakes the first step of the
/// pass before, which takes what was loaded into use as it passes.
///
/// A PE that makes several products at once is as many of these PEs one above the other, which share the
/// cycle: they are fed, loaded and added up together.
///
/// A further column of adders at the right sums up the operands of each group of rows as they leave
/// (data-dependent zero-point terms).
class StationaryGrid : public PeGrid {
 public:
  StationaryGrid(const MacArrayConfig& config, std::int64_t macs_a_pe, SumCollector& sums);

  void enter(StepOperands operands) override { steps_.put(std::move(operands)); }
  void enter(LoadLine line) override { lines_.put(std::move(line)); }
  void clock(Cycle cycle) override;
  void declare(Waveform& waveform) override;
  void show(Waveform& waveform) const override;
  [[nodiscard]] std::int64_t settle_cycles() const override;

 private:
  struct Sum {
    std::shared_ptr<Pass> pass;
    std::int64_t step = 0;
    std::int64_t value = 0;
  };
  /// What stays, and the pass that it is for.
  struct Kept {
    std::shared_ptr<Pass> pass;
    Lane lane;
  };
  struct Pe {
    Wire right;             ///< To the right neighbour.
    Sum down;               ///< To the lower neighbour.
    Kept active, shadow;    ///< In use, and loaded.
    Kept chain;             ///< To the lower neighbour's shadow.
    Wire operand;           ///< Being multiplied ...
    std::int64_t busy = 0;  ///< ... for so many more cycles.
  };

  /// Of the further column.
  struct Adder {
    Wire operand;
    std::int64_t busy = 0;
    std::vector<std::int64_t> down;  ///< Sum of each group so far, to the lower neighbour.
  };

  [[nodiscard]] Pe& at(std::int64_t row, std::int64_t column) {
    return pes_[static_cast<std::size_t>(row * columns_ + column)];
  }
  /// Row of PEs.
  [[nodiscard]] std::int64_t pe_row(std::int64_t row) const { return row / macs_a_pe_; }
  [[nodiscard]] Wire incoming(std::int64_t row, std::int64_t column, Cycle cycle);
  void shift(std::int64_t row, std::int64_t column, Cycle cycle);
  void multiply(std::int64_t row, std::int64_t column, Cycle cycle);
  void add_up(std::int64_t row, Cycle cycle);
  void leave(const Sum& sum, std::int64_t column, bool is_last, Cycle cycle);

  std::int64_t macs_a_pe_;
  std::int64_t rows_, columns_;  ///< Rows of products.
  SumCollector& sums_;
  History<StepOperands> steps_;
  History<LoadLine> lines_;
  std::size_t first_signal_ = 0;
  std::vector<Pe> pes_;  ///< [row][column]
  std::vector<Adder> adders_;
};

}  // namespace qsim
