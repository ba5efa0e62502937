#include "hw_models/controller.h"

#include <algorithm>
#include <string>
#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/cycle.h"

namespace qsim {

namespace {

std::int32_t row_of(const Nest& nest) {
  return std::visit([](const auto& n) { return n.row; }, nest);
}

bool needs_loads(const GemmNest& nest) {
  return !nest.input.resident;
}

bool needs_loads(const VectorNest& nest) {
  return std::ranges::any_of(nest.inputs, [](const VectorInput& input) { return !input.placement.resident; });
}

bool needs_loads(const HostNest&) {
  return false;
}

bool needs_loads(const Nest& nest) {
  return std::visit([](const auto& n) { return needs_loads(n); }, nest);
}

/// Layout of the tile in slot `count` of a placement, or of the whole resident tensor.
TensorLayout tile_layout(const Placement& placement, std::int64_t count) {
  TensorLayout layout = placement.buffer;
  if (!placement.resident) {
    layout.base = placement.slots[static_cast<std::size_t>(count) % placement.slots.size()];
  }
  return layout;
}

/// Element of the tensor that lies at the base of tile_layout().
Dims tile_origin(const Placement& placement, const Box& box) {
  return placement.resident ? Dims{} : box.begin;
}

Box shifted(Box box, const Dims& offset) {
  for (std::size_t d = 0; d < kDims; ++d) {
    box.begin[d] += offset[d];
    box.end[d] += offset[d];
  }
  return box;
}

/// Store of `box` of a tensor from the resident tensor, or from a tile slot that begins with element
/// `tile_begin`.
TransferCommand make_store(const Placement& placement, std::int64_t count, const Box& box, std::int32_t row,
                           Tokens& tokens, const Dims& tile_begin) {
  TensorLayout buffer = tile_layout(placement, count);
  const Dims origin = placement.resident ? Dims{} : tile_begin;
  buffer.base += (box.begin[kBatch] - origin[kBatch]) * buffer.strides[0] +
                 (box.begin[kRow] - origin[kRow]) * buffer.strides[1] +
                 (box.begin[kColumn] - origin[kColumn]) * buffer.strides[2] +
                 (box.begin[kChannel] - origin[kChannel]) * buffer.format.bits / 8;
  TransferCommand command = make_box_transfer(placement.dram, buffer, box);
  command.row = row;
  command.to_buffer = false;
  command.traffic = Event::dram_write_activation_bytes;
  command.acquire = &tokens.outputs_ready;
  command.release = placement.resident ? nullptr : &tokens.outputs_free;
  return command;
}

/// Load of `box` of a tensor into a tile slot.
TransferCommand make_load(const Placement& placement, std::int64_t count, const Box& box, std::int32_t row) {
  TransferCommand command = make_box_transfer(placement.dram, tile_layout(placement, count), box);
  command.row = row;
  command.traffic = placement.traffic;
  command.row_pixels = box.extent(kColumn);
  command.pixel_bytes = arithmetic::packed_bytes(box.extent(kChannel), placement.dram.format.bits);
  return command;
}

TransferCommand make_run_load(std::int32_t row, Event traffic, std::int64_t dram_address,
                              std::int64_t buffer_address, std::int64_t bytes) {
  TransferCommand command;
  command.row = row;
  command.buffer = BufferId::weights;
  command.traffic = traffic;
  command.dram_base = dram_address;
  command.buffer_base = buffer_address;
  command.run_bytes = bytes;
  return command;
}

TransferCommand end_of_stream() {
  TransferCommand command;
  command.ends_stream = true;
  return command;
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
  if (gemm != nullptr && gemm->has_activation_weights) context_.tokens.weights_may_load.release();
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
  if (nest.weights_resident) return;
  if (step.loads_parameters) ++slots.parameters;
  if (step.loads_weights) ++slots.weights;
}

std::int64_t Controller::weights_address(const GemmNest& nest, const GemmStep& step,
                                         const SharedSlots& slots) const {
  if (nest.weights_resident) {
    const std::int64_t parts = static_cast<std::int64_t>(nest.weight_blocks.size() - 1) /
                               static_cast<std::int64_t>(nest.parameter_blocks.size() - 1);
    return nest.weights_base +
           nest.weight_blocks[static_cast<std::size_t>(step.block * parts + step.part_index)];
  }
  return program_.weight_slots[static_cast<std::size_t>(slots.weights) % program_.weight_slots.size()];
}

std::int64_t Controller::parameters_address(const GemmNest& nest, const GemmStep& step,
                                            const SharedSlots& slots) const {
  if (nest.weights_resident) {
    return nest.parameters_base + nest.parameter_blocks[static_cast<std::size_t>(step.block)];
  }
  return program_
      .parameter_slots[static_cast<std::size_t>(slots.parameters) % program_.parameter_slots.size()];
}

void Controller::wait_for_layer_start() const {
  if (config_.layer_start_cycles > 0) sc_core::wait(cycles_to_time(config_.layer_start_cycles));
}

void Controller::run_weight_loads() {
  SharedSlots slots;
  wait_for_layer_start();  // later layers' weights are loaded ahead
  for (const Nest& nest : nests_) {
    const auto* gemm = std::get_if<GemmNest>(&nest);
    if (gemm == nullptr) continue;
    // What an earlier nest computes is not there yet.
    if (gemm->has_activation_weights) context_.tokens.weights_may_load.acquire();
    if (!gemm->weights_resident) {
      load_weights(*gemm, slots);
    } else if (gemm->weights_loaded) {
      load_resident_weights(*gemm);
    }
  }
  dma_->submit(DmaChannel::weights, end_of_stream());
}

void Controller::load_weights(const GemmNest& nest, SharedSlots& slots) {
  const GemmCursor cursor(nest);
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    select_slots(nest, step, slots);
    if (step.loads_parameters) {
      const auto block = static_cast<std::size_t>(step.block);
      TransferCommand command = make_run_load(
          nest.row, Event::dram_read_parameter_bytes,
          nest.parameters_dram_base + nest.parameter_blocks[block], parameters_address(nest, step, slots),
          nest.parameter_blocks[block + 1] - nest.parameter_blocks[block]);
      command.acquire = &context_.tokens.parameters_free;
      command.release = &context_.tokens.parameters_ready;
      dma_->submit(DmaChannel::weights, command);
    }
    if (step.loads_weights && nest.has_activation_weights) {
      load_activation_weights(nest, cursor, step, weights_address(nest, step, slots));
    } else if (step.loads_weights) {
      const auto block = static_cast<std::size_t>(step.block * cursor.parts() + step.part_index);
      TransferCommand command = make_run_load(
          nest.row, Event::dram_read_weight_bytes, nest.weights_dram_base + nest.weight_blocks[block],
          weights_address(nest, step, slots), nest.weight_blocks[block + 1] - nest.weight_blocks[block]);
      command.acquire = &context_.tokens.weights_free;
      command.release = &context_.tokens.weights_ready;
      dma_->submit(DmaChannel::weights, command);
    }
  }
}

/// The buffer holds column tile after column tile, in each chunk after chunk, in the order of WeightOrder:
/// runs of what lies side by side in the tensor as well, single elements where it is turned.
void Controller::load_activation_weights(const GemmNest& nest, const GemmCursor& cursor, const GemmStep& step,
                                         std::int64_t address) {
  const ActivationWeights& weights = nest.activation_weights;
  const std::int64_t element = weights.dram.format.bits / 8;
  const std::int64_t matrix = weights.matrix_of_row[static_cast<std::size_t>(step.output.begin[kRow])];
  const bool rows_first = nest.dataflow != Dataflow::input_stationary;
  // Chunks by rows of the reduction follow one another without a gap, so all of them are one transfer.
  const ChunkCut cut =
      rows_first ? ChunkCut(step.part, step.part.depth(), Reduction::packed) : cursor.chunks(step.part);
  for (std::int64_t t = step.column_tile_begin; t < step.column_tile_end; ++t) {
    const ColumnTile tile = cursor.column_tile(t);
    const std::int64_t columns = tile.columns();
    for (std::int64_t chunk = 0; chunk < cut.count(); ++chunk) {
      const std::int64_t depth = cut.depth(chunk);
      const std::int64_t k = step.part.channel_begin + cut.begin(chunk);
      // In the tensor, one step along the reduction and one along the outputs.
      const std::int64_t k_stride = weights.transposed ? element : weights.dram.strides[2];
      const std::int64_t n_stride = weights.transposed ? weights.dram.strides[2] : element;
      const std::int64_t dram_address =
          weights.dram.base + matrix * weights.dram.strides[1] + k * k_stride + tile.channel_begin * n_stride;
      const auto [inner, inner_stride, outer, outer_stride] =
          rows_first ? std::array{columns, n_stride, depth, k_stride}
                     : std::array{depth, k_stride, columns, n_stride};
      const bool is_run = inner_stride == element;
      TransferCommand command =
          make_run_load(nest.row, weights.traffic, dram_address, address, is_run ? inner * element : element);
      command.counts = {1, is_run ? 1 : inner, outer};
      command.dram_strides = {0, inner_stride, outer_stride};
      command.buffer_strides = {0, element, inner * element};
      if (t == step.column_tile_begin && chunk == 0) command.acquire = &context_.tokens.weights_free;
      if (t + 1 == step.column_tile_end && chunk + 1 == cut.count()) {
        command.release = &context_.tokens.weights_ready;
      }
      dma_->submit(DmaChannel::weights, command);
      address += depth * columns * element;
    }
  }
}

void Controller::load_resident_weights(const GemmNest& nest) {
  TransferCommand parameters =
      make_run_load(nest.row, Event::dram_read_parameter_bytes, nest.parameters_dram_base,
                    nest.parameters_base, nest.parameter_blocks.back());
  parameters.release = &context_.tokens.parameters_ready;
  dma_->submit(DmaChannel::weights, parameters);
  TransferCommand weights = make_run_load(nest.row, Event::dram_read_weight_bytes, nest.weights_dram_base,
                                          nest.weights_base, nest.weight_blocks.back());
  weights.release = &context_.tokens.weights_ready;
  dma_->submit(DmaChannel::weights, weights);
}

// ---- activations -----------------------------------------------------------------------------------------

void Controller::run_input_loads() {
  for (const Nest& nest : nests_) {
    if (!needs_loads(nest)) continue;
    context_.tokens.inputs_may_load.acquire();
    wait_for_layer_start();
    std::visit([this](const auto& n) { load_inputs(n); }, nest);
  }
  dma_->submit(DmaChannel::inputs, end_of_stream());
}

void Controller::load_inputs(const GemmNest& nest) {
  context_.tokens.inputs_free.reset(static_cast<std::int64_t>(nest.input.slots.size()));
  const GemmCursor cursor(nest);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    if (!step.loads_input) continue;
    TransferCommand command = make_load(nest.input, count++, step.input, nest.row);
    command.acquire = &context_.tokens.inputs_free;
    command.release = &context_.tokens.inputs_ready;
    dma_->submit(DmaChannel::inputs, command);
  }
}

