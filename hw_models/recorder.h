// What a run leaves behind: events, intervals, fills of the buffers, statistics of the accumulators, bytes on
// the bus. Modules write into it and read nothing from it.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/activity.h"
#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/core/bus_traffic.h"
#include "hw_models/timeline.h"

namespace qsim {

/// By report row; those of several cores follow one another.
struct Recorder {
  explicit Recorder(std::int32_t row_count)
      : timeline(row_count),
        activity(static_cast<std::size_t>(row_count)),
        accumulators(static_cast<std::size_t>(row_count)) {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  [[nodiscard]] Activity& events(std::int32_t row) { return activity[static_cast<std::size_t>(row)]; }

  Timeline timeline;
  std::vector<Activity> activity;
  std::vector<arithmetic::AccumulatorStats> accumulators;  ///< Filled where values move.
  BusTraffic bus;                                          ///< Of the external memory, where there is one.
};

}  // namespace qsim
