#include "sim/explain/steps.h"

#include <fmt/format.h>

#include <cmath>

namespace qsim {
namespace {

/// Appends steps.
class Steps {
 public:
  void twice(const std::string& name, const std::string& path, std::int64_t value) {
    steps_.push_back({"twice the " + name, {set_of(path, 2 * value)}});
  }
  /// Ports need banks to read from.
  void twice_the_ports(const std::string& name, const std::string& section, const std::string& field,
                       std::int64_t ports, std::int64_t banks) {
    Step step{"twice the " + name, {}};
    if (2 * ports > banks) step.sets.push_back(set_of(section + ".banks", 2 * ports));
    step.sets.push_back(set_of(section + "." + field, 2 * ports));
    steps_.push_back(std::move(step));
  }
  void second(const std::string& name, const std::string& path, bool has_it) {
    if (!has_it) steps_.push_back({"double-buffered " + name, {path + "=true"}});
  }
  [[nodiscard]] std::vector<Step> take() { return std::move(steps_); }

 private:
  std::vector<Step> steps_;
};

void add_memory(Steps& steps, const DramConfig& dram, std::vector<Step>& list) {
  constexpr double kGiga = 1e9;
  const auto bandwidth = [&](const std::string& name, const std::string& path, std::int64_t bytes) {
    list.push_back({name, {fmt::format("{}={:.10g}", path, 2.0 * static_cast<double>(bytes) / kGiga)}});
  };
  bandwidth("twice the bandwidth", "dram.bandwidth_gb_per_s", dram.bandwidth_bytes_per_second);
  if (dram.write_bandwidth_bytes_per_second > 0) {
    bandwidth("twice the write bandwidth", "dram.write_bandwidth_gb_per_s",
              dram.write_bandwidth_bytes_per_second);
  }
  steps.twice("requests in flight", "dram.outstanding_requests", dram.outstanding_requests);
}

}  // namespace

std::string set_of(const std::string& path, std::int64_t value) {
  return path + "=" + std::to_string(value);
}

std::vector<Step> next_steps(const HardwareConfig& hardware) {
  std::vector<Step> list;
  Steps steps;
  if (hardware.dram.kind != DramKind::none) add_memory(steps, hardware.dram, list);
  const BufferConfig& weights = hardware.weight_buffer;
  const BufferConfig& activations = hardware.activation_buffer;
  steps.twice("rows", "mac_array.rows", hardware.mac_array.rows);
  steps.twice("columns", "mac_array.columns", hardware.mac_array.columns);
  steps.twice("weight buffer", "weight_buffer.capacity_kib", weights.capacity_kib);
  steps.twice("activation buffer", "activation_buffer.capacity_kib", activations.capacity_kib);
  steps.twice("accumulators", "accumulators.entries", hardware.accumulators.entries);
  steps.twice_the_ports("weight read ports", "weight_buffer", "read_ports", weights.read_ports,
                        weights.banks);
  steps.twice_the_ports("activation read ports", "activation_buffer", "read_ports", activations.read_ports,
                        activations.banks);
  steps.twice_the_ports("activation write ports", "activation_buffer", "write_ports", activations.write_ports,
                        activations.banks);
  steps.twice("requantizer lanes", "requantizer.lanes", hardware.requantizer.lanes);
  if (hardware.vector_unit.lanes > 0) {
    steps.twice("vector lanes", "vector_unit.lanes", hardware.vector_unit.lanes);
  }
  steps.second("PE registers", "mac_array.double_buffered_weights",
               hardware.mac_array.double_buffered_weights);
  steps.second("weight buffer", "weight_buffer.double_buffered", weights.double_buffered);
  steps.second("activation buffer", "activation_buffer.double_buffered", activations.double_buffered);
  steps.second("accumulators", "accumulators.double_buffered", hardware.accumulators.double_buffered);
  for (Step& step : steps.take()) list.push_back(std::move(step));
  return list;
}

std::vector<Amount> amounts_of(const HardwareConfig& hardware) {
  const BufferConfig& weights = hardware.weight_buffer;
  const BufferConfig& activations = hardware.activation_buffer;
  std::vector<Amount> amounts{{"weight_buffer.capacity_kib", weights.capacity_kib},
                              {"activation_buffer.capacity_kib", activations.capacity_kib},
                              {"accumulators.entries", hardware.accumulators.entries},
                              {"weight_buffer.read_ports", weights.read_ports},
                              {"weight_buffer.read_port_bytes", weights.read_port_bytes},
                              {"activation_buffer.read_ports", activations.read_ports},
                              {"activation_buffer.read_port_bytes", activations.read_port_bytes},
                              {"activation_buffer.write_ports", activations.write_ports},
                              {"activation_buffer.write_port_bytes", activations.write_port_bytes},
                              {"requantizer.lanes", hardware.requantizer.lanes}};
  if (hardware.vector_unit.lanes > 0) amounts.push_back({"vector_unit.lanes", hardware.vector_unit.lanes});
  if (hardware.dram.kind != DramKind::none) {
    amounts.push_back({"dram.outstanding_requests", hardware.dram.outstanding_requests});
  }
  return amounts;
}

std::int64_t requests_for_bandwidth(const HardwareConfig& hardware) {
  const DramConfig& dram = hardware.dram;
  const double clock_hz = static_cast<double>(hardware.clock_khz) * 1000.0;
  const double burst_cycles =
      static_cast<double>(dram.burst_bytes) * clock_hz / static_cast<double>(dram.bandwidth_bytes_per_second);
  return static_cast<std::int64_t>(
      std::ceil((static_cast<double>(dram.latency_cycles) + burst_cycles) / burst_cycles));
}

}  // namespace qsim
