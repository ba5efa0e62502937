// The chip's configuration as the modules use it: validated, every field with its unit and default.
//
// It mirrors the hardware JSON (configs/schemas/hardware.schema.json); sim/config reads and checks the file.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/arithmetic/mx_block.h"
#include "hw_models/arithmetic/rounding.h"

namespace qsim {

/// How operands reach the PEs: from neighbour to neighbour, one register a step, or to all columns at once,
/// whose products an adder tree a column sums up.
enum class Organization : std::uint8_t { systolic, dot_product };
/// Which values stay in the PEs while the others pass (docs/timing.md). What is known of each is an object,
/// in the table of hw_models/dataflow.
enum class Dataflow : std::uint8_t { weight_stationary, output_stationary, input_stationary };
/// How the reduction is cut into chunks of the array's rows.
enum class Reduction : std::uint8_t {
  packed,   ///< One run over kernel rows, kernel columns, channels: every chunk but the last is full.
  per_tap,  ///< A chunk never crosses a kernel tap, so that it reads neighbouring channels of one pixel.
};

/// How multipliers take operands narrower than they are. What is known of each is an object, in the table of
/// hw_models/dataflow/precision_style.h.
enum class PrecisionStyle : std::uint8_t {
  fixed,                   ///< Narrow operands ride on the wide multiplier.
  bit_fusion,              ///< 2-bit bricks that fuse: an 8x8 PE does 4 of 4x4, 16 of 2x2.
  bit_serial_weights,      ///< A weight's bits one after the other.
  bit_serial_activations,  ///< An activation's bits.
  native,                  ///< Multipliers built at each layer's widths.
};

struct MacArrayConfig {
  std::int64_t rows =
      32;  ///< Reduction elements a tile; output pixels of a systolic output_stationary. 1..4096
  std::int64_t columns = 32;  ///< Output channels a tile; output pixels of input_stationary. 1..4096
  Organization organization = Organization::systolic;
  Dataflow dataflow = Dataflow::weight_stationary;
  /// Of an array that offers several, each layer its own: all of them, `dataflow` the first. Otherwise empty.
  std::vector<Dataflow> dataflows;
  Reduction reduction = Reduction::packed;
  /// dot_product: cycles from the operands to their sum in the accumulators. Absent: ceil(log2(rows)). 0..64
  std::optional<std::int64_t> adder_tree_cycles;
  /// Second register a PE for what stays: the next tile loads while one streams. False: tiles are serialized.
  bool double_buffered_weights = true;
  int weight_bits = 8;      ///< Width of the multipliers' weight operand. 1..16
  int activation_bits = 8;  ///< Width of the multipliers' activation operand. 1..16

  PrecisionStyle precision_style = PrecisionStyle::fixed;  ///< JSON: precision.style.

  /// Cycles of one product (PrecisionModel).
  [[nodiscard]] std::int64_t cycles_per_mac(int weight_operand_bits, int activation_operand_bits) const;
  /// Products that a PE makes side by side (PrecisionModel).
  [[nodiscard]] std::int64_t macs_a_pe(int weight_operand_bits, int activation_operand_bits) const;
  [[nodiscard]] std::vector<Dataflow> offered_dataflows() const {
    return dataflows.empty() ? std::vector{dataflow} : dataflows;
  }
  [[nodiscard]] std::int64_t tree_cycles() const {
    return adder_tree_cycles.value_or(std::bit_width(static_cast<std::uint64_t>(rows - 1)));
  }
};

/// Who waits where a write and what the MAC array reads meet (docs/timing.md).
enum class Arbitration : std::uint8_t {
  fixed,        ///< Nobody: both have ports or time slots of their own.
  write_first,  ///< Single-ported banks: a burst of writes stops the array's reads for its beats.
  read_first,   ///< Single-ported banks: a burst waits for the end of the running pass, the next pass for it.
};

struct BufferConfig {
  std::int64_t capacity_kib = 256;
  std::int64_t banks = 16;
  std::int64_t read_port_bytes = 32;   ///< Bytes a cycle that a read port delivers: a word.
  std::int64_t write_port_bytes = 32;  ///< Bytes a cycle that a write port takes.
  bool double_buffered = true;         ///< Two halves: one fills while the other is used.
  std::int64_t read_ports = 1;         ///< Words a cycle, from different banks.
  std::int64_t write_ports = 1;
  /// The array's reads take what their addresses take: words, interleaved over the banks, a word a cycle a
  /// bank. False: an aligning network in front gathers operands, and bytes alone count.
  bool bank_conflicts = false;
  Arbitration arbitration = Arbitration::fixed;
  /// Of the activation buffer: kernel_h rows are held beside it, so that a pass reads each element once.
  bool line_buffer = false;
  /// Its macros cost what the energy table's curves of this name say, <curve>_read_64bit and so on.
  std::string curve = "sram";

