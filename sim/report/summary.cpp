#include "sim/report/summary.h"

#include <stdexcept>

#include "sim/report/uncertainty.h"

namespace qsim {
namespace {

double ratio(double numerator, double denominator) {
  return denominator > 0.0 ? numerator / denominator : 0.0;
}

double seconds(std::int64_t cycles, const HardwareConfig& hardware) {
  return static_cast<double>(cycles) / (static_cast<double>(hardware.clock_khz) * 1e3);
}

/// macs / (cycles x peak MACs a cycle)
double utilization(std::int64_t macs, std::int64_t cycles, std::int64_t peak_macs_per_cycle) {
  return ratio(static_cast<double>(macs),
               static_cast<double>(cycles) * static_cast<double>(peak_macs_per_cycle));
}

/// A later inference does the same MACs at the same precisions as the first one, so the counts by precision
/// and profile are the first one's; everything else is its own.
EventCounts steady_events(const RunResult& result, const EventCounts& first) {
  const SteadyState& steady = *result.steady_state;
  EventCounts events = counter_events(steady.activity, steady.cycles);
  for (const auto& [event, suffix] : kSplitEvents) {
    if (steady.activity[event] != result.activity[event]) {
      throw std::logic_error("a later inference counts other " + std::string(event_name(event)) +
                             " than the first");
    }
  }
  for (const auto& [name, count] : first) events.emplace(name, count);
  return events;
}

SteadySummary summarize_steady(const RunResult& result, const RunSummary& summary, std::int64_t batch) {
  const SteadyState& steady = *result.steady_state;
  SteadySummary later;
  later.latency_s = seconds(steady.cycles, result.hardware);
  later.inferences_per_second = ratio(static_cast<double>(batch), later.latency_s);
  later.traffic = traffic_of(steady.activity, result.hardware);
  later.events = steady_events(result, summary.totals.events);
  later.energy_pj = energy_of(later.events, summary.terms);
  return later;
}

}  // namespace

const char* traffic_name(Traffic traffic) {
  static constexpr std::array<const char*, kTrafficCount> kNames = {
      "dram_read_weights",      "dram_read_parameters",    "dram_read_activations", "dram_write_activations",
      "dram_read_partial_sums", "dram_write_partial_sums", "weight_buffer_read",    "weight_buffer_write",
      "activation_buffer_read", "activation_buffer_write", "accumulator_read",      "accumulator_write"};
  return kNames[static_cast<std::size_t>(traffic)];
}

TrafficBytes traffic_of(const Activity& activity, const HardwareConfig& hardware) {
  const std::int64_t entry_bytes = (hardware.accumulators.width_bits + 7) / 8;
  return {
      activity[Event::dram_read_weight_bytes],          activity[Event::dram_read_parameter_bytes],
      activity[Event::dram_read_activation_bytes],      activity[Event::dram_write_activation_bytes],
      activity[Event::dram_read_partial_sum_bytes],     activity[Event::dram_write_partial_sum_bytes],
      activity[Event::weight_buffer_read_bytes],        activity[Event::weight_buffer_write_bytes],
      activity[Event::activation_buffer_read_bytes],    activity[Event::activation_buffer_write_bytes],
      activity[Event::accumulator_reads] * entry_bytes, activity[Event::accumulator_writes] * entry_bytes};
}

std::int64_t dram_payload_bytes(const TrafficBytes& traffic) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < kDramTrafficCount; ++i) sum += traffic[i];
  return sum;
}

std::int64_t dram_bus_bytes(const Activity& activity, const HardwareConfig& hardware) {
  return (activity[Event::dram_read_bursts] + activity[Event::dram_write_bursts]) * hardware.dram.burst_bytes;
}

RunSummary summarize(const RunResult& result, const EnergyModel& model, std::int64_t batch) {
  RunSummary summary;
  summary.terms = model.terms(result);
  summary.area_mm2 = model.area_mm2();
  summary.remarks = model.remarks();
  const std::vector<Limits> limits = limits_of(result);
  for (const LayerResult& layer : result.layers) {
    RowSummary row;
    row.events = layer_events(layer);
    row.energy_pj = energy_of(row.events, summary.terms);
    row.energy_total_pj = total_pj(row.energy_pj);
    row.traffic = traffic_of(layer.activity, result.hardware);
    row.mac_utilization = utilization(layer.macs, layer.span_cycles, layer.peak_macs_per_cycle);
    row.limits = limits[summary.rows.size()];
    summary.rows.push_back(std::move(row));
  }
  RowSummary& totals = summary.totals;
  totals.events = total_events(result);
  totals.energy_pj = energy_of(totals.events, summary.terms);
  totals.energy_total_pj = total_pj(totals.energy_pj);
  totals.traffic = traffic_of(result.activity, result.hardware);
  totals.mac_utilization = utilization(result.macs, result.total_cycles, result.peak_macs_per_cycle);
  summary.uncertainty = uncertainty_of(totals.events, summary.terms);
  summary.dram_bytes = dram_payload_bytes(totals.traffic);
  summary.dram_bus_bytes = dram_bus_bytes(result.activity, result.hardware);
  summary.latency_s = seconds(result.total_cycles, result.hardware);
  summary.inferences_per_second = ratio(static_cast<double>(batch), summary.latency_s);
  summary.power_w = ratio(totals.energy_total_pj * 1e-12, summary.latency_s);
  if (result.steady_state) summary.steady_state = summarize_steady(result, summary, batch);
  return summary;
}

}  // namespace qsim
