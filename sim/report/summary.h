// What the reports show, computed once from a RunResult: events, energy, traffic and rates of each row and of
// the whole run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/energy/energy_model.h"
#include "sim/energy/events.h"
#include "sim/report/limits.h"
#include "sim/result.h"

namespace qsim {

/// Kinds of traffic, in the order of the report; the first six are DRAM payload and sum to `dram_bytes`.
enum class Traffic : std::uint8_t {
  dram_read_weights,
  dram_read_parameters,
  dram_read_activations,
  dram_write_activations,
  dram_read_partial_sums,
  dram_write_partial_sums,
  weight_buffer_read,
  weight_buffer_write,
  activation_buffer_read,
  activation_buffer_write,
  accumulator_read,
  accumulator_write,
  count_
};
inline constexpr std::size_t kTrafficCount = static_cast<std::size_t>(Traffic::count_);
inline constexpr std::size_t kDramTrafficCount = 6;
using TrafficBytes = std::array<std::int64_t, kTrafficCount>;
[[nodiscard]] const char* traffic_name(Traffic traffic);

/// Bytes moved. An accumulator counts as ceil(width_bits / 8) bytes.
[[nodiscard]] TrafficBytes traffic_of(const Activity& activity, const HardwareConfig& hardware);
/// DRAM payload: sum of the first six.
[[nodiscard]] std::int64_t dram_payload_bytes(const TrafficBytes& traffic);
/// Whole bursts: (read bursts + write bursts) * burst_bytes.
[[nodiscard]] std::int64_t dram_bus_bytes(const Activity& activity, const HardwareConfig& hardware);

/// One row, or the sum over all of them.
struct RowSummary {
  EventCounts events;
  EnergyBreakdown energy_pj{};
  double energy_total_pj = 0.0;
  TrafficBytes traffic{};
  double mac_utilization = 0.0;
  Limits limits;  ///< Of rows.
};

/// One more inference after many.
struct SteadySummary {
  double latency_s = 0.0;
  double inferences_per_second = 0.0;
  TrafficBytes traffic{};
  EventCounts events;
  EnergyBreakdown energy_pj{};
};

/// An entry of the table that nobody measured or published, and what of the run's energy it makes.
struct UncertainEntry {
  std::string key;
  std::string kind;  ///< "assumed", or "extrapolated": the entry, or a curve used beyond its ends.
  std::string source;
  double energy_pj = 0.0;
};

/// Energy is linear in each entry: with all of these halved the total is less by half of `energy_pj`, with
/// all of them doubled more by all of it.
struct Uncertainty {
  std::vector<UncertainEntry> entries;  ///< The most energy first.
  double energy_pj = 0.0;               ///< Their sum.

  [[nodiscard]] double low_pj(double total_pj) const { return total_pj - energy_pj / 2.0; }
  [[nodiscard]] double high_pj(double total_pj) const { return total_pj + energy_pj; }
};

/// A run (a batch) every `period_s`, and idle cycles until the next.
struct DutyCycle {
  double rate = 0.0;            ///< Inferences a second.
  double reachable_rate = 0.0;  ///< Without idle cycles.
  double period_s = 0.0;
  double busy_share = 0.0;  ///< Of the cycles.
  std::int64_t idle_cycles = 0;
  EventCounts events;  ///< Of the run, and `idle_cycles`.
  EnergyBreakdown energy_pj{};
  double energy_total_pj = 0.0;
  double inference_pj = 0.0;  ///< energy_total_pj / batch
  double power_w = 0.0;
};

/// Energy by windows of equal length (power_profile.h).
struct PowerProfile {
  std::int64_t window_cycles = 0;  ///< 0: not made.
  double window_s = 0.0;
  std::vector<double> energy_pj;  ///< Of each window; the last may lie partly beyond the end.
  double average_w = 0.0;
  double peak_w = 0.0;  ///< Of the window with the most.
};

struct RunSummary {
  std::vector<EnergyTerm> terms;
  std::vector<RowSummary> rows;  ///< One a layer of the result.
  RowSummary totals;
  std::int64_t dram_bytes = 0;
  std::int64_t dram_bus_bytes = 0;
  double latency_s = 0.0;
  double inferences_per_second = 0.0;  ///< batch / latency
  double power_w = 0.0;                ///< energy / latency
  AreaBreakdown area_mm2{};            ///< By component.
  std::vector<std::string> remarks;    ///< Of the energy model.
  std::optional<SteadySummary> steady_state;
  Uncertainty uncertainty;
  std::optional<DutyCycle> duty_cycle;  ///< add_duty_cycle() makes it.
  PowerProfile power;                   ///< power_profile() makes it.
};

/// `batch` inputs went through together.
[[nodiscard]] RunSummary summarize(const RunResult& result, const EnergyModel& model, std::int64_t batch);

}  // namespace qsim
