// What the modules of one chip share: tokens, counters, the timeline, and the first error of a process.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <vector>

#include "hw_models/activity.h"
#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/core/bus_traffic.h"
#include "hw_models/timeline.h"
#include "hw_models/token.h"

namespace qsim {

struct ChipContext {
  /// `with_values`: the memories hold bytes and every tile is computed from them; otherwise time, events and
  /// traffic alone.
  ChipContext(std::int32_t row_count, bool with_values)
      : timeline(row_count),
        activity(static_cast<std::size_t>(row_count)),
        accumulators(static_cast<std::size_t>(row_count)),
        moves_values(with_values) {
    const auto watch = [this](Token& token, Held held) {
      token.on_release = [this, held] {
        timeline.release(held, static_cast<std::int64_t>(sc_core::sc_time_stamp().value()));
      };
    };
    watch(tokens.weights_free, Held::weights);
    watch(tokens.parameters_free, Held::parameters);
    watch(tokens.inputs_free, Held::inputs);
  }
  ChipContext(const ChipContext&) = delete;
  ChipContext& operator=(const ChipContext&) = delete;

  [[nodiscard]] Activity& events(std::int32_t row) { return activity[static_cast<std::size_t>(row)]; }

  /// Runs the body of a process; an exception ends the simulation and is rethrown by the caller of sc_start
  /// (the kernel itself would keep its text and lose its type).
  void guard(const std::function<void()>& body) {
    try {
      body();
    } catch (const sc_core::sc_unwind_exception&) {
      throw;
    } catch (...) {
      if (!error) error = std::current_exception();
      sc_core::sc_stop();
    }
  }

  Tokens tokens;
  Timeline timeline;
  BusTraffic bus;                                          ///< Of the external memory, where there is one.
  std::vector<Activity> activity;                          ///< By report row.
  std::vector<arithmetic::AccumulatorStats> accumulators;  ///< By report row; filled where values move.
  std::vector<std::uint8_t>* recorded_order = nullptr;     ///< Gets the DMA channel of each request.
  const std::vector<std::uint8_t>* fixed_order = nullptr;  ///< What the DMA keeps to (ChannelOrder::fixed).
  bool moves_values;
  std::function<void()> on_retire;  ///< Called when a nest's last result is where it belongs.
  std::function<void(std::int32_t row)> on_row_complete;  ///< May be empty.
  std::exception_ptr error;
};

}  // namespace qsim
