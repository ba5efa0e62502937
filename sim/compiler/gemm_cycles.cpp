#include "sim/compiler/gemm_cycles.h"

#include <algorithm>
#include <array>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/gemm_tiles.h"

namespace qsim {

namespace {

std::int64_t port_cycles(std::int64_t elements, int bits, const BufferConfig& buffer) {
  return buffer.read_cycles(arithmetic::packed_bytes(elements, bits));
}

class GemmTimes {
 public:
  GemmTimes(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
            const HardwareConfig& hardware)
      : problem_(problem),
        mapping_(mapping),
        hardware_(hardware),
        dataflow_(dataflow_of(mapping)),
        cursor_(cursor) {
    pass_.groups = mapping.groups_per_tile;
    pass_.channels = mapping.column_tile / mapping.groups_per_tile;
    pass_.weight_bits = problem.weight_format.bits;
    pass_.activation_bits = problem.activation_format.bits;
    pass_.macs_a_pe = mapping.macs_a_pe;
    pass_.sums_inputs = problem.parameters.asymmetric_weights;
    pass_.sums_weights = problem.sums_weights;
  }

  /// Array cycles of one column tile of `pixels` pixels with one part of the reduction.
  [[nodiscard]] std::int64_t column_tile(std::int64_t pixels, const ReductionPart& part) {
    const MacArrayConfig& array = hardware_.mac_array;
    const std::int64_t passes = PassCut(pixels, mapping_.pixels_per_pass, mapping_.pass_order).count();
    pass_.pixels = std::min(pixels, mapping_.pixels_per_pass);
    const ChunkCut chunks = cursor_.chunks(part);
    pass_.chunks = ChunkCut(part, mapping_.chunk_rows, mapping_.reduction, problem_.scale_group);
    pass_.depth = chunks.depth(0);
    shape_ = pass_;
    shape_.depth = part.depth();
    // Where sums stay a reduction is one pass, or one a group.
    const bool leaves_at_groups = problem_.scale_group > 0 && dataflow_.stays() == Stays::sums;
    if (leaves_at_groups) {
      shape_.depth = pass_.depth;
      pass_.chunks = ChunkCut(pass_.depth, mapping_.chunk_rows);
    }
    const std::int64_t fills = passes * chunks.count();
    const std::int64_t stream =
        dataflow_.occupied_cycles(array, shape_, pixels, leaves_at_groups ? fills : passes,
                                  hardware_.accumulators.update_cycles, port_interval());
    const std::int64_t fill = fill_cycles();
    if (array.double_buffered_weights) return std::max(stream, fills * fill);
    return fills * (fill + drained());
  }

  /// Ports of the activation buffer with the sums of `pixels` pixels and `channels` channels, in or out.
  [[nodiscard]] std::int64_t spill(std::int64_t pixels, std::int64_t channels) const {
    const std::int64_t bytes = pixels * channels * hardware_.accumulators.sum_bytes();
    const BufferConfig& buffer = hardware_.activation_buffer;
    return std::max(buffer.read_cycles(bytes), buffer.write_cycles(bytes));
  }
  /// Of a pass that has nothing beside it.
  [[nodiscard]] std::int64_t drained() const {
    const std::int64_t steps = dataflow_.steps(pass_);
    const std::int64_t step = step_interval();
    StreamCycles stream;
    stream.stream_cycles = steps * step;
    stream.last_step_cycle = (steps - 1) * step;
    stream.first_sum_cycle = (dataflow_.steps_a_sum(pass_) - 1) * step;
    return dataflow_.timing(hardware_.mac_array, pass_, stream, hardware_.accumulators.update_cycles)
               .drain_cycles +
           (problem_.scale_group > 0 ? kGroupMultiplierCycles : 0);
  }
  [[nodiscard]] std::int64_t pass_stream() const { return dataflow_.steps(pass_) * step_interval(); }
  /// Filling and streaming overlap from pass to pass; the shorter of the two stands alone once.
  [[nodiscard]] std::int64_t start() const {
    return hardware_.mac_array.double_buffered_weights ? std::min(fill_cycles(), pass_stream()) : 0;
  }
  /// Of the `cycles` that a run occupies the array, those before its first sum may need an accumulator: of
  /// filling the PEs, what the stream before does not hide.
  [[nodiscard]] std::int64_t without_accumulators(std::int64_t cycles) const {
    if (dataflow_.stays() == Stays::sums) return std::max<std::int64_t>(0, cycles - pass_stream());
    const std::int64_t hidden = hardware_.mac_array.double_buffered_weights ? pass_stream() : 0;
    return std::max<std::int64_t>(0, fill_cycles() - hidden);
  }

