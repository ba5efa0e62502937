#include "sim/report/limits.h"

#include <algorithm>

namespace qsim {
namespace {

/// Whole bursts, read and written.
struct Bursts {
  double read = 0, written = 0;
};

/// Bursts a byte of payload of a row.
struct BurstRate {
  explicit BurstRate(const Activity& activity) {
    const std::int64_t written =
        activity[Event::dram_write_activation_bytes] + activity[Event::dram_write_partial_sum_bytes];
    const std::int64_t read =
        activity[Event::dram_read_weight_bytes] + activity[Event::dram_read_parameter_bytes] +
        activity[Event::dram_read_activation_bytes] + activity[Event::dram_read_partial_sum_bytes];
    if (read > 0) reads = static_cast<double>(activity[Event::dram_read_bursts]) / static_cast<double>(read);
    if (written > 0)
      writes = static_cast<double>(activity[Event::dram_write_bursts]) / static_cast<double>(written);
  }
  double reads = 0, writes = 0;
};

bool is_transfer(Span span) {
  return span == Span::weights_busy || span == Span::inputs_busy || span == Span::stores_busy;
}

/// A time in which a row was the next to be complete.
struct Turn {
  std::int64_t begin = 0, end = 0;
};

/// From the completion before, of whatever row, to each of a row's own; index: RunTimeline::rows.
std::vector<std::vector<Turn>> turns_of(const RunTimeline& timeline) {
  std::vector<std::vector<Turn>> turns(timeline.rows.size());
  std::int64_t before = 0;
  for (const Completion& completion : timeline.completions) {
    turns[static_cast<std::size_t>(completion.row)].push_back({before, completion.cycle});
    before = completion.cycle;
  }
  return turns;
}

/// Cycles of a transfer that lie in a row's turns.
std::int64_t own_cycles(const Interval& transfer, const std::vector<Turn>& turns) {
  std::int64_t cycles = 0;
  auto turn = std::ranges::upper_bound(turns, transfer.begin, {}, &Turn::end);
  for (; turn != turns.end() && turn->begin < transfer.end; ++turn)
    cycles += std::min(transfer.end, turn->end) - std::max(transfer.begin, turn->begin);
  return cycles;
}

bool is_on_way_out(const LayerResult& layer) {
  return std::holds_alternative<WayOutLayerMapping>(layer.mapping);
}

/// Bursts of the DMA that each row, or each part of it, moves for itself in its own cycles; a transfer is
/// spread evenly over its time.
std::vector<Bursts> bursts_of(const RunResult& result) {
  const std::size_t layers = result.layers.size();
  std::vector<Bursts> bursts(layers);
  std::vector<BurstRate> rates;
  for (const LayerResult& layer : result.layers) rates.emplace_back(layer.activity);
  const std::vector<std::vector<Turn>> turns = turns_of(result.timeline);
  const std::size_t first_inference = layers * static_cast<std::size_t>(result.timeline.parts);
  for (const Interval& transfer : result.timeline.intervals) {
    const auto row = static_cast<std::size_t>(transfer.row);
    if (!is_transfer(transfer.span) || row >= first_inference) continue;
    // A row on a product's way out runs in the product's cycles.
    std::size_t host = row;
    while (is_on_way_out(result.layers[result.timeline.layer_of(host)])) --host;
    const std::int64_t own = own_cycles(transfer, turns[host]);
    if (own == 0) continue;
    const BurstRate& rate = rates[result.timeline.layer_of(row)];
    const double bytes = static_cast<double>(transfer.bytes) * static_cast<double>(own) /
                         static_cast<double>(transfer.end - transfer.begin);
    if (transfer.span == Span::stores_busy) {
      bursts[result.timeline.layer_of(host)].written += bytes * rate.writes;
    } else {
      bursts[result.timeline.layer_of(host)].read += bytes * rate.reads;
    }
  }
  return bursts;
}

/// A burst takes the bus for `bus` cycles and is in flight for `latency` more.
struct Channel {
  double bus = 0, latency = 0;
};

Channel channel_of(const HardwareConfig& hardware, std::int64_t bytes_per_second, std::int64_t latency) {
  const double clock_hz = static_cast<double>(hardware.clock_khz) * 1000.0;
  return {static_cast<double>(hardware.dram.burst_bytes) * clock_hz / static_cast<double>(bytes_per_second),
          static_cast<double>(latency)};
}

void add_dram(Limits& limits, const Bursts& bursts, const HardwareConfig& hardware) {
  const DramConfig& dram = hardware.dram;
  if (dram.kind == DramKind::none) return;
  const auto outstanding = static_cast<double>(dram.outstanding_requests);
  const auto add = [&](const Channel& channel, double count) {
    double& bandwidth = limits[Limit::dram_bandwidth];
    double& requests = limits[Limit::outstanding_requests];
    bandwidth = std::max(bandwidth, count * channel.bus);
    requests = std::max(requests, count * (channel.bus + channel.latency) / outstanding);
  };
  const Channel reads = channel_of(hardware, dram.bandwidth_bytes_per_second, dram.latency_cycles);
  if (dram.write_bandwidth_bytes_per_second == 0) {
    add(reads, bursts.read + bursts.written);
    return;
  }
  add(reads, bursts.read);
  add(channel_of(hardware, dram.write_bandwidth_bytes_per_second, dram.write_latency_cycles), bursts.written);
}

/// With a second register loads overlap with the stream and are a unit of their own; with one register each
/// pass loads, streams and drains, one after the other.
double fill_cycles(const LayerResult& layer, const MacArrayConfig& array) {
  const auto cycles = [&](CycleClass c) { return layer.cycles_breakdown[static_cast<std::size_t>(c)]; };
  std::int64_t exposed = cycles(CycleClass::fill_drain) + cycles(CycleClass::weight_load);
  if (!array.double_buffered_weights) {
    exposed += std::max<std::int64_t>(0, cycles(CycleClass::compute) - layer.unit_cycles.array);
  }
  return static_cast<double>(std::max(layer.unit_cycles.array_load, exposed));
}

/// The array and an adder on its way out read in turn, and the reads of the one hold up the other. Where the
/// ports hold up no step but for the adder, more of them would shorten the adder's reads alone. Sums that
/// come back have slots of their own.
double activation_port_cycles(const UnitCycles& units) {
  const bool is_slow = units.activation_reads - units.addend_reads > units.array;
  const std::int64_t reads =
      is_slow ? units.activation_reads
              : std::max(std::min(units.activation_reads, units.array), units.addend_reads);
  return static_cast<double>(std::max(reads, units.sum_reads));
}

Limits limits_of_row(const LayerResult& layer, const Bursts& bursts, const HardwareConfig& hardware) {
  const UnitCycles& units = layer.unit_cycles;
  Limits limits;
  limits[Limit::array] = static_cast<double>(units.array);
  limits[Limit::fill] = fill_cycles(layer, hardware.mac_array);
  limits[Limit::weight_port] = static_cast<double>(units.weight_reads);
  limits[Limit::activation_port] = activation_port_cycles(units);
  limits[Limit::output_port] = static_cast<double>(units.output_writes);
  limits[Limit::requantizer] = static_cast<double>(units.requantizer);
  limits[Limit::vector_unit] = static_cast<double>(units.vector_unit);
  limits[Limit::host] =
      static_cast<double>(layer.cycles_breakdown[static_cast<std::size_t>(CycleClass::host)]);
  add_dram(limits, bursts, hardware);
  const double most = *std::ranges::max_element(limits.cycles);
  limits[Limit::dependency] = std::max(0.0, static_cast<double>(layer.cycles) - most);
  if (layer.cycles == 0) return limits;
  limits.limited_by = static_cast<Limit>(std::ranges::max_element(limits.cycles) - limits.cycles.begin());
  return limits;
}

}  // namespace

std::vector<Limits> limits_of(const RunResult& result) {
  const std::vector<Bursts> bursts = bursts_of(result);
  std::vector<Limits> limits;
  for (std::size_t i = 0; i < result.layers.size(); ++i) {
    limits.push_back(limits_of_row(result.layers[i], bursts[i], result.hardware));
    if (i > 0 && is_on_way_out(result.layers[i])) limits[i].limited_by = limits[i - 1].limited_by;
  }
  return limits;
}

}  // namespace qsim