void Controller::load_inputs(const VectorNest& nest) {
  const VectorCursor cursor(nest);
  const VectorInput* first = nullptr;
  const VectorInput* last = nullptr;
  for (const VectorInput& input : nest.inputs) {
    if (input.placement.resident) continue;
    if (first == nullptr) first = &input;
    last = &input;
  }
  context_.tokens.inputs_free.reset(static_cast<std::int64_t>(first->placement.slots.size()));
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const VectorStep step = cursor.step(i);
    for (const VectorInput& input : nest.inputs) {
      if (input.placement.resident) continue;
      TransferCommand command = make_load(input.placement, i, cursor.input_box(input, step.output), nest.row);
      if (&input == first) command.acquire = &context_.tokens.inputs_free;
      if (&input == last) command.release = &context_.tokens.inputs_ready;
      dma_->submit(DmaChannel::inputs, command);
    }
  }
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
  context_.tokens.outputs_free.reset(static_cast<std::int64_t>(nest.output.slots.size()));
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
    tile.input = tile_layout(nest.input, inputs);
    tile.input_origin = tile_origin(nest.input, step.input);
    issue_passes(cursor, step, tile, accumulator_slot, nest);
  }
}

void Controller::issue_passes(const GemmCursor& cursor, const GemmStep& step, MacTile tile,
                              std::int64_t& accumulator_slot, const GemmNest& nest) {
  const PassCut passes = cursor.passes(step);
  const ChunkCut cut = cursor.chunks(step.part);
  const bool streamed_weights = !nest.weights_resident;
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
        tile.takes_input = first && step.loads_input && !nest.input.resident;
        tile.takes_accumulators = tile.preload;
        tile.takes_output_space = first && step.first_part && !nest.output.resident;
        tile.gives_weights = last && step.last_use_of_weights && streamed_weights;
        tile.gives_input = last && step.last_use_of_input && !nest.input.resident;
        tile.issue_cycle = now_cycle();
        mac_array_.tiles.write(tile);
        tile.weights_address += cursor.chunk_bytes(tile.columns, tile.chunk_depth);
        first = false;
      }
    }
  }
}