  [[nodiscard]] std::int64_t capacity_bytes() const { return capacity_kib * 1024; }
  /// Cycles that all read ports, or all write ports, take for `bytes`.
  [[nodiscard]] std::int64_t read_cycles(std::int64_t bytes) const {
    return (bytes + read_ports * read_port_bytes - 1) / (read_ports * read_port_bytes);
  }
  [[nodiscard]] std::int64_t write_cycles(std::int64_t bytes) const {
    return (bytes + write_ports * write_port_bytes - 1) / (write_ports * write_port_bytes);
  }
};

struct AccumulatorConfig {
  int width_bits = 32;          ///< 8..64
  std::int64_t entries = 2048;  ///< Accumulators a column; halved where double buffered.
  arithmetic::Overflow overflow = arithmetic::Overflow::wrap;
  bool double_buffered = true;  ///< One half accumulates while the other is requantized.
  /// Cycles between two updates of a column: 1 with a read and a write port, 2 with one port for both.
  std::int64_t update_cycles = 1;
  /// Entries of a column that the requantizer reads a cycle; 0: as many as it has lanes.
  std::int64_t read_out_entries = 0;
  /// Partial sums may leave for the activation buffer, and come back for the next part of the reduction.
  bool spill = false;
  std::string curve = "sram";  ///< As of a buffer.

  /// Of a partial sum in the activation buffer.
  [[nodiscard]] std::int64_t sum_bytes() const { return (width_bits + 7) / 8; }
  [[nodiscard]] std::int64_t slots() const { return double_buffered ? 2 : 1; }
  [[nodiscard]] std::int64_t entries_per_slot() const { return entries / slots(); }
};

struct RequantizerConfig {
  std::int64_t lanes = 32;          ///< Outputs a cycle.
  std::int64_t latency_cycles = 4;  ///< From the first accumulator read to the first output written.
  std::optional<arithmetic::RoundingProfile> rounding_profile;  ///< Absent: auto.
  /// How the shift of the profile power_of_two rounds.
  arithmetic::ShiftRounding shift_rounding = arithmetic::ShiftRounding::half_away;
  int multiplier_bits = 32;  ///< Of the fixed-point profiles' multipliers. 8..32
  /// 0: outputs of neighbouring pixels share lane cycles. n: the accumulator bank hands over a row (one
  /// pixel, all columns, used or not) at a time, and reading it takes n cycles that do not overlap with the
  /// lanes.
  std::int64_t row_read_cycles = 0;
  /// From the last pixel of a run of accumulators until the first of the next one, where that run had to wait
  /// for it; each entry that it leaves free hides the cycles of a pixel (requantizer.h).
  std::int64_t turnaround_cycles = 0;
  /// Outputs leave for memory run by run, and no tensor stays on the chip between layers.
  bool writes_through = false;
  /// Behind the lanes lie an adder, which reads its second operand from the activation buffer, and functions
  /// of one element: rows of the network that do this to a product's outputs run on their way out.
  bool fused_add = false;
  /// Between the array and the accumulators lie multipliers, one a column, for sums of groups of weights that
  /// have scales of their own: unsigned integers of so many bits. 0: there are none. 0..15
  int group_multiplier_bits = 0;
  /// Behind the lanes, and what `fused_add` has there, lies a pooler: maxima and averages over windows of a
  /// product's outputs are made on their way out. Windows that are not complete wait in storage of its own.
  bool fused_pool = false;
  std::int64_t pool_line_bytes = 8192;
  /// Behind the multiplier lies an adder with an offset a channel, and multipliers have a sign: what lies
  /// between two quantizers of QONNX. Used where a node asks for it.
  bool affine_stage = false;
  /// Comparators a lane: what lies between two quantizers, where it has at most so many outputs but one, is
  /// found by comparing the accumulator with thresholds of its channel. 0: none.
  std::int64_t thresholds = 0;
  /// Block formats (arithmetic/mx_block.h): between the array and the accumulators lie shifters, one a
  /// column, which align sums by the exponents of their operands; behind the lanes 32 outputs of a pixel wait
  /// until the exponent of their block is known.
  bool block_exponents = false;

