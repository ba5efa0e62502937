// Loads and stores: what each channel of the DMA is to move.
#include <algorithm>
#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/command_expander.h"
#include "hw_models/core/pooling.h"
#include "hw_models/core/tile_slots.h"

namespace qsim {

namespace {

/// `layout`, whose base is element `origin`, with element `begin` as its base.
TensorLayout layout_from(TensorLayout layout, const Dims& origin, const Dims& begin) {
  layout.base += (begin[kBatch] - origin[kBatch]) * layout.strides[0] +
                 layout.place_of_row(begin[kRow] - origin[kRow]) * layout.strides[1] +
                 (begin[kColumn] - origin[kColumn]) * layout.strides[2] +
                 (begin[kChannel] - origin[kChannel]) * layout.format.bits / 8;
  return layout;
}

/// Store of `box` of a tensor from the resident tensor, or from a tile slot that begins with element
/// `tile_begin`.
TransferCommand make_store(const Placement& placement, std::int64_t count, const Box& box, std::int32_t row,
                           const Dims& tile_begin) {
  const Dims origin = placement.resident ? Dims{} : tile_begin;
  TransferCommand command;
  if (box.elements() > 0)
    command =
        make_box_transfer(placement.dram, layout_from(tile_layout(placement, count), origin, box.begin), box);
  command.row = row;
  command.to_buffer = false;
  command.traffic = Event::dram_write_activation_bytes;
  return command;
}

/// Load of a tensor's elements into a tile slot.
TransferCommand make_load(const Placement& placement, TransferCommand command, std::int64_t row_pixels,
                          std::int64_t pixel_channels, std::int32_t row) {
  command.row = row;
  command.traffic = placement.traffic;
  command.row_pixels = row_pixels;
  command.pixel_bytes = arithmetic::packed_bytes(pixel_channels, placement.dram.format.bits);
  return command;
}

TransferCommand make_load(const Placement& placement, std::int64_t count, const Box& box, std::int32_t row) {
  return make_load(placement, make_box_transfer(placement.dram, tile_layout(placement, count), box),
                   box.extent(kColumn), box.extent(kChannel), row);
}

TransferCommand make_load(const Placement& placement, std::int64_t count, const GemmStep& step,
                          std::int32_t row) {
  return make_load(placement,
                   make_reach_transfer(placement.dram, tile_layout(placement, count), step.input, step.reach),
                   step.reach.columns.count, step.input.extent(kChannel), row);
}

/// The row under which the last operation on a product's way out counts, whose result is stored.
std::int32_t row_of_output(const GemmNest& nest) {
  return nest.row + static_cast<std::int32_t>(nest.problem().way_out.size());
}

/// Load of a tile of the addend, under the row of the operation that reads it.
TransferCommand make_addend_load(const GemmNest& nest, std::int64_t count, const Box& box) {
  std::int32_t row = nest.row + 1;
  for (const WayOutOperation& operation : nest.problem().way_out) {
    if (operation.problem->inputs.size() > 1) break;
    ++row;
  }
  TransferCommand command = make_load(nest.placement().addend, count, box, row);
  command.turn = nest.row;
  command.held = Held::addends;
  return command;
}

/// How the array wants a part's weights of a block of `channels` channels.
WeightBlock weight_block(const GemmMapping& mapping, const GemmCursor& cursor, const ReductionPart& part,
                         std::int64_t channels) {
  const WeightOrder order = dataflow_of(mapping).weight_order(1, part.depth(), mapping.column_tile);
  return {part.depth(), channels, mapping.column_tile, cursor.chunks(part).depth(0),
          order.has_channels_innermost()};
}

/// `box` cut where rows of a tensor go round in a ring: each piece lies in one direction.
std::vector<Box> pieces_in_ring(const Box& box, const TensorLayout& layout) {
  if (layout.ring_rows == 0 || box.elements() == 0) return {box};
  std::vector<Box> pieces;
  for (std::int64_t begin = box.begin[kRow]; begin < box.end[kRow];) {
    Box piece = box;
    piece.begin[kRow] = begin;
    piece.end[kRow] = std::min(box.end[kRow], begin + layout.ring_rows - layout.place_of_row(begin));
    begin = piece.end[kRow];
    pieces.push_back(piece);
  }
  return pieces;
}

/// Load of `box` of a tensor that stays into its place.
TransferCommand make_fetch(const Placement& placement, const Box& box, std::int32_t row) {
  TransferCommand command;
  if (box.elements() > 0) {
    command = make_box_transfer(placement.dram, layout_from(placement.buffer, Dims{}, box.begin), box);
    command.row_pixels = box.extent(kColumn);
    command.pixel_bytes = arithmetic::packed_bytes(box.extent(kChannel), placement.dram.format.bits);
  }
  command.row = row;
  command.traffic = placement.traffic;
  command.passes_through = false;
  return command;
}

/// The same piece by piece, in order.
std::vector<TransferCommand> make_fetches(const Placement& placement, const Box& box, std::int32_t row) {
  std::vector<TransferCommand> commands;
  for (const Box& piece : pieces_in_ring(box, placement.buffer))
    commands.push_back(make_fetch(placement, piece, row));
  return commands;
}

TransferCommand make_run_load(std::int32_t row, Event traffic, std::int64_t dram_address,
                              std::int64_t buffer_address, std::int64_t bytes) {
  TransferCommand command;
  command.row = row;
  command.buffer = BufferId::weights;
  command.held = Held::weights;
  command.traffic = traffic;
  command.dram_base = dram_address;
  command.buffer_base = buffer_address;
  command.run_bytes = bytes;
  return command;
}

}  // namespace

void CommandExpander::load_weights(const GemmNest& nest, SharedSlots& slots,
                                   const Emit<TransferCommand>& emit) const {
  if (!nest.mapping().weights_resident) {
    load_streamed_weights(nest, slots, emit);
  } else if (nest.weights_loaded) {
    load_resident_weights(nest, emit);
  }
}

void CommandExpander::load_streamed_weights(const GemmNest& nest, SharedSlots& slots,
                                            const Emit<TransferCommand>& emit) const {
  const GemmCursor cursor(nest);
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    select_slots(nest, step, slots);
    if (step.loads_parameters) {
      const auto block = static_cast<std::size_t>(step.block);
      TransferCommand command = make_run_load(
          nest.row, Event::dram_read_parameter_bytes,
          nest.placement().parameters_dram_base + nest.placement().parameter_blocks[block],
          parameters_address(nest, step, slots),
          nest.placement().parameter_blocks[block + 1] - nest.placement().parameter_blocks[block]);
      command.held = Held::parameters;
      command.waits.add({&tokens_.parameters_free, {}});
      command.arrived.add({&tokens_.parameters_ready});
      emit(command);
    }
    if (step.loads_weights && nest.problem().activation_weights) {
      load_activation_weights(nest, cursor, step, weights_address(nest, step, slots), emit);
    } else if (step.loads_weights) {
      const auto block = static_cast<std::size_t>(step.block * cursor.parts() + step.part_index);
      TransferCommand command =
          make_run_load(nest.row, Event::dram_read_weight_bytes,
                        nest.placement().weights_dram_base + nest.placement().weight_blocks[block],
                        weights_address(nest, step, slots),
                        nest.placement().weight_blocks[block + 1] - nest.placement().weight_blocks[block]);
      command.waits.add({&tokens_.weights_free, {}});
      command.arrived.add({&tokens_.weights_ready});
      emit(command);
    }
  }
}