void Controller::compute(const VectorNest& nest) {
  context_.tokens.outputs_free.reset(static_cast<std::int64_t>(nest.output.slots.size()));
  const VectorCursor cursor(nest);
  const bool takes_input = needs_loads(nest);
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const VectorStep step = cursor.step(i);
    VectorTile tile;
    tile.nest = &nest;
    tile.output = step.output;
    for (std::size_t k = 0; k < nest.inputs.size(); ++k) {
      const VectorInput& input = nest.inputs[k];
      tile.inputs[k] = tile_layout(input.placement, i);
      tile.input_origins[k] = tile_origin(input.placement, cursor.input_box(input, step.output));
    }
    tile.destination = tile_layout(nest.output, i);
    tile.destination_origin = tile_origin(nest.output, shifted(step.output, nest.output_offset));
    tile.takes_input = takes_input;
    tile.gives_input = takes_input;
    tile.takes_output_space = !nest.output.resident;
    tile.gives_outputs = nest.store_output;
    tile.retires = step.last_step && !nest.store_output;
    vector_unit_.tiles.write(tile);
  }
}

// ---- drains and stores -----------------------------------------------------------------------------------

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
    command.destination = tile_layout(nest.output, outputs);
    command.destination_origin = tile_origin(nest.output, step.output);
    const PassCut passes = cursor.passes(step);
    for (std::int64_t t = step.column_tile_begin; t < step.column_tile_end; ++t) {
      command.columns = cursor.column_tile(t);
      for (std::int64_t pass = 0; pass < passes.count(); ++pass) {
        const bool last = t + 1 == step.column_tile_end && pass + 1 == passes.count();
        command.pixel_begin = passes.begin(pass);
        command.pixel_end = passes.end(pass);
        command.accumulator_base = ++accumulator_slot % accumulator_slots_ * accumulator_entries_;
        command.gives_parameters = last && step.last_use_of_parameters && !nest.weights_resident;
        command.gives_outputs = (last || nest.stores_each_pass) && nest.store_output;
        command.retires = last && step.last_step && !nest.store_output;
        requantizer_.drains.write(command);
      }
    }
  }
}

