#include "sim/compiler/gemm_cycles.h"

#include <algorithm>
#include <array>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/nest_cursor.h"

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
    pass_.sums_inputs = problem.parameters.asymmetric_weights;
    pass_.sums_weights = problem.sums_weights;
  }

  /// Array cycles of one column tile of `pixels` pixels with one part of the reduction.
  [[nodiscard]] std::int64_t column_tile(std::int64_t pixels, const ReductionPart& part) {
    const MacArrayConfig& array = hardware_.mac_array;
    const std::int64_t passes = PassCut(pixels, mapping_.pixels_per_pass, mapping_.pass_order).count();
    pass_.pixels = std::min(pixels, mapping_.pixels_per_pass);
    pass_.chunks = ChunkCut(part, mapping_.chunk_rows, mapping_.reduction);
    pass_.depth = cursor_.chunks(part).depth(0);
    const std::int64_t stream = dataflow_.occupied_cycles(array, pass_of(part), pixels, passes, interval());
    const std::int64_t fills = passes * cursor_.chunks(part).count();
    const std::int64_t fill = fill_cycles();
    if (array.double_buffered_weights || dataflow_.stays() == Stays::sums)
      return std::max(stream, fills * fill);
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
    const std::int64_t step = std::max(
        dataflow_.step_cycles(hardware_.mac_array, pass_, hardware_.accumulators.update_cycles), interval());
    StreamCycles stream;
    stream.stream_cycles = steps * step;
    stream.last_step_cycle = (steps - 1) * step;
    stream.first_sum_cycle = (dataflow_.steps_a_sum(pass_) - 1) * step;
    return dataflow_.timing(hardware_.mac_array, pass_, stream, hardware_.accumulators.update_cycles)
        .drain_cycles;
  }
  [[nodiscard]] std::int64_t pass_stream() const { return dataflow_.steps(pass_) * interval(); }

  [[nodiscard]] std::int64_t requantizer(std::int64_t pixels) const {
    const RequantizerConfig& config = hardware_.requantizer;
    const std::int64_t operations = problem_.requantizer_operations();
    const std::int64_t outputs = pixels * problem_.geometry.output[kChannel];
    const std::int64_t written = hardware_.activation_buffer.write_cycles(
        arithmetic::packed_bytes(outputs, problem_.output.layout.format.bits));
    std::int64_t lanes = ceil_div(outputs * operations, config.lanes);
    if (config.row_read_cycles > 0) {
      const std::int64_t row =
          config.row_read_cycles + ceil_div(hardware_.mac_array.columns * operations, config.lanes);
      const std::int64_t passes = PassCut(pixels, mapping_.pixels_per_pass, mapping_.pass_order).count();
      lanes = passes * cursor_.column_tiles() * cursor_.pass_entries() * row;
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
  /// The chunk order in which occupied_cycles() wants its pass.
  [[nodiscard]] const PassShape& pass_of(const ReductionPart& part) {
    shape_ = pass_;
    shape_.depth = part.depth();
    return shape_;
  }

  /// Least cycles between steps: what the accumulators want, and what the read ports want, of which
  /// step_cycles() knows the first alone.
  [[nodiscard]] std::int64_t interval() const {
    const OperandBox box = dataflow_.step(pass_, 0);
    std::int64_t cycles = hardware_.accumulators.update_cycles;
    const std::int64_t sums = dataflow_.steps_a_sum(pass_);
    if (dataflow_.streams_inputs())
      cycles = std::max(cycles,
                        sums * port_cycles(box.inputs(), pass_.activation_bits, hardware_.activation_buffer));
    if (dataflow_.streams_weights())
      cycles =
          std::max(cycles, sums * port_cycles(box.weights(), pass_.weight_bits, hardware_.weight_buffer));
    return cycles;
  }

  [[nodiscard]] std::int64_t fill_cycles() const {
    const MacArrayConfig& array = hardware_.mac_array;
    const std::int64_t lines =
        dataflow_.lines(dataflow_.extent(array, pass_.weight_bits, pass_.activation_bits));
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
  PassShape pass_, shape_;
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
  // Parts of equal size are alike but for the last one.
  const std::int64_t parts = cursor.parts();
  std::int64_t runs = 0;
  for (const Extent& rows : extents(g.output[kRow], mapping.tile_rows)) {
    for (const Extent& columns : extents(g.output[kColumn], mapping.tile_columns)) {
      const std::int64_t tiles = g.output[kBatch] * rows.count * columns.count;
      if (tiles == 0) continue;
      const std::int64_t pixels = rows.size * columns.size;
      std::int64_t tile_cycles = times.column_tile(pixels, cursor.part(parts - 1));
      if (parts > 1) tile_cycles += (parts - 1) * times.column_tile(pixels, cursor.part(0));
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
  // Where the array serves one pass at a time its own draining is among its cycles.
  const bool overlaps =
      hardware.mac_array.double_buffered_weights || dataflow_of(mapping).stays() == Stays::sums;
  cycles.drain = (overlaps ? times.drained() - times.pass_stream() : 0) +
                 static_cast<std::int64_t>(1 + problem.way_out.size()) * hardware.requantizer.latency_cycles +
                 ceil_div(last_pass * mapping.column_tile, hardware.requantizer.lanes);
  // Sums that leave drain after each part, come back before the next one, and are a run of the requantizer.
  cycles.requantizer += cycles.spilled;
  if (cursor.sums_leave()) runs += (parts - 1) * runs;
  cycles.accumulators =
      (cycles.array + runs * cycles.drain + 2 * cycles.spilled) / hardware.accumulators.slots();
  return cycles;
}

}  // namespace qsim
