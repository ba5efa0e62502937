// The weight-stationary systolic MAC array at tile fidelity.
#pragma once

#include <cstdint>
#include <memory>
#include <systemc>
#include <vector>

#include "hw_models/accumulator_bank.h"
#include "hw_models/chip_context.h"
#include "hw_models/commands.h"
#include "hw_models/completions.h"
#include "hw_models/hardware_config.h"
#include "hw_models/sram_buffer.h"

namespace qsim {

/// When the cycles of one pass fall, relative to the cycle in which its first pixel enters (closed forms of a
/// systolic array of R x C PEs with E pixels entering every `interval` cycles: the cycles that a multiplier
/// needs for one product, or more where the read port is narrower than a pixel's operands):
///
///   pixel e reaches PE (r, c) at e*interval + r + c
///   the last useful MAC is over after (E-1)*interval + (product - 1) + r_used + c_used - 1 cycles
///   the last sum has left column C-1 after (E-1)*interval + (product - 1) + R + C - 1 cycles
///   the next pass may enter after E*interval cycles
///
/// `product` are the cycles of one product (MacArrayConfig::cycles_per_mac).
struct PassTiming {
  std::int64_t interval = 1;
  std::int64_t stream_cycles = 0;   ///< E * interval.
  std::int64_t compute_cycles = 0;  ///< Until the last useful MAC.
  std::int64_t drain_cycles = 0;    ///< Until the last sum is in the accumulators.
  std::int64_t load_cycles = 0;     ///< Shifting the weights in, one row a cycle or slower.
};

/// Weights of one pass on their way from the buffer into the PEs, and the pass they belong to.
struct LoadedTile;

/// Three processes: one loads weights into the PEs (into their second register where there is one, while the
/// previous pass still streams), one streams pixels, and completions put the sums into the accumulators.
class MacArray : public sc_core::sc_module {
 public:
  MacArray(sc_core::sc_module_name name, const MacArrayConfig& config, SramBuffer& weight_buffer,
           SramBuffer& activation_buffer, AccumulatorBank& accumulators, Completions& completions,
           ChipContext& context);
  ~MacArray() override;
  MacArray(const MacArray&) = delete;
  MacArray& operator=(const MacArray&) = delete;

  sc_core::sc_fifo<MacTile> tiles;  ///< In order; bounded, so the controller stays a few tiles ahead.

  [[nodiscard]] PassTiming timing(const MacTile& tile) const;

 private:
  void run_loader();
  void run_streamer();
  void take_dependencies(const LoadedTile& loaded);
  void stream(const LoadedTile& loaded);
  void count(const MacTile& tile);
  [[nodiscard]] std::vector<std::int64_t> read_weights(const MacTile& tile) const;
  [[nodiscard]] std::vector<std::int64_t> read_activations(const MacTile& tile) const;
  void accumulate(const MacTile& tile, const std::vector<std::int64_t>& weights,
                  const std::vector<std::int64_t>& activations);

  MacArrayConfig config_;
  SramBuffer& weight_buffer_;
  SramBuffer& activation_buffer_;
  AccumulatorBank& accumulators_;
  Completions& completions_;
  ChipContext& context_;
  sc_core::sc_fifo<std::shared_ptr<const LoadedTile>> loaded_;
  Token registers_free_;  ///< Weight registers that the loader may fill.
};

}  // namespace qsim
