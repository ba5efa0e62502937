// The MAC array: passes in order, each when what it needs is there.
#pragma once

#include <cstdint>
#include <memory>
#include <systemc>
#include <vector>

#include "hw_models/array_datapath.h"
#include "hw_models/core/chip_context.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/pass_timing.h"
#include "hw_models/core/sram_buffer.h"
#include "hw_models/cycle.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// Two processes: one fills the PEs with what stays (their second register where there is one, while the
/// previous pass still streams), one streams the rest. They put passes in order and take and give tokens;
/// what happens in between is the datapath's.
class MacArray : public sc_core::sc_module {
 public:
  MacArray(sc_core::sc_module_name name, const MacArrayConfig& config, const ArrayPorts& ports,
           SramBuffer& weight_buffer, SramBuffer& activation_buffer, ArrayDatapath& datapath,
           ChipContext& context);
  MacArray(const MacArray&) = delete;
  MacArray& operator=(const MacArray&) = delete;

  sc_core::sc_fifo<MacTile> tiles;  ///< In order; bounded, so the controller stays a few tiles ahead.

  [[nodiscard]] PassTiming timing(const MacTile& tile) const { return pass_timing(config_, tile, ports_); }

 private:
  /// A pass on its way from the loading process to the streaming one.
  struct LoadedTile {
    MacTile tile;
    Cycle ready = 0;  ///< The buffer held what stays from this cycle on.
  };

  void run_loader();
  void run_streamer();
  void take_dependencies(const MacTile& tile);
  void wait_for_buses(const MacTile& tile, const PassTiming& pass);
  void occupy_buses(const MacTile& tile, const PassTiming& pass, Cycle last_step);
  void stream(const MacTile& tile);

  MacArrayConfig config_;
  ArrayPorts ports_;
  SramBuffer& weight_buffer_;
  SramBuffer& activation_buffer_;
  ArrayDatapath& datapath_;
  ChipContext& context_;
  sc_core::sc_fifo<std::shared_ptr<const LoadedTile>> loaded_;
  Token registers_free_;  ///< Registers that the loader may fill.
  /// Where outputs stay: by group, the bus of its first column. Passes in flight are of one nest, whose
  /// groups have the same columns in each pass.
  std::vector<Cycle> buses_free_from_;
};

}  // namespace qsim
