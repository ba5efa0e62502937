// What a run leaves behind: events, cycles of the units, intervals, fills of the buffers, statistics of the
// accumulators, bytes on the bus. Modules write into it and read nothing from it.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "hw_models/activity.h"
#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/core/bus_traffic.h"
#include "hw_models/timeline.h"
#include "hw_models/unit_cycles.h"

namespace qsim {

/// By report row; those of several cores follow one another.
struct Recorder {
  explicit Recorder(std::int32_t row_count)
      : timeline(row_count),
        activity(static_cast<std::size_t>(row_count)),
        unit_cycles(activity.size()),
        accumulators(static_cast<std::size_t>(row_count)) {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  [[nodiscard]] Activity& events(std::int32_t row) { return activity[static_cast<std::size_t>(row)]; }

  [[nodiscard]] UnitCycles& units(std::int32_t row) { return unit_cycles[static_cast<std::size_t>(row)]; }

  Timeline timeline;
  std::vector<Activity> activity;
  std::vector<UnitCycles> unit_cycles;
  std::vector<arithmetic::AccumulatorStats> accumulators;  ///< Filled where values move.
  /// Tensors that no memory holds because they pass from one unit to the next, where values move: of a row
  /// the values in C order.
  std::map<std::int32_t, std::vector<std::int64_t>> passed;
  BusTraffic bus;  ///< Of the external memory, where there is one.
};

}  // namespace qsim
