#include "hw_models/core/commands.h"

#include <utility>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

TransferCommand make_reach_transfer(const TensorLayout& dram, const TensorLayout& buffer, const Box& box,
                                    const InputReach& reach) {
  TransferCommand command;
  const std::int64_t channel_offset = box.begin[kChannel] * dram.format.bits / 8;
  command.dram_base = dram.base + channel_offset;
  for (std::size_t d = 0; d < 3; ++d) {
    command.dram_base += box.begin[d] * dram.strides[d];
    command.dram_strides[d] = dram.strides[d];
    command.buffer_strides[d] = buffer.strides[d];
  }
  command.counts = {box.extent(kBatch), reach.rows.count, reach.columns.count};
  for (const auto& [d, positions] : {std::pair(kRow, &reach.rows), std::pair(kColumn, &reach.columns)}) {
    command.dram_strides[d] *= positions->step;
    command.blocks[d] = positions->blocks;
  }
  command.buffer_base = buffer.base;
  command.run_bytes =
      box.elements() == 0 ? 0 : arithmetic::packed_bytes(box.extent(kChannel), dram.format.bits);
  for (std::size_t d = 3; d-- > 0;) {
    const bool contiguous = command.counts[d] == 1 ||
                            (command.dram_strides[d] == command.run_bytes &&
                             command.buffer_strides[d] == command.run_bytes && command.blocks[d].period == 1);
    if (!contiguous) break;
    command.run_bytes *= command.counts[d];
    command.counts[d] = 1;
  }
  return command;
}

TransferCommand make_box_transfer(const TensorLayout& dram, const TensorLayout& buffer, const Box& box) {
  return make_reach_transfer(
      dram, buffer, box,
      {{box.begin[kRow], box.extent(kRow), 1, {}}, {box.begin[kColumn], box.extent(kColumn), 1, {}}});
}

PassShape MacTile::shape() const {
  PassShape shape;
  shape.groups = groups();
  shape.channels = group_channels();
  shape.pixels = pixels();
  shape.depth = chunk_depth;
  const GemmProblem& problem = nest->problem();
  const GemmMapping& mapping = nest->mapping();
  const bool leaves_at_groups = problem.scale_group > 0 && dataflow().stays() == Stays::sums;
  shape.chunks = leaves_at_groups
                     ? ChunkCut(chunk_depth, mapping.chunk_rows)
                     : ChunkCut(part, mapping.chunk_rows, mapping.reduction, problem.scale_group);
  shape.weight_bits = problem.weight_format.bits;
  shape.activation_bits = problem.activation_format.bits;
  shape.macs_a_pe = mapping.macs_a_pe;
  shape.sums_inputs = problem.parameters.asymmetric_weights;
  shape.sums_weights = problem.sums_weights;
  return shape;
}

std::ostream& operator<<(std::ostream& out, const TransferCommand& command) {
  return out << "transfer row " << command.row << (command.to_buffer ? " from " : " to ")
             << command.dram_base;
}

std::ostream& operator<<(std::ostream& out, const MacTile& tile) {
  return out << "tile of channels " << tile.columns.channel_begin << ".." << tile.columns.channel_end
             << ", pixels " << tile.pixel_begin << ".." << tile.pixel_end << ", reduction from "
             << tile.chunk_begin;
}

std::ostream& operator<<(std::ostream& out, const ReloadCommand& command) {
  return out << "reload of channels " << command.columns.channel_begin << ".." << command.columns.channel_end
             << ", pixels " << command.pixel_begin << ".." << command.pixel_end;
}

std::ostream& operator<<(std::ostream& out, const DrainCommand& command) {
  return out << "drain of channels " << command.columns.channel_begin << ".." << command.columns.channel_end
             << ", pixels " << command.pixel_begin << ".." << command.pixel_end;
}

std::ostream& operator<<(std::ostream& out, const VectorTile& tile) {
  return out << "vector tile of " << tile.output.elements() << " elements";
}

std::ostream& operator<<(std::ostream& out, const HostCommand& command) {
  return out << (command.nest == nullptr ? "end of the host's work" : "host operation");
}

}  // namespace qsim
