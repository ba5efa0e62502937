// Columns of multipliers, each with an adder tree.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "hw_models/pe_array/pe_grid.h"

namespace qsim {

/// A step reaches all PEs in the cycle in which it enters. The products of a column meet in its adder tree,
/// whose sums come out `tree_cycles` later: to the accumulators, or, where sums stay, to the column's
/// register, which goes to the accumulators with the last chunk of a pixel. What stays is loaded a column a
/// cycle; the first step of a pass takes it into use.
///
/// Further trees sum up the operands of each group, and the weights of each column (data-dependent zero-point
/// terms).
class DotProductGrid : public PeGrid {
 public:
  DotProductGrid(const MacArrayConfig& config, std::int64_t macs_a_pe, SumCollector& sums);

  void enter(StepOperands operands) override { entering_ = std::move(operands); }
  void enter(LoadLine line) override { line_ = std::move(line); }
  void clock(Cycle cycle) override;
  void declare(Waveform& waveform) override;
  void show(Waveform& waveform) const override;
  [[nodiscard]] std::int64_t settle_cycles() const override;

 private:
  /// Sums of a step in the trees.
  struct Sums {
    Cycle due = 0;  ///< They come out in this cycle.
    std::shared_ptr<Pass> pass;
    std::int64_t step = 0;
    bool is_last = false;
    std::vector<std::int64_t> columns;         ///< By column in use.
    std::vector<std::int64_t> group_sums;      ///< By group: of the operands that stream past.
    std::vector<std::int64_t> column_weights;  ///< By column: of weights that stream past.
  };

  void load(Cycle cycle);
  void take_into_use(Pass& pass);
  [[nodiscard]] Sums products(Cycle cycle);
  void sum_operands(Pass& pass, Sums& sums);
  void leave(const Sums& sums);
  void leave_stationary(Pass& pass, const Sums& sums);
  void keep(Pass& pass, const Sums& sums);

  std::int64_t rows_, columns_, tree_cycles_;
  SumCollector& sums_;
  std::size_t first_signal_ = 0;
  StepOperands entering_;
  LoadLine line_;
  StepOperands operands_;                                        ///< Being multiplied ...
  std::int64_t busy_ = 0;                                        ///< ... for so many more cycles.
  std::vector<Lane> active_, shadow_;                            ///< [column][row]: what stays.
  std::vector<std::int64_t> kept_, kept_weights_, kept_inputs_;  ///< Sums that stay.
  std::deque<Sums> tree_;
  bool entered_now_ = false;              ///< A step entered in the present cycle.
  std::vector<std::int64_t> tree_input_;  ///< What entered the trees in it, by column.
};

}  // namespace qsim
