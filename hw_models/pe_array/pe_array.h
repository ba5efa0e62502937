// The MAC array PE by PE and cycle by cycle: the reference for the closed forms.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <systemc>
#include <utility>

#include "hw_models/array_datapath.h"
#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/buffer_if.h"
#include "hw_models/core/processes.h"
#include "hw_models/hardware_config.h"
#include "hw_models/pe_array/operand_feed.h"
#include "hw_models/pe_array/pe_grid.h"
#include "hw_models/pe_array/sum_collector.h"
#include "hw_models/recorder.h"

namespace qsim {

/// One clocked process steps the PEs. How long a load, a stream and a drain take is not computed: it is when
/// the last line has entered, when the port and the multipliers take the next step, and when the last sum has
/// gone to the accumulators. Cycle c is evaluated at time c + 1, with everything that was commanded at time
/// c.
class PeArray : public sc_core::sc_module, public ArrayDatapath {
 public:
  PeArray(sc_core::sc_module_name name, const MacArrayConfig& config, const ArrayPorts& ports,
          BufferIf& weight_buffer, BufferIf& activation_buffer, AccumulatorBank& accumulators,
          bool moves_values, Recorder& recorder, Processes& processes, Waveform* waveform);

  void load(const MacTile& tile) override;
  Cycle stream(const MacTile& tile, std::function<void()> drained) override;

 private:
  struct LoadJob {
    std::shared_ptr<Pass> pass;
    Cycle begin = 0;
    std::int64_t lines_left = 0;   ///< Rows of PEs that have not entered; the last of them is next.
    std::int64_t elements = 0;     ///< Of the lines that entered, and of the next one.
    std::int64_t read_cycles = 0;  ///< That the port needs for them.
  };
  struct StreamJob {
    std::shared_ptr<Pass> pass;
    std::int64_t steps_entered = 0;
    Cycle next = 0;  ///< The cycle in which the next step may enter.
  };

  void run();
  void evaluate(Cycle cycle);
  void advance_load(Cycle cycle);
  void advance_stream(Cycle cycle);
  void declare_signals();
  void show(Cycle cycle);
  void finish(Pass& pass, Cycle drained);
  void read_line(LoadJob& job) const;
  [[nodiscard]] bool is_stopped(const Pass& pass, Cycle cycle) const;
  [[nodiscard]] std::shared_ptr<Pass> make_pass(const MacTile& tile) const;
  /// Of PEs that make so many products at once; made when the first such pass comes.
  [[nodiscard]] PeGrid& grid(PeGridKind kind, std::int64_t macs_a_pe);
  [[nodiscard]] PeGrid& grid_of(const Pass& pass) { return grid(pass.dataflow.grid(), pass.shape.macs_a_pe); }

  MacArrayConfig config_;
  ArrayPorts ports_;
  BufferIf& weight_buffer_;
  BufferIf& activation_buffer_;
  Recorder& recorder_;
  SumCollector sums_;
  OperandFeed feed_;
  /// Of the dataflows that the array offers, and by the products that a PE makes at once; passes of one layer
  /// are in one of them. The waveform shows those of PEs that make one.
  std::map<std::pair<PeGridKind, std::int64_t>, std::unique_ptr<PeGrid>> grids_;
  std::optional<LoadJob> loading_;
  std::optional<StreamJob> streaming_;
  std::deque<std::shared_ptr<Pass>> loaded_;  ///< In order; they wait for their stream.
  std::shared_ptr<Pass> multiplying_;         ///< Its last sums are in the multipliers of the groups.
  /// What the waveform shows of the present cycle beside the PEs; waveform_ may be absent.
  struct Shown {
    std::size_t first_signal = 0;
    bool loads_line = false;
    std::optional<std::int64_t> step, channel, pixel, reduction;
    bool drains = false;
  };
  Waveform* waveform_;
  Shown shown_;
  Cycle last_step_ = 0;  ///< The cycle in which the latest step entered.
  Cycle settled_ = -1;   ///< From here on nothing moves.
  sc_core::sc_event work_, load_done_, stream_done_;
};

}  // namespace qsim
