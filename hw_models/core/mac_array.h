// The MAC array: passes in order, each when what it needs is there.
#pragma once

#include <cstdint>
#include <memory>
#include <systemc>
#include <vector>

#include "hw_models/array_datapath.h"
#include "hw_models/core/buffer_if.h"
#include "hw_models/core/column_buses.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/pass_timing.h"
#include "hw_models/core/processes.h"
#include "hw_models/cycle.h"
#include "hw_models/hardware_config.h"
#include "hw_models/recorder.h"

namespace qsim {

/// Two processes: one fills the PEs with what stays (their second register where there is one, while the
/// previous pass still streams), one streams the rest. They put passes in order and take and give tokens;
/// what happens in between is the datapath's.
class MacArray : public sc_core::sc_module {
 public:
  MacArray(sc_core::sc_module_name name, const MacArrayConfig& config, const ArrayPorts& ports,
           ArrayDatapath& datapath, Recorder& recorder, Processes& processes);
  MacArray(const MacArray&) = delete;
  MacArray& operator=(const MacArray&) = delete;

  static constexpr int kQueueDepth = 4;  ///< The controller stays a few tiles ahead.
  sc_core::sc_fifo_in<MacTile> tiles;    ///< In order.
  sc_core::sc_port<BufferIf> weight_buffer;
  sc_core::sc_port<BufferIf> activation_buffer;

  [[nodiscard]] PassTiming timing(const MacTile& tile) const { return pass_timing(config_, tile, ports_); }

 private:
  /// A pass on its way from the loading process to the streaming one.
  struct LoadedTile {
    MacTile tile;
    Cycle ready = 0;  ///< The buffer held what stays from this cycle on.
  };

  void run_loader();
  void run_streamer();
  void wait_for_buses(const MacTile& tile, const PassTiming& pass);
  void stream(const MacTile& tile);
  /// What a load or a stream that is over now and began then was: waiting, and work of the units.
  void record_load(const MacTile& tile, Cycle begin);
  void record_stream(const MacTile& tile, const PassTiming& pass, Cycle begin, Cycle last_step);

  /// From when on a pass could have followed the latest one, and from when on it may, the ports being slow.
  struct HeldUp {
    Cycle begin = 0, end = -1;
  };

  MacArrayConfig config_;
  ArrayPorts ports_;
  ArrayDatapath& datapath_;
  Recorder& recorder_;
  sc_core::sc_fifo<std::shared_ptr<const LoadedTile>> loaded_;
  Token registers_free_;  ///< Registers that the loader may fill.
  ColumnBuses buses_;     ///< Where outputs stay.
  HeldUp held_up_;
};

}  // namespace qsim
