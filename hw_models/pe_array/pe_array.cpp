#include "hw_models/pe_array/pe_array.h"

#include <algorithm>
#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/pass_timing.h"
#include "hw_models/cycle.h"

namespace qsim {

PeArray::PeArray(sc_core::sc_module_name name, const MacArrayConfig& config, const ArrayPorts& ports,
                 BufferIf& weight_buffer, BufferIf& activation_buffer, AccumulatorBank& accumulators,
                 bool moves_values, Recorder& recorder, Processes& processes, Waveform* waveform)
    : sc_module(name),
      config_(config),
      ports_(ports),
      weight_buffer_(weight_buffer),
      activation_buffer_(activation_buffer),
      recorder_(recorder),
      sums_(accumulators, weight_buffer.storage(), ports.update_cycles, moves_values),
      feed_(config, weight_buffer.storage(), activation_buffer.storage(), moves_values),
      waveform_(waveform) {
  for (const Dataflow dataflow : config.offered_dataflows()) {
    const PeGridKind kind = dataflow_model(dataflow, config.organization).grid();
    grids_[{kind, 1}] = make_pe_grid(kind, config, 1, ports.update_cycles, sums_);
  }
  if (waveform_ != nullptr) declare_signals();
  processes.spawn("clock", [this] { run(); });
}

PeGrid& PeArray::grid(PeGridKind kind, std::int64_t macs_a_pe) {
  std::unique_ptr<PeGrid>& grid = grids_[{kind, macs_a_pe}];
  if (grid == nullptr) grid = make_pe_grid(kind, config_, macs_a_pe, ports_.update_cycles, sums_);
  return *grid;
}

std::shared_ptr<Pass> PeArray::make_pass(const MacTile& tile) const {
  return std::make_shared<Pass>(tile, config_, ports_);
}

void PeArray::load(const MacTile& tile) {
  const std::shared_ptr<Pass> pass = make_pass(tile);
  loaded_.push_back(pass);
  if (pass->stays == Stays::inputs) feed_.put_exponents(*pass);
  const std::int64_t lines = pass->dataflow.fill_cycles(config_);
  if (lines == 0) return;
  loading_ = LoadJob{pass, now_cycle(), lines, 0, 0};
  read_line(*loading_);
  work_.notify(sc_core::SC_ZERO_TIME);
  sc_core::wait(load_done_);
}

Cycle PeArray::stream(const MacTile& /*tile*/, std::function<void()> drained) {
  std::shared_ptr<Pass> pass = std::move(loaded_.front());
  loaded_.pop_front();
  pass->begin = now_cycle();
  if (pass->stays != Stays::inputs) feed_.put_exponents(*pass);
  pass->drained = std::move(drained);
  streaming_ = StreamJob{std::move(pass), 0, now_cycle()};
  work_.notify(sc_core::SC_ZERO_TIME);
  sc_core::wait(stream_done_);
  return last_step_;
}

void PeArray::run() {
  while (true) {
    if (!loading_ && !streaming_ && now_cycle() > settled_) sc_core::wait(work_);
    sc_core::wait(cycles_to_time(1));
    evaluate(now_cycle() - 1);
  }
}

void PeArray::evaluate(Cycle cycle) {
  shown_.loads_line = false;
  shown_.step = shown_.channel = shown_.pixel = shown_.reduction = std::nullopt;
  advance_load(cycle);
  advance_stream(cycle);
  std::shared_ptr<Pass> drained;
  const std::shared_ptr<Pass> multiplied = std::move(multiplying_);
  multiplying_.reset();
  for (const auto& [kind, grid] : grids_) {
    grid->clock(cycle);
    if (std::shared_ptr<Pass> pass = grid->take_drained()) drained = std::move(pass);
  }
  if (waveform_ != nullptr && waveform_->covers(cycle)) {
    shown_.drains = drained != nullptr;
    show(cycle);
  }
  if (multiplied != nullptr) finish(*multiplied, cycle + 1);
  if (drained == nullptr) return;
  if (drained->tile.nest->problem().scale_group == 0) return finish(*drained, cycle + 1);
  multiplying_ = std::move(drained);
  settled_ = std::max(settled_, cycle + kGroupMultiplierCycles);
}

void PeArray::declare_signals() {
  shown_.first_signal = waveform_->add("mac_array", "loads_line", 1);
  for (const char* name : {"step", "first_channel", "first_pixel", "first_reduction_element"}) {
    waveform_->add("mac_array", name, 32);
  }
  waveform_->add("mac_array", "pass_drains", 1);
  for (const auto& [kind, grid] : grids_) grid->declare(*waveform_);  // no others yet
}

void PeArray::show(Cycle cycle) {
  std::size_t signal = shown_.first_signal;
  waveform_->set(signal++, shown_.loads_line ? 1 : 0);
  for (const auto& value : {shown_.step, shown_.channel, shown_.pixel, shown_.reduction}) {
    waveform_->set(signal++, value);
  }
  waveform_->set(signal++, shown_.drains ? 1 : 0);
  for (const auto& [kind, grid] : grids_) {
    if (kind.second == 1) grid->show(*waveform_);
  }
  waveform_->sample(cycle);
}

/// The port goes on with the line that enters next.
void PeArray::read_line(LoadJob& job) const {
  Pass& pass = *job.pass;
  const bool weights_stay = pass.stays == Stays::weights;
  const std::int64_t lines = pass.dataflow.lines_a_cycle(pass.shape);
  const std::int64_t first = (job.lines_left - 1) * lines;
  for (std::int64_t index = first + lines; index-- > first;) {
    if (pass.reads.has_lines()) {
      const BufferRead read = pass.reads.line(index);
      (weights_stay ? pass.weight_reads : pass.activation_reads).add(read);
      job.read_cycles += read.cycles;
    } else if (const std::optional<OperandBox> box = pass.dataflow.line(pass.shape, index)) {
      job.elements += weights_stay ? box->weights() : box->inputs();
    }
  }
  if (pass.reads.has_lines()) return;
  job.read_cycles =
      weights_stay
          ? weight_buffer_.read_cycles(arithmetic::packed_bytes(job.elements, pass.shape.weight_bits))
          : activation_buffer_.read_cycles(
                arithmetic::packed_bytes(job.elements, pass.shape.activation_bits));
}

/// The port reads line after line ahead of the array; a line enters when it is there, at most one a cycle.
/// Those that the pass does not use come first.
void PeArray::advance_load(Cycle cycle) {
  if (!loading_ || cycle < loading_->begin) return;
  const bool weights_stay = loading_->pass->stays == Stays::weights;
  if ((weights_stay ? weight_buffer_ : activation_buffer_).is_taken(cycle)) {
    ++loading_->begin;  // a cycle that does not count
    return;
  }
  if (loading_->read_cycles > cycle + 1 - loading_->begin) return;
  LoadLine line = feed_.line(loading_->pass, loading_->lines_left - 1);
  line.cycle = cycle;
  shown_.loads_line = true;
  PeGrid& grid = grid_of(*loading_->pass);
  grid.enter(std::move(line));
  settled_ = std::max(settled_, cycle + grid.settle_cycles());
  if (--loading_->lines_left > 0) {
    read_line(*loading_);
    return;
  }
  loading_.reset();
  load_done_.notify(sc_core::SC_ZERO_TIME);
}

/// A burst of writes has a port that the stream reads.
bool PeArray::is_stopped(const Pass& pass, Cycle cycle) const {
  return (pass.stays != Stays::weights && weight_buffer_.is_taken(cycle)) ||
         (pass.stays != Stays::inputs && activation_buffer_.is_taken(cycle));
}

void PeArray::advance_stream(Cycle cycle) {
  if (!streaming_ || cycle < streaming_->pass->begin) return;
  Pass& pass = *streaming_->pass;
  const MacTile& tile = pass.tile;
  if (is_stopped(pass, cycle)) {
    ++streaming_->next;
    return;
  }
  if (cycle == streaming_->next && streaming_->steps_entered < pass.steps) {
    const StepRead read = pass.reads.step(streaming_->steps_entered);
    pass.weight_reads.add(read.weights);
    pass.activation_reads.add(read.activations);
    StepOperands operands = feed_.step(streaming_->pass, streaming_->steps_entered++);
    operands.cycle = cycle;
    shown_.step = operands.step;
    shown_.channel = tile.columns.channel_begin;
    shown_.pixel = tile.pixel_begin;
    shown_.reduction = tile.chunk_begin;
    PeGrid& grid = grid_of(pass);
    grid.enter(std::move(operands));
    last_step_ = pass.last_step = cycle;
    settled_ = std::max(settled_, cycle + grid.settle_cycles());
    const std::int64_t least = pass.dataflow.step_cycles(config_, pass.shape, ports_.update_cycles);
    streaming_->next += std::max(least, read.cycles());
  }
  if (streaming_->steps_entered < pass.steps || cycle + 1 < streaming_->next) return;
  streaming_.reset();
  stream_done_.notify(sc_core::SC_ZERO_TIME);
}

void PeArray::finish(Pass& pass, Cycle drained) {
  const MacTile& tile = pass.tile;
  const GemmNest& nest = *tile.nest;
  const PassCounts& counts = pass.counts;
  Activity& events = recorder_.events(nest.row);
  events[Event::macs] += counts.macs;
  events[pass.stays == Stays::inputs ? Event::activation_register_writes : Event::weight_register_writes] +=
      counts.register_writes;
  events[Event::accumulator_reads] += counts.accumulator_reads;
  events[Event::accumulator_writes] += counts.accumulator_writes;
  events[Event::accumulator_adds] += counts.accumulator_writes;
  events[nest.problem().in_blocks ? Event::block_shifts : Event::group_multiplies] += counts.group_multiplies;
  events[Event::zero_point_corrections] += counts.group_corrections;
  events[Event::zero_point_input_adds] += counts.zero_point_adds;
  if (reads_by_address(weight_buffer_.config())) {
    count_reads_by_address(weight_buffer_, nest.row, pass.weight_reads);
  } else {
    const std::int64_t sweeps = pass.dataflow.weight_sweeps(pass.shape);
    weight_buffer_.count_read(
        nest.row, sweeps * arithmetic::packed_bytes(counts.weights_read / sweeps, pass.shape.weight_bits));
  }
  if (reads_by_address(activation_buffer_.config())) {
    count_reads_by_address(activation_buffer_, nest.row, pass.activation_reads);
  } else {
    activation_buffer_.count_read(
        nest.row, arithmetic::packed_bytes(counts.activations_read, pass.shape.activation_bits));
  }
  const PortlessCycles least = portless_cycles(config_, tile, ports_.update_cycles);
  recorder_.timeline.record_pass(
      nest.row, {pass.begin, pass.begin + least.last_step_cycle, pass.last_step, pass.mac_end, drained});
  pass.drained();
}

}  // namespace qsim
