#include "hw_models/core/controller.h"

#include <string>
#include <utility>

#include "hw_models/core/tile_slots.h"
#include "hw_models/cycle.h"

namespace qsim {

namespace {

std::int32_t row_of(const Nest& nest) {
  return std::visit([](const auto& n) { return n.row; }, nest);
}

}  // namespace

Controller::Controller(sc_core::sc_module_name name, const HardwareConfig& hardware, const Program& program,
                       std::vector<Nest> nests, Dma* dma, Host* host, MacArray& mac_array,
                       Requantizer& requantizer, VectorUnit& vector_unit, ChipContext& context)
    : sc_module(name),
      program_(program),
      nests_(std::move(nests)),
      config_(hardware.controller),
      accumulator_slots_(hardware.accumulators.slots()),
      accumulator_entries_(hardware.accumulators.entries_per_slot()),
      dma_(dma),
      host_(host),
      mac_array_(mac_array),
      requantizer_(requantizer),
      vector_unit_(vector_unit),
      context_(context) {
  context.on_retire = [this] { retire(); };
  context.tokens.weights_free.reset(program.weight_credits);
  context.tokens.parameters_free.reset(program.parameter_credits);
  const auto spawn = [this](void (Controller::*body)(), const char* label) {
    sc_core::sc_spawn([this, body] { context_.guard([this, body] { (this->*body)(); }); }, label);
  };
  spawn(&Controller::run_computes, "computes");
  spawn(&Controller::run_drains, "drains");
  if (dma != nullptr) {
    spawn(&Controller::run_weight_loads, "weight_loads");
    spawn(&Controller::run_input_loads, "input_loads");
    spawn(&Controller::run_stores, "stores");
  }
  if (!nests_.empty()) start(0);
}

std::string Controller::state() const {
  return std::to_string(retired_) + " of " + std::to_string(nests_.size()) + " nests retired";
}

void Controller::start(std::size_t nest) {
  context_.tokens.compute_may_start.release();
  if (needs_loads(nests_[nest])) context_.tokens.inputs_may_load.release();
  const auto* gemm = std::get_if<GemmNest>(&nests_[nest]);
  if (gemm != nullptr && gemm->problem().activation_weights) context_.tokens.weights_may_load.release();
}

void Controller::retire() {
  const std::int32_t row = row_of(nests_[retired_]);
  ++retired_;
  if (retired_ == nests_.size() || row_of(nests_[retired_]) != row) {
    context_.timeline.complete(row, now_cycle());
    if (context_.on_row_complete) context_.on_row_complete(row);
  }
  if (retired_ < nests_.size()) start(retired_);
}

// ---- weights and parameters ------------------------------------------------------------------------------

void Controller::select_slots(const GemmNest& nest, const GemmStep& step, SharedSlots& slots) const {
  if (nest.mapping().weights_resident) return;
  if (step.loads_parameters) ++slots.parameters;
  if (step.loads_weights) ++slots.weights;
}

std::int64_t Controller::weights_address(const GemmNest& nest, const GemmStep& step,
                                         const SharedSlots& slots) const {
  if (nest.mapping().weights_resident) {
    const std::int64_t parts = static_cast<std::int64_t>(nest.placement().weight_blocks.size() - 1) /
                               static_cast<std::int64_t>(nest.placement().parameter_blocks.size() - 1);
    return nest.placement().weights_base +
           nest.placement().weight_blocks[static_cast<std::size_t>(step.block * parts + step.part_index)];
  }
  return program_.weight_slots[static_cast<std::size_t>(slots.weights) % program_.weight_slots.size()];
}

std::int64_t Controller::parameters_address(const GemmNest& nest, const GemmStep& step,
                                            const SharedSlots& slots) const {
  if (nest.mapping().weights_resident) {
    return nest.placement().parameters_base +
           nest.placement().parameter_blocks[static_cast<std::size_t>(step.block)];
  }
  return program_
      .parameter_slots[static_cast<std::size_t>(slots.parameters) % program_.parameter_slots.size()];
}

// ---- computes --------------------------------------------------------------------------------------------

void Controller::run_computes() {
  SharedSlots slots;
  context_.tokens.accumulators_free.reset(accumulator_slots_);
  for (const Nest& nest : nests_) {
    context_.tokens.compute_may_start.acquire();
    if (const auto* gemm = std::get_if<GemmNest>(&nest)) {
      compute(*gemm, slots);
    } else if (const auto* vector = std::get_if<VectorNest>(&nest)) {
      compute(*vector);
    } else {
      host_->nests.write(&std::get<HostNest>(nest));
    }
  }
  if (host_ != nullptr) host_->nests.write(nullptr);
  mac_array_.tiles.write(MacTile{});
  vector_unit_.tiles.write(VectorTile{});
}

void Controller::compute(const GemmNest& nest, SharedSlots& slots) {
  context_.tokens.outputs_free.reset(static_cast<std::int64_t>(nest.placement().output.slots.size()));
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
    issue_passes(cursor, step, tile, accumulator_slot, nest);
  }
}

