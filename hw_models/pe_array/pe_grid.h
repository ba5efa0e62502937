// The PEs of the array and their registers, clocked.
#pragma once

#include <cstdint>
#include <memory>

#include "hw_models/hardware_config.h"
#include "hw_models/pe_array/pass.h"
#include "hw_models/pe_array/sum_collector.h"
#include "hw_models/waveform.h"

namespace qsim {

/// Largest array whose PEs are shown one by one in a waveform.
inline constexpr std::int64_t kMostPesShown = 1024;

/// What happens in the PEs from one clock edge to the next.
class PeGrid {
 public:
  PeGrid() = default;
  virtual ~PeGrid() = default;
  PeGrid(const PeGrid&) = delete;
  PeGrid& operator=(const PeGrid&) = delete;

  /// What enters in the cycle that clock() evaluates next; at most one of each a cycle.
  virtual void enter(StepOperands operands) = 0;
  virtual void enter(LoadLine line) = 0;
  /// Evaluates `cycle`: every register takes its next value.
  virtual void clock(Cycle cycle) = 0;
  /// The pass whose last sum went to the accumulators in the cycle that was evaluated last, if any.
  [[nodiscard]] std::shared_ptr<Pass> take_drained() { return std::move(drained_); }
  /// Declares the signals of the PEs, and sets them to what the registers hold.
  virtual void declare(Waveform& waveform) = 0;
  virtual void show(Waveform& waveform) const = 0;
  /// Cycles from entering until nothing moves any more, at most.
  [[nodiscard]] virtual std::int64_t settle_cycles() const = 0;

 protected:
  void drain(std::shared_ptr<Pass> pass) { drained_ = std::move(pass); }

 private:
  std::shared_ptr<Pass> drained_;
};

/// Of PEs that make `macs_a_pe` products at once.
[[nodiscard]] std::unique_ptr<PeGrid> make_pe_grid(PeGridKind kind, const MacArrayConfig& config,
                                                   std::int64_t macs_a_pe, std::int64_t update_cycles,
                                                   SumCollector& sums);

}  // namespace qsim