/// Runs of what lies side by side in the tensor: the reduction of one channel where it is turned, the
/// channels of the block otherwise.
void CommandExpander::load_activation_weights(const GemmNest& nest, const GemmCursor& cursor,
                                              const GemmStep& step, std::int64_t address,
                                              const Emit<TransferCommand>& emit) const {
  const ActivationWeights& weights = *nest.problem().activation_weights;
  const int element = weights.layout.format.bits / 8;
  const std::int64_t matrix = weights.matrix_of_row[static_cast<std::size_t>(step.output.begin[kRow])];
  const auto [channel_begin, channel_end] = cursor.block_channels(step.block);
  WeightScatter scatter;
  scatter.element_bytes = element;
  scatter.runs_along_depth = weights.transposed;
  scatter.block = weight_block(nest.mapping(), cursor, step.part, channel_end - channel_begin);
  const std::int64_t line = weights.layout.strides[2];
  const std::int64_t first = weights.transposed ? channel_begin * line + step.part.channel_begin * element
                                                : step.part.channel_begin * line + channel_begin * element;
  const auto [run, runs] = weights.transposed ? std::pair(scatter.block.depth, scatter.block.channels)
                                              : std::pair(scatter.block.channels, scatter.block.depth);
  TransferCommand command =
      make_run_load(nest.row, nest.placement().weights_traffic,
                    nest.placement().weights_dram_base + matrix * weights.layout.strides[1] + first, address,
                    run * element);
  command.counts = {1, 1, runs};
  command.dram_strides = {0, 0, line};
  command.buffer_strides = {0, 0, run * element};
  command.scatter = scatter;
  command.waits.add({&tokens_.weights_free, {}});
  command.arrived.add({&tokens_.weights_ready});
  emit(command);
}

