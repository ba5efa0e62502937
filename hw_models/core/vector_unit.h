// The vector unit: pooling, elementwise operations, table lookups, functions of rows, moves.
#pragma once

#include <cstdint>
#include <systemc>

#include "hw_models/core/buffer_if.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/processes.h"
#include "hw_models/core/vector_work.h"
#include "hw_models/hardware_config.h"
#include "hw_models/recorder.h"

namespace qsim {

/// Runs tiles in order, one at a time: latency + the longest of lanes, read port and write port
/// (vector_work.h).
class VectorUnit : public sc_core::sc_module {
 public:
  VectorUnit(sc_core::sc_module_name name, const VectorUnitConfig& config, bool moves_values,
             Recorder& recorder, Processes& processes);
  VectorUnit(const VectorUnit&) = delete;
  VectorUnit& operator=(const VectorUnit&) = delete;

  static constexpr int kQueueDepth = 2;
  sc_core::sc_fifo_in<VectorTile> tiles;  ///< In order.
  sc_core::sc_port<BufferIf> activation_buffer;

 private:
  void run();
  void count(const VectorTile& tile, const VectorCost& cost);

  VectorUnitConfig config_;
  bool moves_values_;
  Recorder& recorder_;
};

}  // namespace qsim
