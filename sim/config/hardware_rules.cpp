#include "sim/config/hardware_rules.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "hw_models/dataflow/dataflow_table.h"
#include "hw_models/dataflow/precision_style.h"

namespace qsim {
namespace {

/// Collects the problems of the rules that are broken.
class RuleList {
 public:
  explicit RuleList(const std::set<std::string>& unreadable) : unreadable_(unreadable) {}

  /// `fields`: what the rule reads, the field to blame first.
  void check(bool holds, const std::vector<std::string>& fields, std::int64_t value, std::string expected,
             std::string hint) {
    const bool readable = std::none_of(fields.begin(), fields.end(),
                                       [&](const std::string& field) { return unreadable_.contains(field); });
    if (holds || !readable) return;
    problems_.push_back({"", fields.front(), std::to_string(value), std::move(expected), std::move(hint)});
  }

  std::vector<Problem> take() { return std::move(problems_); }

 private:
  const std::set<std::string>& unreadable_;
  std::vector<Problem> problems_;
};

void check_buffer(const std::string& section, const BufferConfig& buffer, RuleList& rules) {
  const std::string capacity = section + ".capacity_kib";
  const std::string banks = section + ".banks";
  const std::string halves = section + ".double_buffered";
  const std::int64_t slot_bytes = buffer.capacity_bytes() / (buffer.double_buffered ? 2 : 1);
  rules.check(buffer.capacity_bytes() % buffer.banks == 0, {banks, capacity}, buffer.banks,
              "a divisor of the capacity, " + std::to_string(buffer.capacity_bytes()) + " bytes",
              "take a power of two");
  const auto check_port = [&](const std::string& port, std::int64_t port_bytes) {
    rules.check(port_bytes <= slot_bytes, {section + "." + port, capacity, halves}, port_bytes,
                "at most " + std::to_string(slot_bytes) + " bytes, what " +
                    (buffer.double_buffered ? "half of" : "") + " the buffer holds",
                "raise " + capacity + " or narrow the port");
  };
  rules.check(buffer.read_ports <= buffer.banks, {section + ".read_ports", banks}, buffer.read_ports,
              "at most " + std::to_string(buffer.banks) + ", the number of banks",
              "a bank delivers a word a cycle");
  rules.check(buffer.write_ports <= buffer.banks, {section + ".write_ports", banks}, buffer.write_ports,
              "at most " + std::to_string(buffer.banks) + ", the number of banks",
              "a bank takes a word a cycle");
  check_port("read_port_bytes", buffer.read_port_bytes);
  check_port("write_port_bytes", buffer.write_port_bytes);
}

/// The dataflows in which pixels stream, and where.
std::string dataflows_that_stream_pixels() {
  std::string text;
  for (const DataflowRow& row : dataflow_table()) {
    const bool systolic = row.model(Organization::systolic).pixels_stream();
    const bool dot_product = row.model(Organization::dot_product).pixels_stream();
    if (!systolic && !dot_product) continue;
    text += (text.empty() ? "" : ", or ") + std::string(row.name);
    if (!systolic) text += " on a dot_product array";
    if (!dot_product) text += " on a systolic array";
  }
  return text;
}

/// A line buffer holds rows of the window of pixels that stream past.
void check_line_buffer(const HardwareConfig& hardware, RuleList& rules) {
  const MacArrayConfig& array = hardware.mac_array;
  const bool streams = std::ranges::all_of(array.offered_dataflows(), [&](Dataflow dataflow) {
    return dataflow_model(dataflow, array.organization).pixels_stream();
  });
  rules.check(
      !hardware.activation_buffer.line_buffer || streams,
      {"activation_buffer.line_buffer",
       array.dataflows.empty() ? "mac_array.dataflow" : "mac_array.dataflows", "mac_array.organization"},
      1, "false where pixels do not stream through the array", "take " + dataflows_that_stream_pixels());
}

/// Bricks fuse into multipliers of certain widths.
void check_precision(const MacArrayConfig& array, RuleList& rules) {
  const std::vector<std::int64_t> widths = precision_model(array).multiplier_widths();
  std::string list;
  for (const std::int64_t width : widths) list += (list.empty() ? "" : ", ") + std::to_string(width);
  const std::string style = precision_style_names()[static_cast<std::size_t>(array.precision_style)];
  for (const auto& [field, bits] : {std::pair{"mac_array.weight_bits", array.weight_bits},
                                    std::pair{"mac_array.activation_bits", array.activation_bits}}) {
    rules.check(widths.empty() || std::ranges::find(widths, bits) != widths.end(), {field, "precision.style"},
                bits, "one of " + list + " where precision.style is " + style,
                "take one of them, or another precision.style");
  }
}

void check_way_out(const RequantizerConfig& requantizer, RuleList& rules) {
  for (const auto& [field, is_on] : {std::pair{"requantizer.fused_add", requantizer.fused_add},
                                     std::pair{"requantizer.fused_pool", requantizer.fused_pool}}) {
    rules.check(!is_on || !requantizer.writes_through, {field, "requantizer.writes_through"}, 1,
                "false where requantizer.writes_through is true",
                "a way out ends in the activation buffer: set requantizer.writes_through to false");
  }
}

/// What block formats have not been thought through with.
void check_blocks(const HardwareConfig& hardware, RuleList& rules) {
  const std::string field = "requantizer.block_exponents";
  const bool is_on = hardware.requantizer.block_exponents;
  for (const auto& [other, is_other] :
       {std::pair{"requantizer.writes_through", hardware.requantizer.writes_through},
        std::pair{"weight_buffer.bank_conflicts", hardware.weight_buffer.bank_conflicts},
        std::pair{"activation_buffer.bank_conflicts", hardware.activation_buffer.bank_conflicts},
        std::pair{"activation_buffer.line_buffer", hardware.activation_buffer.line_buffer}}) {
    rules.check(!is_on || !is_other, {field, other}, 1, std::string("false where ") + other + " is true",
                std::string("set ") + other + " to false");
  }
  constexpr int kWidest = 62;
  rules.check(!is_on || hardware.accumulators.width_bits <= kWidest, {"accumulators.width_bits", field},
              hardware.accumulators.width_bits, "at most 62 bits where requantizer.block_exponents is true",
              "sums that are shifted further would not be seen to overflow");
}

/// Gaps follow beats of whole pixels.
void check_gaps(const DmaConfig& dma, RuleList& rules) {
  for (const auto& [field, cycles] : {std::pair{"dma.line_gap_cycles", dma.line_gap_cycles},
                                      std::pair{"dma.upper_atom_gap_cycles", dma.upper_atom_gap_cycles}}) {
    rules.check(cycles == 0 || dma.pixel_granule_bytes % dma.transaction_bytes == 0,
                {field, "dma.pixel_granule_bytes", "dma.transaction_bytes"}, cycles,
                "0 unless dma.pixel_granule_bytes, " + std::to_string(dma.pixel_granule_bytes) +
                    ", is a multiple of dma.transaction_bytes, " + std::to_string(dma.transaction_bytes),
                "let a transaction be an atom of a pixel");
  }
}

void check_accumulators(const HardwareConfig& hardware, RuleList& rules) {
  // |w| <= 2^(w-1), |a| <= 2^(a-1): the product of two signed operands needs w + a bits.
  const std::int64_t product_bits = hardware.mac_array.weight_bits + hardware.mac_array.activation_bits;
  rules.check(hardware.accumulators.width_bits >= product_bits,
              {"accumulators.width_bits", "mac_array.weight_bits", "mac_array.activation_bits"},
              hardware.accumulators.width_bits,
              "at least " + std::to_string(product_bits) +
                  " bits, to hold one product of mac_array.weight_bits and "
                  "mac_array.activation_bits",
              "raise accumulators.width_bits or narrow the operands");
  rules.check(hardware.accumulators.entries >= hardware.accumulators.slots(),
              {"accumulators.entries", "accumulators.double_buffered"}, hardware.accumulators.entries,
              "at least 2 entries where accumulators.double_buffered is true",
              "raise accumulators.entries or set accumulators.double_buffered to false");
}

void check_dram(const HardwareConfig& hardware, RuleList& rules) {
  const DramConfig& dram = hardware.dram;
  const auto burst_bytes = static_cast<std::uint64_t>(dram.burst_bytes);
  rules.check(std::has_single_bit(burst_bytes), {"dram.burst_bytes"}, dram.burst_bytes, "a power of two",
              "take " + std::to_string(std::bit_floor(burst_bytes)) + " or " +
                  std::to_string(std::bit_ceil(burst_bytes)));
  constexpr std::int64_t kLeastBandwidth = 1'000'000;
  rules.check(
      dram.write_bandwidth_bytes_per_second == 0 || dram.write_bandwidth_bytes_per_second >= kLeastBandwidth,
      {"dram.write_bandwidth_gb_per_s"}, dram.write_bandwidth_bytes_per_second,
      "0, or at least 0.001 GB/s, " + std::to_string(kLeastBandwidth) + " bytes a second",
      "0: reads and writes share one channel");
  if (dram.kind == DramKind::none) return;
  rules.check(hardware.dma.transaction_bytes % dram.burst_bytes == 0,
              {"dma.transaction_bytes", "dram.burst_bytes", "dram.kind"}, hardware.dma.transaction_bytes,
              "a multiple of dram.burst_bytes, " + std::to_string(dram.burst_bytes),
              "transfers take whole bursts");
}

}  // namespace

std::vector<Problem> broken_hardware_rules(const HardwareConfig& hardware,
                                           const std::set<std::string>& unreadable) {
  RuleList rules(unreadable);
  check_buffer("weight_buffer", hardware.weight_buffer, rules);
  check_buffer("activation_buffer", hardware.activation_buffer, rules);
  check_line_buffer(hardware, rules);
  check_precision(hardware.mac_array, rules);
  check_accumulators(hardware, rules);
  check_way_out(hardware.requantizer, rules);
  check_blocks(hardware, rules);
  check_gaps(hardware.dma, rules);
  check_dram(hardware, rules);
  return rules.take();
}

}  // namespace qsim
