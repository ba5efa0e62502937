#include "hw_models/pe_array/pe_array.h"

#include <algorithm>
#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/cycle.h"
#include "hw_models/pass_timing.h"

namespace qsim {

PeArray::PeArray(sc_core::sc_module_name name, const MacArrayConfig& config, SramBuffer& weight_buffer,
                 SramBuffer& activation_buffer, AccumulatorBank& accumulators, ChipContext& context)
    : sc_module(name),
      config_(config),
      weight_buffer_(weight_buffer),
      activation_buffer_(activation_buffer),
      context_(context),
      sums_(accumulators, weight_buffer, context.moves_values),
      feed_(config, weight_buffer, activation_buffer, context.moves_values),
      grid_(make_pe_grid(config, sums_)) {
  sc_core::sc_spawn([this] { context_.guard([this] { run(); }); }, sc_core::sc_gen_unique_name("clock"));
}

std::shared_ptr<Pass> PeArray::make_pass(const MacTile& tile) const {
  auto pass = std::make_shared<Pass>();
  pass->tile = tile;
  pass->product_cycles =
      config_.cycles_per_mac(tile.nest->weight_format.bits, tile.nest->activation_format.bits);
  return pass;
}

void PeArray::load(const MacTile& tile) {
  const std::shared_ptr<Pass> pass = make_pass(tile);
  loaded_.push_back(pass);
  if (tile.nest->dataflow == Dataflow::output_stationary) return;
  loading_ = LoadJob{pass, now_cycle(), 0, 0};
  work_.notify(sc_core::SC_ZERO_TIME);
  sc_core::wait(load_done_);
}

void PeArray::stream(const MacTile& /*tile*/, std::function<void()> drained) {
  std::shared_ptr<Pass> pass = std::move(loaded_.front());
  loaded_.pop_front();
  pass->begin = now_cycle();
  pass->drained = std::move(drained);
  streaming_ = StreamJob{std::move(pass), 0, now_cycle()};
  work_.notify(sc_core::SC_ZERO_TIME);
  sc_core::wait(stream_done_);
}

void PeArray::run() {
  while (true) {
    if (!loading_ && !streaming_ && now_cycle() > settled_) sc_core::wait(work_);
    sc_core::wait(cycles_to_time(1));
    evaluate(now_cycle() - 1);
  }
}

void PeArray::evaluate(Cycle cycle) {
  advance_load(cycle);
  advance_stream(cycle);
  grid_->clock(cycle);
  if (const std::shared_ptr<Pass> pass = grid_->take_drained()) finish(*pass, cycle + 1);
}

/// The port reads line after line ahead of the array; a line enters when it is there, at most one a cycle.
/// Those that the pass does not use come first.
void PeArray::advance_load(Cycle cycle) {
  if (!loading_ || cycle < loading_->begin) return;
  const MacTile& tile = loading_->pass->tile;
  const bool weights_stay = tile.nest->dataflow == Dataflow::weight_stationary;
  const SramBuffer& buffer = weights_stay ? weight_buffer_ : activation_buffer_;
  const int bits = weights_stay ? tile.nest->weight_format.bits : tile.nest->activation_format.bits;
  const std::int64_t lines = config_.organization == Organization::systolic ? config_.rows : config_.columns;
  const std::int64_t index = lines - 1 - loading_->lines_entered;
  const std::int64_t elements = loading_->elements + OperandFeed::line_elements(tile, index);
  if (buffer.read_cycles(arithmetic::packed_bytes(elements, bits)) > cycle + 1 - loading_->begin) return;
  LoadLine line = feed_.line(loading_->pass, index);
  line.cycle = cycle;
  grid_->enter(std::move(line));
  settled_ = std::max(settled_, cycle + grid_->settle_cycles());
  loading_->elements = elements;
  if (++loading_->lines_entered < lines) return;
  loading_.reset();
  load_done_.notify(sc_core::SC_ZERO_TIME);
}

void PeArray::advance_stream(Cycle cycle) {
  if (!streaming_ || cycle < streaming_->pass->begin) return;
  const MacTile& tile = streaming_->pass->tile;
  if (cycle == streaming_->next && streaming_->steps_entered < tile.steps()) {
    StepOperands operands = feed_.step(streaming_->pass, streaming_->steps_entered++);
    operands.cycle = cycle;
    grid_->enter(std::move(operands));
    settled_ = std::max(settled_, cycle + grid_->settle_cycles());
    streaming_->next += std::max(streaming_->pass->product_cycles,
                                 step_read_cycles(tile, weight_buffer_, activation_buffer_));
  }
  if (streaming_->steps_entered < tile.steps() || cycle + 1 < streaming_->next) return;
  streaming_.reset();
  stream_done_.notify(sc_core::SC_ZERO_TIME);
}

void PeArray::finish(Pass& pass, Cycle drained) {
  const MacTile& tile = pass.tile;
  const GemmNest& nest = *tile.nest;
  const PassCounts& counts = pass.counts;
  Activity& events = context_.events(nest.row);
  events[Event::macs] += counts.macs;
  events[nest.dataflow == Dataflow::input_stationary ? Event::activation_register_writes
                                                     : Event::weight_register_writes] +=
      counts.register_writes;
  events[Event::accumulator_reads] += counts.accumulator_reads;
  events[Event::accumulator_writes] += counts.accumulator_writes;
  events[Event::accumulator_adds] += counts.accumulator_writes;
  events[Event::zero_point_input_adds] += counts.zero_point_adds;
  const std::int64_t sweeps = tile.weights_each_pixel() ? tile.pixels() : 1;
  weight_buffer_.count_read(
      nest.row, sweeps * arithmetic::packed_bytes(counts.weights_read / sweeps, nest.weight_format.bits));
  activation_buffer_.count_read(
      nest.row, arithmetic::packed_bytes(counts.activations_read, nest.activation_format.bits));
  context_.timeline.record(Span::compute, nest.row, pass.begin, pass.mac_end);
  context_.timeline.record(Span::fill_drain, nest.row, pass.mac_end, drained);
  pass.drained();
}

}  // namespace qsim