  /// Cycles that a block waits for its last output, and for its exponent.
  [[nodiscard]] std::int64_t block_latency_cycles() const {
    return (arithmetic::kMxBlock + lanes - 1) / lanes + 1;
  }
  /// Lane cycles of `channels` outputs of a pixel, whole blocks and what is left: no block shares a cycle
  /// with another.
  [[nodiscard]] std::int64_t block_lane_cycles(std::int64_t channels) const {
    const std::int64_t whole = channels / arithmetic::kMxBlock;
    const std::int64_t rest = channels % arithmetic::kMxBlock;
    return whole * ((arithmetic::kMxBlock + lanes - 1) / lanes) + (rest + lanes - 1) / lanes;
  }
};

struct VectorUnitConfig {
  std::int64_t lanes = 32;          ///< Elements a cycle of the simplest operation; 0: the chip has none.
  std::int64_t latency_cycles = 8;  ///< Pipeline depth, paid once a tile.
};

enum class WeightPrefetch {
  halves,  ///< Two halves of the weight buffer, or all weights where they fit.
  ring,    ///< Column tile by column tile, as many of them ahead as the buffer holds.
};

/// Which channel of the DMA goes first where several have a request.
enum class ChannelOrder : std::uint8_t {
  round_robin,  ///< Of those that are there: of the earliest layer, then each channel in turn.
  /// One order, known before the run: that of round_robin with the default memory, ports and lanes
  /// (ordering_hardware()). The port waits for the request whose turn it is.
  fixed,
};

struct DmaConfig {
  std::int64_t transaction_bytes =
      1024;                       ///< Largest request; arbitration between channels is a request each.
  std::int64_t setup_cycles = 8;  ///< From a command to its first request.
  WeightPrefetch weight_prefetch = WeightPrefetch::halves;
  ChannelOrder channel_order = ChannelOrder::round_robin;
  std::int64_t weight_granule_bytes = 1;  ///< Weights of a block are stored in whole granules ..
  /// .. and pixels of tensors that only the MAC array reads and writes, in DRAM and in the buffer.
  std::int64_t pixel_granule_bytes = 1;
  /// Loads of a convolution's inputs skip rows and pixels that no output touches, where that moves fewer
  /// bytes.
  bool skips_pixels = true;
  /// From the last byte of a tile in its buffer until the array may read it: status and address pipelines.
  std::int64_t weight_ready_cycles = 0, input_ready_cycles = 0;
  /// Pauses of the input channel, which other channels may use: after each line (a row of the tile, one
  /// transaction deep), and of every four transactions of a pixel after each two of the upper two.
  std::int64_t line_gap_cycles = 0, upper_atom_gap_cycles = 0;
};

/// How the pixels of a tile are cut into passes (PassCut).
enum class PassOrder { even, full };

struct ControllerConfig {
  PassOrder pass_order = PassOrder::even;
  std::int64_t layer_start_cycles = 0;  ///< From the start of a layer to its first load.
};

/// Which loop of a product's nest is the outer one (gemm.h), where the machine fixes it.
enum class FixedLoopOrder : std::uint8_t { any, weights_outer, activations_outer };

/// What a machine's hardware, or the compiler that it is known with, fixes of mappings. By default nothing.
struct MapperConfig {
  FixedLoopOrder loop_order = FixedLoopOrder::any;
  /// The reduction is whole where it fits, and tiles of pixels are as large as fits, whatever else they cost.
  bool largest_tiles = false;
  /// Inputs that lie in DRAM may be loaded whole into the activation buffer, where they are read several
  /// times.
  bool fetches_inputs = true;
  /// Neighbouring rows may be executed together, stripe by stripe of their outputs' rows, so that what lies
  /// between them stays on the chip (depth first).
  bool fuses_chains = false;
};

enum class DramKind { simple, none };

/// What the memory is made of: it says what energy costs, and nothing about time.
enum class MemoryDevice : std::uint8_t { lpddr4, lpddr5, ddr3, ddr4, hbm2, flash };
/// Their spelling, also in keys of energy tables ("lpddr4_read_bit"), in the order of the enumerators.
inline constexpr std::array<const char*, 6> kMemoryDeviceNames = {"lpddr4", "lpddr5", "ddr3",
                                                                  "ddr4",   "hbm2",   "flash"};

struct DramConfig {
  DramKind kind = DramKind::simple;
  std::int64_t bandwidth_bytes_per_second = 12'800'000'000;  ///< JSON: bandwidth_gb_per_s (1e9 bytes).
  std::int64_t latency_cycles = 100;  ///< Core cycles from a request to its first data.
  /// JSON: write_bandwidth_gb_per_s. 0: writes share bandwidth, latency and requests with reads; otherwise
  /// they have a channel of their own.
  std::int64_t write_bandwidth_bytes_per_second = 0;
  std::int64_t write_latency_cycles = 0;   ///< Of the channel of their own.
  std::int64_t burst_bytes = 64;           ///< Power of two; transfers take whole aligned bursts.
  std::int64_t outstanding_requests = 32;  ///< Bursts in flight.
  std::int64_t capacity_mib = 4096;
  MemoryDevice device = MemoryDevice::lpddr4;
};

struct HardwareConfig {
  std::string name;
  std::int64_t clock_khz = 1'000'000;  ///< JSON: clock_mhz, a multiple of 0.001.
  double voltage_v = 0.9;
  /// Registers are clocked where they work; otherwise in every cycle.
  bool clock_gating = false;
  MacArrayConfig mac_array;
  BufferConfig weight_buffer{256, 16, 32, 32, true};
  BufferConfig activation_buffer{512, 32, 64, 64, true};
  AccumulatorConfig accumulators;
  RequantizerConfig requantizer;
  VectorUnitConfig vector_unit;
  DmaConfig dma;
  ControllerConfig controller;
  MapperConfig mapper;
  DramConfig dram;
  std::string energy = "45nm";  ///< Energy table: a shipped name or a path.
  /// Values by key that take the place of the table's; of a curve, at every capacity.
  std::map<std::string, double> energy_overrides;
};

}  // namespace qsim
