// One core: buffers, MAC array, accumulators, requantizer, vector unit, DMA and the controller of them all.
#pragma once

#include <cstdint>
#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

#include "hw_models/array_datapath.h"
#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/completions.h"
#include "hw_models/core/controller.h"
#include "hw_models/core/mac_array.h"
#include "hw_models/core/requantizer.h"
#include "hw_models/core/sram_buffer.h"
#include "hw_models/core/sum_reloader.h"
#include "hw_models/core/vector_unit.h"
#include "hw_models/fidelity.h"
#include "hw_models/memory/dma.h"
#include "hw_models/waveform.h"

namespace qsim {

struct CoreOptions {
  Fidelity fidelity = Fidelity::tile;
  Waveform* waveform = nullptr;  ///< Of the array at PE fidelity; may be absent.
  bool moves_values = false;     ///< The buffers hold bytes, and every tile is computed from them.
  std::int64_t memory_base = 0;  ///< Address in memory of the program's address 0.
  const RequestOrder* fixed_order = nullptr;  ///< ChannelChoice.
  RequestOrder* recorded_order = nullptr;
};

/// Builds the modules in the order of the data path and binds them. Towards the outside: the memory and the
/// host, on chips that have them.
class Core : public sc_core::sc_module {
 public:
  /// `nests` are those of `program`, of all inferences.
  Core(sc_core::sc_module_name name, const HardwareConfig& hardware, const Program& program,
       std::vector<Nest> nests, const CoreOptions& options, Recorder& recorder, Processes& processes);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// Absent on chips without external memory.
  std::unique_ptr<tlm::tlm_initiator_socket<>> memory;
  Controller::OptionalQueue<HostCommand> host;

  [[nodiscard]] Controller& controller() { return controller_; }
  [[nodiscard]] CompletionIf& completions() { return completions_; }
  [[nodiscard]] BufferStorage& weight_storage() { return weight_buffer_.storage(); }
  [[nodiscard]] BufferStorage& activation_storage() { return activation_buffer_.storage(); }

 private:
  [[nodiscard]] std::unique_ptr<ArrayDatapath> make_datapath(const MacArrayConfig& config,
                                                             const CoreOptions& options, Recorder& recorder,
                                                             Processes& processes);
  void bind_units();
  void bind_dma();
  void bind_reloader();

  Completions completions_;
  SramBuffer weight_buffer_;
  SramBuffer activation_buffer_;
  AccumulatorBank accumulators_;
  ArrayPorts ports_;
  std::unique_ptr<ArrayDatapath> datapath_;
  MacArray mac_array_;
  Requantizer requantizer_;
  VectorUnit vector_unit_;
  std::unique_ptr<SumReloader> reloader_;  ///< Where partial sums may leave.
  HeldTiles held_;
  std::unique_ptr<Dma> dma_;  ///< With `memory`.
  Controller controller_;
  sc_core::sc_fifo<MacTile> tiles_;
  sc_core::sc_fifo<DrainCommand> drains_;
  sc_core::sc_fifo<VectorTile> vector_tiles_;
  std::unique_ptr<sc_core::sc_fifo<ReloadCommand>> reloads_;         ///< With `reloader_`.
  sc_core::sc_vector<sc_core::sc_fifo<TransferCommand>> transfers_;  ///< By channel.
};

}  // namespace qsim
