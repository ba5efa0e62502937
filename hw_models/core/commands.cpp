#include "hw_models/core/commands.h"

#include <algorithm>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

TransferCommand make_box_transfer(const TensorLayout& dram, const TensorLayout& buffer, const Box& box) {
  TransferCommand command;
  const std::int64_t channel_offset = box.begin[kChannel] * dram.format.bits / 8;
  command.dram_base = dram.base + channel_offset;
  for (std::size_t d = 0; d < 3; ++d) {
    command.dram_base += box.begin[d] * dram.strides[d];
    command.counts[d] = box.extent(d);
    command.dram_strides[d] = dram.strides[d];
    command.buffer_strides[d] = buffer.strides[d];
  }
  command.buffer_base = buffer.base;
  command.run_bytes =
      box.elements() == 0 ? 0 : arithmetic::packed_bytes(box.extent(kChannel), dram.format.bits);
  for (std::size_t d = 3; d-- > 0;) {
    const bool contiguous = command.counts[d] == 1 || (command.dram_strides[d] == command.run_bytes &&
                                                       command.buffer_strides[d] == command.run_bytes);
    if (!contiguous) break;
    command.run_bytes *= command.counts[d];
    command.counts[d] = 1;
  }
  return command;
}

WeightOrder::WeightOrder(Dataflow dataflow, std::int64_t groups, std::int64_t depth,
                         std::int64_t group_channels) {
  switch (dataflow) {
    case Dataflow::weight_stationary:
      channel_stride_ = 1;
      k_stride_ = group_channels;
      group_stride_ = depth * group_channels;
      break;
    case Dataflow::output_stationary:
      channel_stride_ = 1;
      group_stride_ = group_channels;
      k_stride_ = groups * group_channels;
      break;
    case Dataflow::input_stationary:
      k_stride_ = 1;
      group_stride_ = depth;
      channel_stride_ = groups * depth;
      break;
  }
}

AccumulatorCell accumulator_cell(Dataflow dataflow, const ColumnTile& columns, std::int64_t pixels,
                                 std::int64_t pixel, std::int64_t channel) {
  if (dataflow != Dataflow::input_stationary) return {pixel, channel};
  const std::int64_t group_channels = columns.columns() / columns.groups();
  return {channel % group_channels, channel / group_channels * pixels + pixel};
}

std::int64_t MacTile::rows_used() const {
  if (keeps_sums_in_pes()) return groups() * pixels();
  if (weights_each_pixel())
    return groups() * ChunkCut(part, nest->mapping().chunk_rows, nest->mapping().reduction).depth(0);
  return groups() * chunk_depth;
}

std::int64_t MacTile::columns_used() const {
  return nest->mapping().dataflow == Dataflow::input_stationary ? groups() * pixels() : channels();
}

std::int64_t MacTile::steps() const {
  switch (nest->mapping().dataflow) {
    case Dataflow::weight_stationary:
      return pixels();
    case Dataflow::input_stationary:
      return group_channels();
    case Dataflow::output_stationary:
      break;
  }
  if (nest->mapping().organization == Organization::systolic) return chunk_depth;
  return pixels() * ChunkCut(part, nest->mapping().chunk_rows, nest->mapping().reduction).count();
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

std::ostream& operator<<(std::ostream& out, const DrainCommand& command) {
  return out << "drain of channels " << command.columns.channel_begin << ".." << command.columns.channel_end
             << ", pixels " << command.pixel_begin << ".." << command.pixel_end;
}

std::ostream& operator<<(std::ostream& out, const VectorTile& tile) {
  return out << "vector tile of " << tile.output.elements() << " elements";
}

}  // namespace qsim
