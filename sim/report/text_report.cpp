#include "sim/report/text_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "sim/report/host_work.h"
#include "sim/report/uncertainty.h"

namespace qsim {
namespace {

constexpr std::size_t kNameWidth = 20;
constexpr std::size_t kOpWidth = 13;

double percent(double part, double whole) {
  return whole > 0.0 ? 100.0 * part / whole : 0.0;
}

std::string bytes_text(std::int64_t bytes) {
  return with_prefix(static_cast<double>(bytes), "B");
}
std::string energy_text(double pj) {
  return with_prefix(pj * 1e-12, "J");
}

std::string heading(const RunResult& result, const ReportOptions& options) {
  const HardwareConfig& hardware = result.hardware;
  std::string text =
      fmt::format("{} on {}: {}x{} MAC array, {} + {} KiB, {:g} MHz\n", result.workload_name, hardware.name,
                  hardware.mac_array.rows, hardware.mac_array.columns, hardware.weight_buffer.capacity_kib,
                  hardware.activation_buffer.capacity_kib, static_cast<double>(hardware.clock_khz) / 1e3);
  for (const InputOrigin& input : options.inputs) {
    text += fmt::format("input {} ({} {}): {}\n", input.name, input.shape, input.dtype, input.origin);
  }
  return text + "\n";
}

std::string rows_table(const RunResult& result, const RunSummary& summary) {
  std::string text =
      fmt::format("{:<{}} {:<{}} {:>7} {:>11} {:>6} {:<20} {:>8} {:>8}\n", "layer", kNameWidth, "operation",
                  kOpWidth, "MACs", "cycles", "util", "limited by", "energy", "DRAM");
  for (std::size_t i = 0; i < result.layers.size(); ++i) {
    const LayerResult& layer = result.layers[i];
    const RowSummary& row = summary.rows[i];
    text +=
        fmt::format("{:<{}} {:<{}} {:>7} {:>11} {:>6} {:<20} {:>8} {:>8}\n",
                    shortened(layer.name, kNameWidth), kNameWidth, shortened(layer.op, kOpWidth), kOpWidth,
                    layer.macs > 0 ? with_prefix(static_cast<double>(layer.macs), "") : "-", layer.cycles,
                    layer.macs > 0 ? fmt::format("{:.1f}%", 100.0 * row.mac_utilization) : "-",
                    limit_name(row.limits.limited_by), energy_text(row.energy_total_pj),
                    bytes_text(dram_payload_bytes(row.traffic)));
  }
  return text + fmt::format("{:<{}} {:<{}} {:>7} {:>11} {:>6} {:<20} {:>8} {:>8}\n\n", "total", kNameWidth,
                            "", kOpWidth, with_prefix(static_cast<double>(result.macs), ""),
                            result.total_cycles,
                            fmt::format("{:.1f}%", 100.0 * summary.totals.mac_utilization), "",
                            energy_text(summary.totals.energy_total_pj), bytes_text(summary.dram_bytes));
}

std::string band_line(const RunSummary& summary) {
  const double total = summary.totals.energy_total_pj;
  const Uncertainty& uncertainty = summary.uncertainty;
  if (uncertainty.entries.empty()) return "";
  return fmt::format(
      "            {} to {} with what is assumed or extrapolated ({:.0f}%) halved and doubled\n",
      energy_text(uncertainty.low_pj(total)), energy_text(uncertainty.high_pj(total)),
      percent(uncertainty.energy_pj, total));
}

std::string power_line(const PowerProfile& power) {
  if (power.window_cycles == 0) return "";
  return fmt::format("peak power  {} over {} ({} {})\n", with_prefix(power.peak_w, "W"),
                     with_prefix(power.window_s, "s"), power.window_cycles,
                     power.window_cycles == 1 ? "cycle" : "cycles");
}

std::string duty_lines(const RunSummary& summary) {
  if (!summary.duty_cycle) return "";
  const DutyCycle& duty = *summary.duty_cycle;
  return fmt::format("{:<11} {} an inference, {} on average, idle {:.1f}% of the time (reaches {:.6g}/s)\n",
                     fmt::format("at {:g}/s", duty.rate), energy_text(duty.inference_pj),
                     with_prefix(duty.power_w, "W"), 100.0 * (1.0 - duty.busy_share), duty.reachable_rate);
}

std::string totals_lines(const RunResult& result, const RunSummary& summary) {
  std::string text = fmt::format(
      "latency     {} ({} cycles), {:.{}f} inferences/s\n"
      "energy      {}, {} on average while running\n"
      "{}{}DRAM        {} payload, {} in whole bursts\n",
      with_prefix(summary.latency_s, "s"), result.total_cycles, summary.inferences_per_second,
      summary.inferences_per_second < 100.0 ? 2 : 0, energy_text(summary.totals.energy_total_pj),
      with_prefix(summary.power_w, "W"), band_line(summary), power_line(summary.power),
      bytes_text(summary.dram_bytes), bytes_text(summary.dram_bus_bytes));
  if (summary.steady_state) {
    const SteadySummary& steady = *summary.steady_state;
    text +=
        fmt::format("then each   {} ({} cycles), {}, {} of DRAM (inference {} of {})\n",
                    with_prefix(steady.latency_s, "s"), result.steady_state->cycles,
                    energy_text(total_pj(steady.energy_pj)), bytes_text(dram_payload_bytes(steady.traffic)),
                    result.steady_state->inferences, result.steady_state->inferences);
  }
  return text + duty_lines(summary) + "\n";
}

std::string energy_table(const RunSummary& summary) {
  std::string text = "energy by component\n";
  for (std::size_t i = 0; i < kComponentCount; ++i) {
    const double pj = summary.totals.energy_pj[i];
    if (pj == 0.0) continue;
    text += fmt::format("  {:<24} {:>9} {:>6.1f}%\n", component_name(static_cast<Component>(i)),
                        energy_text(pj), percent(pj, summary.totals.energy_total_pj));
  }
  return text + "\n";
}

std::string traffic_table(const RunSummary& summary) {
  std::string text = "bytes moved\n";
  for (std::size_t i = 0; i < kTrafficCount; ++i) {
    const std::int64_t bytes = summary.totals.traffic[i];
    if (bytes == 0) continue;
    text += fmt::format("  {:<24} {:>9}\n", traffic_name(static_cast<Traffic>(i)), bytes_text(bytes));
  }
  return text + "\n";
}

std::string host_line(const std::string& what, const HostShare& share, const RunResult& result,
                      const RunSummary& summary) {
  return fmt::format("  {:<20} {:>13} {:>6.1f}% {:>16} {:>6.1f}%\n", fmt::format("{} {}", share.rows, what),
                     share.cycles,
                     percent(static_cast<double>(share.cycles), static_cast<double>(result.total_cycles)),
                     bytes_text(share.dram_bytes),
                     percent(static_cast<double>(share.dram_bytes), static_cast<double>(summary.dram_bytes)));
}

std::string host_table(const RunResult& result, const RunSummary& summary) {
  const HostWork work = host_work(result, summary.rows);
  if (work.operations.rows == 0) return "";
  return fmt::format("\n{:<22} {:>13} {:>24}\n", "left to the host", "cycles", "DRAM") +
         host_line(work.operations.rows == 1 ? "operation" : "operations", work.operations, result, summary) +
         host_line(work.conversions.rows == 1 ? "conversion" : "conversions", work.conversions, result,
                   summary);
}

std::string cycle_table(const RunResult& result) {
  std::string text = "cycles by what the critical resource did\n";
  for (std::size_t i = 0; i < kCycleClassCount; ++i) {
    const std::int64_t cycles = result.cycles[i];
    if (cycles == 0) continue;
    text += fmt::format("  {:<20} {:>13} {:>6.1f}%\n", cycle_class_name(static_cast<CycleClass>(i)), cycles,
                        percent(static_cast<double>(cycles), static_cast<double>(result.total_cycles)));
  }
  return text;
}

std::string overflow_lines(const RunResult& result) {
  std::string text;
  for (const LayerResult& layer : result.layers) {
    if (!layer.accumulator || layer.accumulator->overflows == 0) continue;
    text +=
        fmt::format("  {}: {} overflows of {}-bit accumulators; the sums need {} bits\n",
                    shortened(layer.name, kNameWidth), layer.accumulator->overflows, layer.accumulator_bits,
                    arithmetic::signed_bits(layer.accumulator->min, layer.accumulator->max));
  }
  return text.empty() ? text : "\naccumulator overflows\n" + text;
}

}  // namespace

std::string with_prefix(double value, const std::string& unit) {
  static constexpr std::array<const char*, 9> kPrefixes = {"p", "n", "u", "m", "", "k", "M", "G", "T"};
  constexpr std::ptrdiff_t kUnity = 4;
  std::ptrdiff_t exponent = 0;
  double scaled = std::abs(value);
  while (scaled >= 999.5 && exponent < 4) {
    scaled /= 1000.0;
    ++exponent;
  }
  while (scaled > 0.0 && scaled < 0.9995 && exponent > -4) {
    scaled *= 1000.0;
    --exponent;
  }
  const int digits = scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  const bool whole = exponent == 0 && scaled == std::floor(scaled);
  const std::string suffix = kPrefixes[static_cast<std::size_t>(exponent + kUnity)] + unit;
  return fmt::format("{}{:.{}f}{}{}", value < 0 ? "-" : "", scaled, whole ? 0 : digits,
                     suffix.empty() ? "" : " ", suffix);
}

std::string shortened(const std::string& text, std::size_t width) {
  if (text.size() <= width) return text;
  const std::size_t head = (width - 2) / 2;
  return text.substr(0, head) + ".." + text.substr(text.size() - (width - 2 - head));
}

std::string text_report(const RunResult& result, const RunSummary& summary, const ReportOptions& options) {
  std::string text = heading(result, options) + rows_table(result, summary) + totals_lines(result, summary) +
                     energy_table(summary) + traffic_table(summary) + cycle_table(result) +
                     host_table(result, summary) + overflow_lines(result);
  for (const std::string& note : result.notes) text += "\nnote: " + note;
  for (const std::string& remark : summary.remarks) text += "\nnote: " + remark;
  const std::string doubts = uncertainty_remark(summary);
  if (!doubts.empty()) text += "\nnote: " + doubts;
  return result.notes.empty() && summary.remarks.empty() && doubts.empty() ? text : text + "\n";
}

}  // namespace qsim