  [[nodiscard]] std::int64_t requantizer(std::int64_t pixels) const {
    const RequantizerConfig& config = hardware_.requantizer;
    const std::int64_t operations = problem_.requantizer_operations();
    const std::int64_t outputs = pixels * problem_.geometry.output[kChannel];
    const std::int64_t written = hardware_.activation_buffer.write_cycles(
        arithmetic::packed_bytes(written_outputs(problem_, outputs), problem_.output.layout.format.bits));
    std::int64_t lanes = problem_.in_blocks
                             ? pixels * config.block_lane_cycles(problem_.geometry.output[kChannel])
                             : ceil_div(outputs * operations, config.lanes);
    if (config.row_read_cycles > 0) {
      const std::int64_t row =
          config.row_read_cycles + ceil_div(hardware_.mac_array.columns * operations, config.lanes);
      lanes = cursor_.column_tiles() * read_out(pixels, row);
    }
    return std::max({lanes, written, addend_reads(pixels)});
  }

  /// Cycles of the read ports for the addend of a tile of pixels. The array stands still meanwhile, but for
  /// one that loads inputs once and then streams weights.
  [[nodiscard]] std::int64_t addend_reads(std::int64_t pixels) const {
    const TensorView* addend = problem_.addend();
    if (addend == nullptr) return 0;
    return port_cycles(pixels * problem_.geometry.output[kChannel], addend->layout.format.bits,
                       hardware_.activation_buffer);
  }
  [[nodiscard]] std::int64_t held_up(std::int64_t pixels) const {
    return dataflow_.streams_inputs() ? addend_reads(pixels) : 0;
  }

 private:
  /// Cycles of the runs of a column tile, whose entries take `row` cycles each, with the gaps between them
  /// (RequantizerTiming).
  [[nodiscard]] std::int64_t read_out(std::int64_t pixels, std::int64_t row) const {
    const std::int64_t passes = PassCut(pixels, mapping_.pixels_per_pass, mapping_.pass_order).count();
    const std::int64_t entries = dataflow_.streams_inputs() ? pixels : passes * cursor_.pass_entries();
    const std::int64_t run = ceil_div(entries, passes);
    const std::int64_t spare = hardware_.accumulators.entries_per_slot() - run;
    const std::int64_t hidden = std::clamp<std::int64_t>(spare, 0, run) * row;
    return entries * row +
           passes * std::max<std::int64_t>(0, hardware_.requantizer.turnaround_cycles - hidden);
  }
  /// Cycles between steps as the read ports want them.
  [[nodiscard]] std::int64_t port_interval() const {
    const OperandBox box = dataflow_.step(pass_, 0);
    std::int64_t cycles = 1;
    if (dataflow_.streams_inputs())
      cycles =
          std::max(cycles, port_cycles(box.inputs(), pass_.activation_bits, hardware_.activation_buffer));
    if (dataflow_.streams_weights())
      cycles = std::max(cycles, port_cycles(box.weights(), pass_.weight_bits, hardware_.weight_buffer));
    return cycles;
  }
  [[nodiscard]] std::int64_t step_interval() const {
    return std::max(dataflow_.step_cycles(hardware_.mac_array, pass_, hardware_.accumulators.update_cycles),
                    port_interval());
  }

  [[nodiscard]] std::int64_t fill_cycles() const {
    const MacArrayConfig& array = hardware_.mac_array;
    const std::int64_t lines = dataflow_.fill_cycles(array);
    if (dataflow_.stays() == Stays::weights)
      return std::max(lines, port_cycles(pass_.groups * pass_.depth * pass_.channels, pass_.weight_bits,
                                         hardware_.weight_buffer));
    if (dataflow_.stays() == Stays::inputs)
      return std::max(lines, port_cycles(pass_.groups * pass_.depth * pass_.pixels, pass_.activation_bits,
                                         hardware_.activation_buffer));
    return 0;
  }

