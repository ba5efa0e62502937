#include "sim/report/accounting.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>

#include "hw_models/arithmetic/bit_packing.h"
#include "workloads/graph/blocks.h"

namespace qsim {
namespace {

/// Collects the sums that do not hold.
class Ledger {
 public:
  void equal(const std::string& what, std::int64_t left, std::int64_t right) {
    if (left != right) violate(what + ": " + std::to_string(left) + " is not " + std::to_string(right));
  }
  void at_most(const std::string& what, std::int64_t left, std::int64_t right) {
    if (left > right) violate(what + ": " + std::to_string(left) + " exceeds " + std::to_string(right));
  }
  /// Sums of doubles in different orders agree to a few roundings.
  void close(const std::string& what, double left, double right) {
    const double tolerance = 1e-9 * std::max(std::abs(left), std::abs(right));
    if (!(std::abs(left - right) <= tolerance)) {
      violate(what + ": " + std::to_string(left) + " is not " + std::to_string(right));
    }
  }
  void violate(const std::string& what) { violations_.append("\n  ").append(what); }

  void throw_if_any() const {
    if (!violations_.empty()) throw std::logic_error("the accounting does not close:" + violations_);
  }

 private:
  std::string violations_;
};

std::int64_t sum_of(const CycleBreakdown& cycles) {
  return std::accumulate(cycles.begin(), cycles.end(), std::int64_t{0});
}

void check_counters(const std::string& where, const Activity& activity, Ledger& ledger) {
  for (std::size_t i = 0; i < kEventCount; ++i) {
    if (activity.counts[i] >= 0) continue;
    std::string what = where;
    what.append(": ").append(event_name(static_cast<Event>(i))).append(" is negative");
    ledger.violate(what);
  }
}

/// DRAM payload of a row or a run against bursts, and against what the DMA moved.
void check_dram(const std::string& where, const Activity& activity, const HardwareConfig& hardware,
                Ledger& ledger) {
  if (hardware.dram.kind == DramKind::none) return;
  const TrafficBytes traffic = traffic_of(activity, hardware);
  const std::int64_t written =
      activity[Event::dram_write_activation_bytes] + activity[Event::dram_write_partial_sum_bytes];
  const std::int64_t read = dram_payload_bytes(traffic) - written;
  ledger.at_most(where + ": DRAM bytes read against read bursts", read,
                 activity[Event::dram_read_bursts] * hardware.dram.burst_bytes);
  ledger.at_most(where + ": DRAM bytes written against write bursts", written,
                 activity[Event::dram_write_bursts] * hardware.dram.burst_bytes);
  ledger.equal(
      where + ": DRAM bytes against DMA and host bytes", dram_payload_bytes(traffic),
      activity[Event::dma_bytes] + activity[Event::host_read_bytes] + activity[Event::host_write_bytes]);
  ledger.at_most(where + ": weights, parameters and activations read from DRAM against buffer writes",
                 read - activity[Event::dram_read_partial_sum_bytes] - activity[Event::host_read_bytes],
                 activity[Event::weight_buffer_write_bytes] + activity[Event::activation_buffer_write_bytes]);
  ledger.at_most(where + ": activations written to DRAM against buffer reads",
                 activity[Event::dram_write_activation_bytes] - activity[Event::host_write_bytes],
                 activity[Event::activation_buffer_read_bytes]);
}

void check_accumulator(const LayerResult& layer, Ledger& ledger) {
  if (!layer.accumulator || layer.accumulator->min > layer.accumulator->max) return;
  const arithmetic::AccumulatorStats& seen = *layer.accumulator;
  const int bits_used = arithmetic::signed_bits(seen.min, seen.max);
  if (seen.overflows == 0 && layer.accumulator_worst_case) {
    // After an overflow the register goes on from another value.
    ledger.at_most(layer.name + ": the largest sum against the worst case", seen.max,
                   layer.accumulator_worst_case->max);
    ledger.at_most(layer.name + ": the worst case against the smallest sum",
                   layer.accumulator_worst_case->min, seen.min);
    ledger.at_most(layer.name + ": bits of the worst case against those of any weights",
                   layer.accumulator_worst_case->bits(), layer.accumulator_bits_any_weights);
  }
  const bool fits = bits_used <= layer.accumulator_bits;
  if (fits != (seen.overflows == 0)) {
    ledger.violate(layer.name + ": " + std::to_string(seen.overflows) + " overflows of " +
                   std::to_string(layer.accumulator_bits) + "-bit accumulators that needed " +
                   std::to_string(bits_used) + " bits");
  }
}

void check_layers(const RunResult& result, Ledger& ledger) {
  std::int64_t cycles = 0;
  std::int64_t macs = 0;
  Activity activity;
  CycleBreakdown breakdown{};
  for (const LayerResult& layer : result.layers) {
    ledger.equal(layer.name + ": cycle classes against cycles", sum_of(layer.cycles_breakdown), layer.cycles);
    ledger.equal(layer.name + ": counted MACs against macs", layer.activity[Event::macs], layer.macs);
    ledger.at_most(layer.name + ": macs against span_cycles x peak", layer.macs,
                   layer.span_cycles * layer.peak_macs_per_cycle);
    ledger.at_most(layer.name + ": span_cycles against all cycles", layer.span_cycles, result.total_cycles);
    check_counters(layer.name, layer.activity, ledger);
    check_dram(layer.name, layer.activity, result.hardware, ledger);
    check_accumulator(layer, ledger);
    cycles += layer.cycles;
    macs += layer.macs;
    activity += layer.activity;
    for (std::size_t i = 0; i < kCycleClassCount; ++i) breakdown[i] += layer.cycles_breakdown[i];
  }
  ledger.equal("cycles of the rows against the run", cycles, result.total_cycles);
  ledger.equal("macs of the rows against the run", macs, result.macs);
  ledger.equal("cycle classes against the run", sum_of(result.cycles), result.total_cycles);
  for (std::size_t i = 0; i < kCycleClassCount; ++i) {
    ledger.equal(
        "rows against the run: cycles of " + std::string(cycle_class_name(static_cast<CycleClass>(i))),
        breakdown[i], result.cycles[i]);
  }
  for (std::size_t i = 0; i < kEventCount; ++i) {
    ledger.equal("rows against the run: " + std::string(event_name(static_cast<Event>(i))),
                 activity.counts[i], result.activity.counts[i]);
  }
}

/// Events x unit energy, recomputed term by term, and rows against the run.
void check_energy(const RunSummary& summary, Ledger& ledger) {
  const EnergyBreakdown& total = summary.totals.energy_pj;
  EnergyBreakdown rows{};
  for (const RowSummary& row : summary.rows) {
    for (std::size_t i = 0; i < kComponentCount; ++i) rows[i] += row.energy_pj[i];
  }
  for (std::size_t i = 0; i < kComponentCount; ++i) {
    const std::string name = component_name(static_cast<Component>(i));
    ledger.close("energy of the rows against the run: " + name, rows[i], total[i]);
  }
  ledger.close("energy of the components against the total", total_pj(total), summary.totals.energy_total_pj);
}

/// Counts by precision or profile ("macs_w8a8") sum to the plain counter.
void check_split_events(const EventCounts& events, Ledger& ledger) {
  for (const SplitEvent& split : kSplitEvents) {
    const std::string counter(event_name(split.event));
    const std::string prefix = counter + std::string(split.suffix);
    std::int64_t sum = 0;
    for (auto event = events.lower_bound(prefix); event != events.end() && event->first.starts_with(prefix);
         ++event) {
      sum += event->second;
    }
    ledger.equal("events " + prefix + "* against " + counter, sum, events.at(counter));
  }
}

/// Every node in exactly one row, and its MACs by the graph's own count.
void check_nodes(const RunResult& result, const Graph& graph, Ledger& ledger) {
  // Whatever the host computes is no MAC of the chip.
  std::map<std::string, std::int64_t> macs_of_node;
  std::map<std::string, int> nodes;
  for (const Node& node : graph.nodes) {
    ++nodes[node.name];
    macs_of_node[node.name] += is_float_node(graph, node) ? 0 : mac_count(graph, node);
  }
  for (const LayerResult& layer : result.layers) {
    std::int64_t macs = 0;
    for (const std::string& node : std::set<std::string>(layer.nodes.begin(), layer.nodes.end())) {
      macs += macs_of_node[node];
    }
    for (const std::string& node : layer.nodes) --nodes[node];
    ledger.equal(layer.name + ": macs against the graph", layer.macs, macs);
  }
  for (const auto& [name, missing] : nodes) {
    if (missing > 0) ledger.violate("node " + name + " is in no row");
    if (missing < 0) ledger.violate("node " + name + " is in more than one row");
  }
}

/// DRAM traffic is at least compulsory: every constant weight in once, every output out once. Exponents of
/// weights are parameters.
void check_compulsory_traffic(const RunResult& result, const Graph& graph, Ledger& ledger) {
  if (result.hardware.dram.kind == DramKind::none) return;
  const auto stored_bytes = [&](TensorId id) {
    const Tensor& tensor = graph.tensor(id);
    const int bits = tensor.quantization ? tensor.quantization->bits
                                         : static_cast<int>(8 * element_size_bytes(tensor.type));
    return arithmetic::packed_bytes(element_count(tensor.shape), bits);
  };
  std::set<TensorId> weights;
  std::set<TensorId> produced;
  for (const Node& node : graph.nodes) {
    if (mac_count(graph, node) > 0 && node.inputs.size() > 1 && graph.tensor(node.inputs[1]).is_constant()) {
      weights.insert(node.inputs[1]);
    }
    produced.insert(node.outputs.begin(), node.outputs.end());
  }
  std::int64_t weight_bytes = 0;
  for (const TensorId id : weights) {
    const Tensor& tensor = graph.tensor(id);
    weight_bytes += has_blocks(tensor) ? values_of(tensor) : stored_bytes(id);
  }
  std::int64_t output_bytes = 0;
  for (const TensorId id : std::set<TensorId>(graph.outputs.begin(), graph.outputs.end())) {
    if (produced.contains(id) && !graph.tensor(id).is_float()) output_bytes += stored_bytes(id);
  }
  ledger.at_most("compulsory weight bytes against DRAM reads", weight_bytes,
                 result.activity[Event::dram_read_weight_bytes]);
  ledger.at_most("compulsory output bytes against DRAM writes", output_bytes,
                 result.activity[Event::dram_write_activation_bytes]);
}

}  // namespace

void check_accounting(const RunResult& result, const RunSummary& summary, const Graph& graph) {
  Ledger ledger;
  check_layers(result, ledger);
  check_counters("run", result.activity, ledger);
  check_dram("run", result.activity, result.hardware, ledger);
  check_energy(summary, ledger);
  check_split_events(summary.totals.events, ledger);
  check_nodes(result, graph, ledger);
  check_compulsory_traffic(result, graph, ledger);
  ledger.throw_if_any();
}

}  // namespace qsim