void Controller::run_stores() {
  for (const Nest& nest : nests_) std::visit([this](const auto& n) { store(n); }, nest);
  dma_->submit(DmaChannel::stores, end_of_stream());
}

void Controller::store(const GemmNest& nest) {
  if (!nest.store_output) return;
  const GemmCursor cursor(nest);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    if (!step.last_part) continue;
    if (nest.stores_each_pass) {
      store_passes(cursor, step, count++);
      continue;
    }
    TransferCommand command =
        make_store(nest.output, count++, step.output, nest.row, context_.tokens, step.output.begin);
    command.retires = step.last_step;
    dma_->submit(DmaChannel::stores, command);
  }
}

void Controller::store_passes(const GemmCursor& cursor, const GemmStep& step, std::int64_t count) {
  const GemmNest& nest = cursor.nest();
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
            make_store(nest.output, count, box, nest.row, context_.tokens, step.output.begin);
        const bool ends_step = t + 1 == step.column_tile_end && row_end == step.pixels();
        if (pixel != begin) command.acquire = nullptr;
        if (!ends_step) command.release = nullptr;
        command.retires = ends_step && step.last_step;
        dma_->submit(DmaChannel::stores, command);
        pixel = row_end;
      }
    }
  }
}

/// The host moves its own operands and results.
void Controller::store(const HostNest& /*nest*/) {}
void Controller::load_inputs(const HostNest& /*nest*/) {}

void Controller::store(const VectorNest& nest) {
  if (!nest.store_output) return;
  const VectorCursor cursor(nest);
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const VectorStep step = cursor.step(i);
    const Box box = shifted(step.output, nest.output_offset);
    TransferCommand command = make_store(nest.output, i, box, nest.row, context_.tokens, box.begin);
    command.retires = step.last_step;
    dma_->submit(DmaChannel::stores, command);
  }
}

}  // namespace qsim
