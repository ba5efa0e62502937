// The controller: one queue each for weight loads, activation loads, computes, drains and stores.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <systemc>
#include <vector>

#include "hw_models/core/command_expander.h"
#include "hw_models/core/processes.h"
#include "hw_models/program.h"
#include "hw_models/recorder.h"

namespace qsim {

/// Each queue walks all nests in order, sends their commands (CommandExpander) and stays as far ahead as the
/// bounded queues of the units and the dependency tokens allow. Weight loads cross from one nest into the
/// next; a nest's activation loads and computes start when its predecessor has retired, because they read
/// what it wrote.
class Controller : public sc_core::sc_module {
 public:
  Controller(sc_core::sc_module_name name, const HardwareConfig& hardware, const Program& program,
             std::vector<Nest> nests, HeldTiles& held, Recorder& recorder, Processes& processes);
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  template <typename Command>
  using OptionalQueue = sc_core::sc_port<sc_core::sc_fifo_out_if<Command>, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;

  sc_core::sc_fifo_out<MacTile> tiles;
  sc_core::sc_fifo_out<DrainCommand> drains;
  sc_core::sc_fifo_out<VectorTile> vector_tiles;
  // Bound on chips with external memory.
  OptionalQueue<TransferCommand> weight_loads, input_loads, stores;
  /// Bound where partial sums may leave.
  OptionalQueue<ReloadCommand> reloads;
  OptionalQueue<HostCommand> host;

  /// Called when a report row, or a stripe of it, is complete; may be empty.
  std::function<void(std::int32_t row, RowWindow window)> on_row_complete;

  [[nodiscard]] bool finished() const { return retired_ == nests_.size(); }
  /// How far the run came, for the message of a deadlock.
  [[nodiscard]] std::string state() const;

 private:
  void run_weight_loads();
  void run_input_loads();
  void run_computes();
  void run_drains();
  void run_reloads();
  void run_stores();
  void wait_for_layer_start() const;
  [[nodiscard]] TransferCommand end_of_stream() const;
  void retire();
  void start(std::size_t nest);
  void let_inputs_load();
  void reset_input_slots(std::int64_t slots);
  void watch(Token& token, Held held);

  const Program& program_;
  std::vector<Nest> nests_;
  ControllerConfig config_;
  std::int64_t accumulator_slots_;
  HeldTiles& held_;
  Recorder& recorder_;
  Tokens tokens_;
  CommandExpander expander_;
  std::size_t retired_ = 0;
  std::size_t inputs_ = 0;      ///< Nests whose inputs may load, or that load none.
  std::int64_t row_begin_ = 0;  ///< When the row that runs could begin.
};

}  // namespace qsim
