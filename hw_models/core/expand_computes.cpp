// The tiles that the array, the requantizer and the vector unit work on.
#include "hw_models/core/command_expander.h"
#include "hw_models/core/pooling.h"
#include "hw_models/core/tile_slots.h"

namespace qsim {

void CommandExpander::select_slots(const GemmNest& nest, const GemmStep& step, SharedSlots& slots) const {
  if (nest.mapping().weights_resident) return;
  if (step.loads_parameters) ++slots.parameters;
  if (step.loads_weights) ++slots.weights;
}

std::int64_t CommandExpander::weights_address(const GemmNest& nest, const GemmStep& step,
                                              const SharedSlots& slots) const {
  if (nest.mapping().weights_resident) {
    const std::int64_t parts = static_cast<std::int64_t>(nest.placement().weight_blocks.size() - 1) /
                               static_cast<std::int64_t>(nest.placement().parameter_blocks.size() - 1);
    return nest.placement().weights_base +
           nest.placement().weight_blocks[static_cast<std::size_t>(step.block * parts + step.part_index)];
  }
  return program_.weight_slots[static_cast<std::size_t>(slots.weights) % program_.weight_slots.size()];
}

std::int64_t CommandExpander::parameters_address(const GemmNest& nest, const GemmStep& step,
                                                 const SharedSlots& slots) const {
  if (nest.mapping().weights_resident) {
    return nest.placement().parameters_base +
           nest.placement().parameter_blocks[static_cast<std::size_t>(step.block)];
  }
  return program_
      .parameter_slots[static_cast<std::size_t>(slots.parameters) % program_.parameter_slots.size()];
}

void CommandExpander::compute(const GemmNest& nest, SharedSlots& slots, const Emit<MacTile>& emit) const {
  const GemmCursor cursor(nest);
  std::int64_t inputs = -1;
  std::int64_t accumulator_slot = -1;
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    select_slots(nest, step, slots);
    if (step.loads_input) ++inputs;
    MacTile tile;
    tile.nest = &nest;
    tile.part = step.part;
    tile.weights_address = weights_address(nest, step, slots);
    tile.parameters_address = parameters_address(nest, step, slots);
    tile.block_channel_begin = cursor.block_channels(step.block).first;
    tile.output = step.output;
    tile.input = tile_layout(nest.placement().input, inputs);
    tile.input_origin = tile_origin(nest.placement().input, step.input);
    if (!nest.placement().input.resident) tile.input_reach = step.reach;
    issue_passes(cursor, step, tile, accumulator_slot, emit);
  }
}

void CommandExpander::issue_passes(const GemmCursor& cursor, const GemmStep& step, MacTile tile,
                                   std::int64_t& accumulator_slot, const Emit<MacTile>& emit) const {
  const PassCut passes = cursor.passes(step);
  const ChunkCut cut = cursor.chunks(step.part);
  bool first = true;
  for (std::int64_t t = step.column_tile_begin; t < step.column_tile_end; ++t) {
    tile.columns = cursor.column_tile(t);
    const std::int64_t column_tile_weights = tile.weights_address;
    for (std::int64_t pass = 0; pass < passes.count(); ++pass) {
      const bool takes_slot = cursor.sums_leave() || (step.first_part && (first || !cursor.sums_wait()));
      if (takes_slot) ++accumulator_slot;
      tile.accumulator_base = accumulator_base(accumulator_slot) + cursor.accumulator_offset(step, t, pass);
      tile.pixel_begin = passes.begin(pass);
      tile.pixel_end = passes.end(pass);
      tile.weights_address = column_tile_weights;
      for (std::int64_t chunk = 0; chunk < cut.count(); ++chunk) {
        const bool last_chunk = chunk + 1 == cut.count();
        const bool last = t + 1 == step.column_tile_end && pass + 1 == passes.count() && last_chunk;
        tile.chunk_begin = cut.begin(chunk);
        tile.chunk_depth = cut.depth(chunk);
        tile.preload = step.first_part && chunk == 0;
        tile.last = (step.last_part || cursor.sums_leave()) && last_chunk;
        set_dependencies(tile, step, {first, last, chunk == 0 && takes_slot, cursor.sums_leave()});
        emit(tile);
        tile.weights_address += cursor.chunk_bytes(tile.columns, tile.chunk_depth);
        first = false;
      }
    }
  }
}

