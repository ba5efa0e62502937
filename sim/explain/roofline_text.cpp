#include "sim/explain/roofline_text.h"

#include <fmt/format.h>

#include "sim/check/text_layout.h"

namespace qsim {
namespace {

constexpr std::size_t kLayerColumns = 26;

std::string heading(const Roofline& roofline) {
  std::string text = fmt::format("{} on {}\n", roofline.workload, roofline.hardware);
  for (const RooflinePeak& peak : roofline.peaks) {
    text += fmt::format("peak        {:g} MACs a cycle, {}-bit weights x {}-bit activations\n",
                        peak.macs_per_cycle, peak.weight_bits, peak.activation_bits);
  }
  if (roofline.dram_bytes_per_cycle == 0) return text + "no DRAM\n\n";
  text += fmt::format("bandwidth   {:g} bytes a cycle", roofline.dram_bytes_per_cycle);
  for (const RooflinePeak& peak : roofline.peaks) {
    text += fmt::format("; {}x{} bits meet it at {:.1f} MACs a byte", peak.weight_bits, peak.activation_bits,
                        peak.macs_per_cycle / roofline.dram_bytes_per_cycle);
  }
  return text + "\n\n";
}

}  // namespace

std::string roofline_text(const Roofline& roofline) {
  std::string text = heading(roofline);
  text += fmt::format("{:<{}} {:>5} {:>10} {:>9} {:>9} {:>6}  {}\n", "layer", kLayerColumns, "bits",
                      "MACs/byte", "MACs/cyc", "ceiling", "share", "limited by");
  for (const RooflinePoint& point : roofline.points) {
    text += fmt::format(
        "{} {:>5} {:>10} {:>9.1f} {:>9.1f} {:>5.0f}%  {}\n", to_columns(point.name, kLayerColumns),
        fmt::format("{}x{}", point.weight_bits, point.activation_bits),
        point.macs_per_dram_byte ? fmt::format("{:.1f}", *point.macs_per_dram_byte) : "no DRAM",
        point.macs_per_cycle, point.ceiling_macs_per_cycle, 100.0 * point.ceiling_share,
        limit_name(point.limited_by));
  }
  return text;
}

}  // namespace qsim
