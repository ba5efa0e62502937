// The MAC array at tile fidelity.
#pragma once

#include <cstdint>
#include <memory>
#include <systemc>
#include <vector>

#include "hw_models/accumulator_bank.h"
#include "hw_models/chip_context.h"
#include "hw_models/commands.h"
#include "hw_models/completions.h"
#include "hw_models/cycle.h"
#include "hw_models/hardware_config.h"
#include "hw_models/pass_timing.h"
#include "hw_models/sram_buffer.h"

namespace qsim {

/// What stays in the PEs during one pass, on its way from the buffer, and the pass it belongs to.
struct LoadedTile;

/// Three processes: one fills the PEs with what stays (their second register where there is one, while the
/// previous pass still streams), one streams the rest, and completions put the sums into the accumulators.
class MacArray : public sc_core::sc_module {
 public:
  MacArray(sc_core::sc_module_name name, const MacArrayConfig& config, SramBuffer& weight_buffer,
           SramBuffer& activation_buffer, AccumulatorBank& accumulators, Completions& completions,
           ChipContext& context);
  ~MacArray() override;
  MacArray(const MacArray&) = delete;
  MacArray& operator=(const MacArray&) = delete;

  sc_core::sc_fifo<MacTile> tiles;  ///< In order; bounded, so the controller stays a few tiles ahead.

  [[nodiscard]] PassTiming timing(const MacTile& tile) const {
    return pass_timing(config_, tile, weight_buffer_, activation_buffer_);
  }

 private:
  void run_loader();
  void run_streamer();
  void take_dependencies(const MacTile& tile);
  void wait_for_bus(const MacTile& tile);
  void stream(const LoadedTile& loaded);
  void count(const MacTile& tile);
  void count_zero_point_adds(const MacTile& tile);

  MacArrayConfig config_;
  SramBuffer& weight_buffer_;
  SramBuffer& activation_buffer_;
  AccumulatorBank& accumulators_;
  Completions& completions_;
  ChipContext& context_;
  sc_core::sc_fifo<std::shared_ptr<const LoadedTile>> loaded_;
  Token registers_free_;     ///< Registers that the loader may fill.
  Cycle bus_free_from_ = 0;  ///< Column 0's bus, where sums stay in the PEs.
};

}  // namespace qsim