/// Of the first and the last pass of a step. Resident weights are loaded block by block with the first tile
/// of pixels, or were there before.
void CommandExpander::set_dependencies(MacTile& tile, const GemmStep& step, PassPlace place) const {
  const auto [first, last, takes_accumulators, sums_leave] = place;
  const GemmNest& nest = *tile.nest;
  const bool streams_weights = !nest.mapping().weights_resident;
  const bool first_use = nest.weights_loaded && step.first_pixels;
  const Stays stays = tile.dataflow().stays();
  const bool weights_stay = stays == Stays::weights;
  const bool inputs_stay = stays == Stays::inputs;
  tile.load_waits = {};
  tile.stream_waits = {};
  tile.loaded = {};
  tile.streamed = {};
  tile.accumulated = {};
  if (first && (streams_weights ? step.loads_parameters : first_use && step.first_part)) {
    tile.stream_waits.add({&tokens_.parameters_ready, Span::wait_weights});
  }
  if (first && (streams_weights ? step.loads_weights : first_use)) {
    if (weights_stay) {
      tile.load_waits.add({&tokens_.weights_ready, {}});
    } else {
      tile.stream_waits.add({&tokens_.weights_ready, Span::wait_weights});
    }
  }
  if (first && step.loads_input) {
    if (inputs_stay) {
      tile.load_waits.add({&tokens_.inputs_ready, {}});
    } else {
      tile.stream_waits.add({&tokens_.inputs_ready, Span::wait_activations});
    }
  }
  if (takes_accumulators) {
    Token& token = sums_leave ? tokens_.sums_ready : tokens_.accumulators_free;
    tile.stream_waits.add({&token, Span::wait_accumulators});
  }
  if (first && (sums_leave ? step.last_part : step.first_part) && !nest.placement().output.resident) {
    tile.stream_waits.add({&tokens_.outputs_free, Span::wait_output_space});
  }
  if (last && step.last_use_of_input && !nest.placement().input.resident) {
    (inputs_stay ? tile.loaded.add({&tokens_.inputs_free}) : tile.streamed.add({&tokens_.inputs_free}));
  }
  if (last && step.last_use_of_weights && streams_weights) {
    (weights_stay ? tile.loaded.add({&tokens_.weights_free}) : tile.streamed.add({&tokens_.weights_free}));
  }
  if (tile.last) tile.accumulated.add({&tokens_.accumulators_ready});
}

void CommandExpander::compute(const VectorNest& nest, const Emit<VectorTile>& emit) const {
  const VectorCursor cursor(nest);
  const bool has_loads = needs_loads(nest);
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const VectorStep step = cursor.step(i);
    VectorTile tile;
    tile.nest = &nest;
    tile.output = step.output;
    for (std::size_t k = 0; k < nest.placement().inputs.size(); ++k) {
      const Placement& input = nest.placement().inputs[k];
      tile.inputs[k] = tile_layout(input, i);
      tile.input_origins[k] = tile_origin(input, cursor.input_box(nest.problem().inputs[k], step.output));
    }
    tile.destination = tile_layout(nest.placement().output, i);
    tile.destination_origin =
        tile_origin(nest.placement().output, shifted(step.output, nest.problem().output_offset));
    if (has_loads) {
      tile.waits.add({&tokens_.inputs_ready, Span::wait_activations});
      if (streams_inputs(nest)) tile.done.add({&tokens_.inputs_free});
    }
    if (!nest.placement().output.resident) tile.waits.add({&tokens_.outputs_free, Span::wait_output_space});
    if (nest.mapping().store_output) tile.done.add({&tokens_.outputs_ready});
    if (step.last_step && !nest.mapping().store_output) tile.done.add({&tokens_.retired});
    emit(tile);
  }
}