  const GemmProblem& problem_;
  const GemmMapping& mapping_;
  const HardwareConfig& hardware_;
  const DataflowModel& dataflow_;
  const GemmCursor& cursor_;
  PassShape pass_;
  PassShape shape_;  ///< With all of a part's reduction, as occupied_cycles() wants it.
};

/// A size and how often it occurs.
struct Extent {
  std::int64_t size = 0, count = 0;
};

/// The full tiles of a dimension, and the one that is left.
std::array<Extent, 2> extents(std::int64_t size, std::int64_t tile) {
  return {Extent{tile, size / tile}, Extent{size % tile, size % tile > 0 ? 1 : 0}};
}

}  // namespace

GemmCycles gemm_cycles(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
                       const HardwareConfig& hardware) {
  const ConvolutionGeometry& g = problem.geometry;
  GemmTimes times(problem, mapping, cursor, hardware);
  GemmCycles cycles;
  const std::int64_t parts = cursor.parts();
  std::int64_t runs = 0;
  for (const Extent& rows : extents(g.output[kRow], mapping.tile_rows)) {
    for (const Extent& columns : extents(g.output[kColumn], mapping.tile_columns)) {
      const std::int64_t tiles = g.output[kBatch] * rows.count * columns.count;
      if (tiles == 0) continue;
      const std::int64_t pixels = rows.size * columns.size;
      std::int64_t tile_cycles = 0;
      cursor.visit_parts([&](std::int64_t part, std::int64_t alike) {
        tile_cycles += alike * times.column_tile(pixels, cursor.part(part));
      });
      cycles.array += tiles * (cursor.column_tiles() * tile_cycles + times.held_up(pixels));
      cycles.requantizer += tiles * times.requantizer(pixels);
      runs += tiles * (cursor.sums_wait()
                           ? cursor.blocks()
                           : cursor.column_tiles() *
                                 PassCut(pixels, mapping.pixels_per_pass, mapping.pass_order).count());
      if (cursor.sums_leave())
        cycles.spilled += tiles * (parts - 1) * times.spill(pixels, g.output[kChannel]);
    }
  }
  const std::int64_t pixels = mapping.tile_rows * mapping.tile_columns;
  cycles.first_step = mapping.column_tiles_per_block * times.column_tile(pixels, cursor.part(0));
  cycles.last_step = mapping.column_tiles_per_block * times.column_tile(pixels, cursor.part(parts - 1));
  const std::int64_t last_pass = std::min(pixels, mapping.pixels_per_pass);
  const auto read_out = [&](std::int64_t outputs) { return ceil_div(outputs, hardware.requantizer.lanes); };
  // Where the array serves one pass at a time its own draining is among its cycles.
  const std::int64_t latency =
      static_cast<std::int64_t>(1 + problem.way_out.size()) * hardware.requantizer.latency_cycles +
      (problem.in_blocks ? hardware.requantizer.block_latency_cycles() : 0);
  const std::int64_t drain =
      (hardware.mac_array.double_buffered_weights ? times.drained() - times.pass_stream() : 0) + latency;
  const std::int64_t last_columns =
      g.groups == 1 ? g.output[kChannel] - (cursor.column_tiles() - 1) * mapping.column_tile
                    : mapping.column_tile;
  cycles.drain = drain + read_out(last_pass * last_columns);
  cycles.start = times.start();
  // Sums that leave drain after each part, come back before the next one, and are a run of the requantizer.
  cycles.requantizer += cycles.spilled;
  if (cursor.sums_leave()) runs += (parts - 1) * runs;
  // The last column tile may have fewer channels. While a run of one tile waits for its PEs to be filled, or
  // for the buses that its sums take, it has no accumulators yet. What has left the lanes needs none.
  const std::int64_t run_drain =
      drain - latency + read_out(last_pass * g.output[kChannel] / cursor.column_tiles());
  const std::int64_t filled =
      cursor.sums_wait() ? 0 : std::min(cycles.array, runs * times.without_accumulators(cycles.array / runs));
  const std::int64_t run = (cycles.array - filled + 2 * cycles.spilled) / runs;
  const std::int64_t slots = hardware.accumulators.slots();
  const std::int64_t side_by_side = (runs - 1) % slots;
  cycles.accumulators = ceil_div(runs, slots) * (run + run_drain) + side_by_side * run - run_drain;
  return cycles;
}

}  // namespace qsim
