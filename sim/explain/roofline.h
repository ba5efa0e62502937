// Layers against the machine's ceilings: how many MACs a cycle each could do at most for the bytes that it
// moves, and how many it does (Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/report/limits.h"
#include "sim/result.h"

namespace qsim {

/// A layer with MACs on the array.
struct RooflinePoint {
  std::string name, op;
  int weight_bits = 0, activation_bits = 0;
  std::int64_t macs = 0, cycles = 0;
  std::int64_t dram_bytes = 0;               ///< Payload, read and written.
  std::optional<double> macs_per_dram_byte;  ///< Absent where nothing crosses to DRAM.
  double peak_macs_per_cycle = 0;            ///< At the layer's precision.
  double ceiling_macs_per_cycle = 0;         ///< min(peak, macs_per_dram_byte * bandwidth)
  double macs_per_cycle = 0;                 ///< macs / cycles
  /// macs_per_cycle / ceiling. Above 1 where weights came while an earlier layer computed.
  double ceiling_share = 0;
  Limit limited_by = Limit::dependency;
};

/// A roof: MACs a cycle of operands of these widths.
struct RooflinePeak {
  int weight_bits = 0, activation_bits = 0;
  double macs_per_cycle = 0;
};

struct Roofline {
  std::string hardware, workload;
  /// Of reads and writes together, over channels of their own too; 0 without DRAM.
  double dram_bytes_per_cycle = 0;
  std::vector<RooflinePeak> peaks;  ///< Of the precisions that occur, widest operands first.
  std::vector<RooflinePoint> points;
};

[[nodiscard]] Roofline roofline_of(const RunResult& run);

/// Adds a layer of which name, widths, MACs, cycles, bytes, peak and limit are known: the rest follows from
/// them and from the roofline's bandwidth. When all are there, sort_peaks().
void add_point(Roofline& roofline, RooflinePoint point);
void sort_peaks(Roofline& roofline);

}  // namespace qsim