void Controller::issue_passes(const GemmCursor& cursor, const GemmStep& step, MacTile tile,
                              std::int64_t& accumulator_slot, const GemmNest& nest) {
  const PassCut passes = cursor.passes(step);
  const ChunkCut cut = cursor.chunks(step.part);
  const bool streamed_weights = !nest.mapping().weights_resident;
  // Resident weights are loaded whole before the nest's first pass, or were there before the run.
  const bool takes_weights = streamed_weights ? step.loads_weights : nest.weights_loaded && step.first_step;
  const bool takes_parameters =
      streamed_weights ? step.loads_parameters : nest.weights_loaded && step.first_step;
  bool first = true;
  for (std::int64_t t = step.column_tile_begin; t < step.column_tile_end; ++t) {
    tile.columns = cursor.column_tile(t);
    const std::int64_t column_tile_weights = tile.weights_address;
    for (std::int64_t pass = 0; pass < passes.count(); ++pass) {
      if (step.first_part) ++accumulator_slot;
      tile.accumulator_base = accumulator_slot % accumulator_slots_ * accumulator_entries_;
      tile.pixel_begin = passes.begin(pass);
      tile.pixel_end = passes.end(pass);
      tile.weights_address = column_tile_weights;
      for (std::int64_t chunk = 0; chunk < cut.count(); ++chunk) {
        const bool last_chunk = chunk + 1 == cut.count();
        const bool last = t + 1 == step.column_tile_end && pass + 1 == passes.count() && last_chunk;
        tile.chunk_begin = cut.begin(chunk);
        tile.chunk_depth = cut.depth(chunk);
        tile.preload = step.first_part && chunk == 0;
        tile.last = step.last_part && last_chunk;
        tile.takes_weights = first && takes_weights;
        tile.takes_parameters = first && takes_parameters;
        tile.takes_input = first && step.loads_input && !nest.placement().input.resident;
        tile.takes_accumulators = tile.preload;
        tile.takes_output_space = first && step.first_part && !nest.placement().output.resident;
        tile.gives_weights = last && step.last_use_of_weights && streamed_weights;
        tile.gives_input = last && step.last_use_of_input && !nest.placement().input.resident;
        tile.issue_cycle = now_cycle();
        mac_array_.tiles.write(tile);
        tile.weights_address += cursor.chunk_bytes(tile.columns, tile.chunk_depth);
        first = false;
      }
    }
  }
}

void Controller::compute(const VectorNest& nest) {
  context_.tokens.outputs_free.reset(static_cast<std::int64_t>(nest.placement().output.slots.size()));
  const VectorCursor cursor(nest);
  const bool takes_input = needs_loads(nest);
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
    tile.takes_input = takes_input;
    tile.gives_input = takes_input;
    tile.takes_output_space = !nest.placement().output.resident;
    tile.gives_outputs = nest.mapping().store_output;
    tile.retires = step.last_step && !nest.mapping().store_output;
    vector_unit_.tiles.write(tile);
  }
}

// ---- drains ---------------------------------------------------------------------------------------------

void Controller::run_drains() {
  SharedSlots slots;
  for (const Nest& nest : nests_) {
    std::int64_t accumulator_slot = -1;
    if (const auto* gemm = std::get_if<GemmNest>(&nest)) drain(*gemm, slots, accumulator_slot);
  }
  requantizer_.drains.write(DrainCommand{});
}

void Controller::drain(const GemmNest& nest, SharedSlots& slots, std::int64_t& accumulator_slot) {
  const GemmCursor cursor(nest);
  std::int64_t outputs = -1;
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    select_slots(nest, step, slots);
    if (!step.last_part) continue;
    ++outputs;
    DrainCommand command;
    command.nest = &nest;
    command.block_channel_begin = cursor.block_channels(step.block).first;
    command.parameters_address = parameters_address(nest, step, slots);
    command.output = step.output;
    command.destination = tile_layout(nest.placement().output, outputs);
    command.destination_origin = tile_origin(nest.placement().output, step.output);
    const PassCut passes = cursor.passes(step);
    for (std::int64_t t = step.column_tile_begin; t < step.column_tile_end; ++t) {
      command.columns = cursor.column_tile(t);
      for (std::int64_t pass = 0; pass < passes.count(); ++pass) {
        const bool last = t + 1 == step.column_tile_end && pass + 1 == passes.count();
        command.pixel_begin = passes.begin(pass);
        command.pixel_end = passes.end(pass);
        command.accumulator_base = ++accumulator_slot % accumulator_slots_ * accumulator_entries_;
        command.gives_parameters = last && step.last_use_of_parameters && !nest.mapping().weights_resident;
        command.gives_outputs = (last || nest.mapping().stores_each_pass) && nest.mapping().store_output;
        command.retires = last && step.last_step && !nest.mapping().store_output;
        requantizer_.drains.write(command);
      }
    }
  }
}

}  // namespace qsim