void CommandExpander::set_dependencies(DrainCommand& command, const GemmStep& step, DrainPlace place) const {
  const auto [first, last, frees_accumulators] = place;
  const GemmNest& nest = *command.nest;
  command.waits = {};
  command.read_out = {};
  command.written = {};
  command.waits.add({&tokens_.accumulators_ready, {}});
  if (frees_accumulators) command.read_out.add({&tokens_.accumulators_free});
  if (command.sums) {
    command.written.add({&tokens_.sums_spilled});
    return;
  }
  if (first && streams_addend(nest)) command.waits.add({&tokens_.addends_ready, {}});
  if (last && streams_addend(nest)) command.read_out.add({&tokens_.addends_free});
  if (last && step.last_use_of_parameters && !nest.mapping().weights_resident) {
    command.read_out.add({&tokens_.parameters_free});
  }
  if ((last || nest.mapping().stores_each_pass) && nest.mapping().store_output) {
    command.written.add({&tokens_.outputs_ready});  // the output tile is complete: it may be stored
  }
  if (last && step.last_step && !nest.mapping().store_output) command.written.add({&tokens_.retired});
}

void CommandExpander::drain(const GemmNest& nest, SharedSlots& slots, const Emit<DrainCommand>& emit) const {
  const GemmCursor cursor(nest);
  std::int64_t outputs = -1;
  std::int64_t accumulator_slot = -1;
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    select_slots(nest, step, slots);
    if (!step.last_part && !cursor.sums_leave()) continue;
    if (step.last_part) ++outputs;
    DrainCommand command;
    command.nest = &nest;
    command.block_channel_begin = cursor.block_channels(step.block).first;
    command.parameters_address = parameters_address(nest, step, slots);
    command.output = step.output;
    if (step.last_part) command.destination = tile_layout(nest.placement().output, outputs);
    command.destination_origin =
        tile_origin(nest.placement().output, written_box(nest.problem(), step.output));
    if (step.last_part && nest.problem().addend() != nullptr) {
      command.addend = tile_layout(nest.placement().addend, outputs);
      command.addend_origin = tile_origin(nest.placement().addend, step.output);
    }
    const PassCut passes = cursor.passes(step);
    bool first = true;
    for (std::int64_t t = step.column_tile_begin; t < step.column_tile_end; ++t) {
      command.columns = cursor.column_tile(t);
      for (std::int64_t pass = 0; pass < passes.count(); ++pass) {
        const bool last = t + 1 == step.column_tile_end && pass + 1 == passes.count();
        command.pixel_begin = passes.begin(pass);
        command.pixel_end = passes.end(pass);
        if (!step.last_part)
          command.sums = spilled_sums(nest, cursor.sums_before(step, command.columns, command.pixel_begin));
        if (first || !cursor.sums_wait()) ++accumulator_slot;
        command.accumulator_base =
            accumulator_base(accumulator_slot) + cursor.accumulator_offset(step, t, pass);
        set_dependencies(command, step, {first, last, last || !cursor.sums_wait()});
        first = false;
        emit(command);
      }
    }
  }
}

/// In the order of the passes. Those of the first part find nothing to wait for but the entries.
void CommandExpander::reload(const GemmNest& nest, const Emit<ReloadCommand>& emit) const {
  const GemmCursor cursor(nest);
  std::int64_t accumulator_slot = -1;
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    const PassCut passes = cursor.passes(step);
    ReloadCommand command;
    command.nest = &nest;
    command.waits.add({&tokens_.accumulators_free, {}});
    if (!step.first_part) command.waits.add({&tokens_.sums_spilled, {}});
    command.arrived.add({&tokens_.sums_ready});
    for (std::int64_t t = step.column_tile_begin; t < step.column_tile_end; ++t) {
      command.columns = cursor.column_tile(t);
      for (std::int64_t pass = 0; pass < passes.count(); ++pass) {
        command.pixel_begin = passes.begin(pass);
        command.pixel_end = passes.end(pass);
        command.accumulator_base = accumulator_base(++accumulator_slot);
        if (!step.first_part)
          command.sums = spilled_sums(nest, cursor.sums_before(step, command.columns, command.pixel_begin));
        emit(command);
      }
    }
  }
}

}  // namespace qsim