/// Block after block, each before its first use.
void CommandExpander::load_resident_weights(const GemmNest& nest, const Emit<TransferCommand>& emit) const {
  const GemmCursor cursor(nest);
  const GemmPlacement& placement = nest.placement();
  const auto load = [&](Event traffic, std::int64_t dram_base, std::int64_t buffer_base,
                        const std::vector<std::int64_t>& offsets, std::int64_t block) {
    const std::int64_t begin = offsets[static_cast<std::size_t>(block)];
    TransferCommand command = make_run_load(nest.row, traffic, dram_base + begin, buffer_base + begin,
                                            offsets[static_cast<std::size_t>(block) + 1] - begin);
    command.passes_through = false;
    return command;
  };
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    if (!step.first_pixels) continue;
    if (step.first_part) {
      TransferCommand parameters = load(Event::dram_read_parameter_bytes, placement.parameters_dram_base,
                                        placement.parameters_base, placement.parameter_blocks, step.block);
      parameters.held = Held::parameters;
      parameters.arrived.add({&tokens_.parameters_ready});
      emit(parameters);
    }
    TransferCommand weights =
        load(Event::dram_read_weight_bytes, placement.weights_dram_base, placement.weights_base,
             placement.weight_blocks, step.block * cursor.parts() + step.part_index);
    weights.arrived.add({&tokens_.weights_ready});
    emit(weights);
  }
}

// ---- activations -----------------------------------------------------------------------------------------

void CommandExpander::load_inputs(const GemmNest& nest, const Emit<TransferCommand>& emit) const {
  const GemmCursor cursor(nest);
  std::int64_t count = 0;
  std::int64_t addends = 0;
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    if (step.loads_input) {
      const Placement& input = nest.placement().input;
      const bool is_fetched = nest.mapping().fetch_input;
      std::vector<TransferCommand> commands = is_fetched
                                                  ? make_fetches(input, step.fetch, nest.row)
                                                  : std::vector{make_load(input, count++, step, nest.row)};
      if (!is_fetched) commands.front().waits.add({&tokens_.inputs_free, {}});
      commands.back().arrived.add({&tokens_.inputs_ready});
      for (TransferCommand& command : commands) emit(command);
    }
    if (step.last_part && streams_addend(nest)) {
      TransferCommand command = make_addend_load(nest, addends++, step.output);
      command.waits.add({&tokens_.addends_free, {}});
      command.arrived.add({&tokens_.addends_ready});
      emit(command);
    }
  }
}

