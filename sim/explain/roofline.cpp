#include "sim/explain/roofline.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "sim/report/summary.h"

namespace qsim {
namespace {

double dram_bytes_per_cycle(const HardwareConfig& hardware) {
  const DramConfig& dram = hardware.dram;
  if (dram.kind == DramKind::none) return 0.0;
  const double bytes_per_second = static_cast<double>(dram.bandwidth_bytes_per_second) +
                                  static_cast<double>(dram.write_bandwidth_bytes_per_second);
  return bytes_per_second / (static_cast<double>(hardware.clock_khz) * 1000.0);
}

RooflinePoint point_of(const LayerResult& layer, Limit limited_by, const HardwareConfig& hardware) {
  RooflinePoint point;
  point.name = layer.name;
  point.op = layer.op;
  point.weight_bits = layer.weight_bits;
  point.activation_bits = layer.activation_bits;
  point.macs = layer.macs;
  point.cycles = layer.cycles;
  point.limited_by = limited_by;
  point.dram_bytes = dram_payload_bytes(traffic_of(layer.activity, hardware));
  point.peak_macs_per_cycle = static_cast<double>(layer.peak_macs_per_cycle);
  return point;
}

/// What follows from its figures.
void find_ceiling(RooflinePoint& point, double bandwidth) {
  point.ceiling_macs_per_cycle = point.peak_macs_per_cycle;
  const auto macs = static_cast<double>(point.macs);
  if (point.dram_bytes > 0) {
    point.macs_per_dram_byte = macs / static_cast<double>(point.dram_bytes);
    point.ceiling_macs_per_cycle =
        std::min(point.ceiling_macs_per_cycle, *point.macs_per_dram_byte * bandwidth);
  }
  if (point.cycles > 0) point.macs_per_cycle = macs / static_cast<double>(point.cycles);
  point.ceiling_share = point.macs_per_cycle / point.ceiling_macs_per_cycle;
}

void add_peak(std::vector<RooflinePeak>& peaks, const RooflinePoint& point) {
  const auto is_same = [&](const RooflinePeak& peak) {
    return peak.weight_bits == point.weight_bits && peak.activation_bits == point.activation_bits;
  };
  if (std::ranges::any_of(peaks, is_same)) return;
  peaks.push_back({point.weight_bits, point.activation_bits, point.peak_macs_per_cycle});
}

}  // namespace

void add_point(Roofline& roofline, RooflinePoint point) {
  find_ceiling(point, roofline.dram_bytes_per_cycle);
  add_peak(roofline.peaks, point);
  roofline.points.push_back(std::move(point));
}

void sort_peaks(Roofline& roofline) {
  std::ranges::sort(roofline.peaks, [](const RooflinePeak& a, const RooflinePeak& b) {
    return std::tuple(b.weight_bits, b.activation_bits) < std::tuple(a.weight_bits, a.activation_bits);
  });
}

Roofline roofline_of(const RunResult& run) {
  Roofline roofline;
  roofline.hardware = run.hardware.name;
  roofline.workload = run.workload_name;
  roofline.dram_bytes_per_cycle = dram_bytes_per_cycle(run.hardware);
  const std::vector<Limits> limits = limits_of(run);
  for (std::size_t i = 0; i < run.layers.size(); ++i) {
    if (run.layers[i].macs == 0) continue;
    add_point(roofline, point_of(run.layers[i], limits[i].limited_by, run.hardware));
  }
  sort_peaks(roofline);
  return roofline;
}

}  // namespace qsim