void CommandExpander::load_inputs(const VectorNest& nest, const Emit<TransferCommand>& emit) const {
  const VectorCursor cursor(nest);
  const std::vector<Placement>& inputs = nest.placement().inputs;
  std::vector<std::size_t> loaded;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (is_streamed(nest, k) || is_fetched(nest, k)) loaded.push_back(k);
  }
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const VectorStep step = cursor.step(i);
    for (const std::size_t k : loaded) {
      std::vector<TransferCommand> commands =
          is_fetched(nest, k)
              ? make_fetches(inputs[k], cursor.fetch_box(nest.problem().inputs[k], i), nest.row)
              : std::vector{make_load(inputs[k], i, cursor.input_box(nest.problem().inputs[k], step.output),
                                      nest.row)};
      if (k == loaded.front() && streams_inputs(nest)) commands.front().waits.add({&tokens_.inputs_free, {}});
      if (k == loaded.back()) commands.back().arrived.add({&tokens_.inputs_ready});
      for (TransferCommand& command : commands) {
        command.passes_through = streams_inputs(nest);
        emit(command);
      }
    }
  }
}

// ---- stores ----------------------------------------------------------------------------------------------

void CommandExpander::store(const GemmNest& nest, const Emit<TransferCommand>& emit) const {
  if (!nest.mapping().store_output) return;
  const GemmCursor cursor(nest);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    if (!step.last_part) continue;
    if (nest.mapping().stores_each_pass) {
      store_passes(nest, cursor, step, count++, emit);
      continue;
    }
    const Box written = written_box(nest.problem(), step.output);
    TransferCommand command =
        make_store(nest.placement().output, count++, written, row_of_output(nest), written.begin);
    command.turn = nest.row;
    set_dependencies(command, nest.placement().output, {true, true, step.last_step});
    emit(command);
  }
}

/// A tile of outputs is stored when it is complete, and then makes room.
void CommandExpander::set_dependencies(TransferCommand& command, const Placement& output,
                                       StoreUse use) const {
  if (use.begins) command.waits.add({&tokens_.outputs_ready, {}});
  if (use.ends_tile && !output.resident) command.arrived.add({&tokens_.outputs_free});
  if (use.ends_nest) command.arrived.add({&tokens_.retired});
}

void CommandExpander::store_passes(const GemmNest& nest, const GemmCursor& cursor, const GemmStep& step,
                                   std::int64_t count, const Emit<TransferCommand>& emit) const {
  const std::int64_t width = step.output.extent(kColumn);
  const PassCut passes = cursor.passes(step);
  for (std::int64_t t = step.column_tile_begin; t < step.column_tile_end; ++t) {
    const ColumnTile columns = cursor.column_tile(t);
    for (std::int64_t pass = 0; pass < passes.count(); ++pass) {
      const std::int64_t begin = passes.begin(pass);
      const std::int64_t end = passes.end(pass);
      for (std::int64_t pixel = begin; pixel < end;) {
        const std::int64_t row_end = std::min(end, (pixel / width + 1) * width);
        Box box = step.output;
        box.begin[kRow] += pixel / width;
        box.end[kRow] = box.begin[kRow] + 1;
        box.end[kColumn] = box.begin[kColumn] + (row_end - 1) % width + 1;
        box.begin[kColumn] += pixel % width;
        box.begin[kChannel] = columns.channel_begin;
        box.end[kChannel] = columns.channel_end;
        TransferCommand command =
            make_store(nest.placement().output, count, box, nest.row, step.output.begin);
        const bool ends_step = t + 1 == step.column_tile_end && row_end == step.pixels();
        set_dependencies(command, nest.placement().output,
                         {pixel == begin, ends_step, ends_step && step.last_step});
        emit(command);
        pixel = row_end;
      }
    }
  }
}

void CommandExpander::store(const VectorNest& nest, const Emit<TransferCommand>& emit) const {
  if (!nest.mapping().store_output) return;
  const VectorCursor cursor(nest);
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const VectorStep step = cursor.step(i);
    const Box box = shifted(step.output, nest.problem().output_offset);
    TransferCommand command = make_store(nest.placement().output, i, box, nest.row, box.begin);
    set_dependencies(command, nest.placement().output, {true, true, step.last_step});
    emit(command);
  }
}

}  // namespace qsim
