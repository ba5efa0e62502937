#include "hw_models/core/mac_array.h"

#include <algorithm>
#include <utility>

namespace qsim {

MacArray::MacArray(sc_core::sc_module_name name, const MacArrayConfig& config, const ArrayPorts& ports,
                   ArrayDatapath& datapath, Recorder& recorder, Processes& processes)
    : sc_module(name),
      tiles("tiles"),
      weight_buffer("weight_buffer"),
      activation_buffer("activation_buffer"),
      config_(config),
      ports_(ports),
      datapath_(datapath),
      recorder_(recorder),
      loaded_("loaded", 1) {
  registers_free_.reset(1);
  processes.spawn("loader", [this] { run_loader(); });
  processes.spawn("streamer", [this] { run_streamer(); });
}

void MacArray::run_loader() {
  while (true) {
    auto loaded = std::make_shared<LoadedTile>();
    loaded->tile = tiles.read();
    const MacTile& tile = loaded->tile;
    if (tile.nest == nullptr) {
      loaded_.write(loaded);
      return;
    }
    const Stays stays = tile.dataflow().stays();
    const bool weights_stay = stays == Stays::weights;
    const bool inputs_stay = stays == Stays::inputs;
    take(tile.load_waits, recorder_.timeline, tile.nest->row);
    loaded->ready = now_cycle();
    registers_free_.acquire();
    const Cycle begin = now_cycle();
    sc_core::sc_port<BufferIf>& buffer = weights_stay ? weight_buffer : activation_buffer;
    if (weights_stay || inputs_stay) buffer->begin_read();
    datapath_.load(tile);
    if (weights_stay || inputs_stay) buffer->end_read();
    record_load(tile, begin);
    give(tile.loaded);
    loaded_.write(loaded);
  }
}

void MacArray::record_load(const MacTile& tile, Cycle begin) {
  const std::int32_t row = tile.nest->row;
  const Cycle lines = portless_cycles(config_, tile, ports_.update_cycles).load_cycles;
  recorder_.timeline.record(Span::weight_load, row, begin, std::min(begin + lines, now_cycle()));
  recorder_.timeline.record(Span::load_waits_ports, row, begin + lines, now_cycle());
  UnitCycles& units = recorder_.units(row);
  units.array_load += lines;
  const Stays stays = tile.dataflow().stays();
  if (stays == Stays::weights) units.weight_reads += now_cycle() - begin;
  if (stays == Stays::inputs) units.activation_reads += now_cycle() - begin;
}

/// Where both operands stream, the ports of each are as long at work as its reads take.
void MacArray::record_stream(const MacTile& tile, const PassTiming& pass, Cycle begin, Cycle last_step) {
  const PortlessCycles least = portless_cycles(config_, tile, ports_.update_cycles);
  held_up_ = {last_step + least.step_cycles, now_cycle()};
  UnitCycles& units = recorder_.units(tile.nest->row);
  units.array += least.last_step_cycle + least.step_cycles;
  const Stays stays = tile.dataflow().stays();
  const Cycle taken = now_cycle() - begin;
  if (stays != Stays::weights) units.weight_reads += stays == Stays::sums ? pass.weight_port_cycles : taken;
  if (stays != Stays::inputs) {
    units.activation_reads += stays == Stays::sums ? pass.activation_port_cycles : taken;
  }
}

void MacArray::run_streamer() {
  while (true) {
    const Cycle idle_since = now_cycle();
    const std::shared_ptr<const LoadedTile> loaded = loaded_.read();
    const MacTile& tile = loaded->tile;
    if (tile.nest == nullptr) return;
    // Before the buffer held what stays, the array waited for it; afterwards it was loading.
    const bool inputs_stay = tile.dataflow().stays() == Stays::inputs;
    const Cycle waiting_since = std::max(idle_since, tile.issue_cycle);
    recorder_.timeline.record(inputs_stay ? Span::wait_activations : Span::wait_weights, tile.nest->row,
                              waiting_since, loaded->ready);
    take(tile.stream_waits, recorder_.timeline, tile.nest->row);
    stream(tile);
  }
}

void MacArray::wait_for_buses(const MacTile& tile, const PassTiming& pass) {
  const Cycle since = now_cycle();
  wait_until(buses_.earliest_begin(since, tile.groups(), pass));
  recorder_.timeline.record(Span::fill_drain, tile.nest->row, since, now_cycle());
}

void MacArray::stream(const MacTile& tile) {
  const GemmNest& nest = *tile.nest;
  ++recorder_.events(nest.row)[Event::commands];
  // The biases of the channels.
  if (tile.preload)
    weight_buffer->count_read(nest.row, tile.channels() * nest.problem().parameters.preload_bytes);
  // The multipliers of the chunk's group.
  if (nest.problem().scale_group > 0)
    weight_buffer->count_read(nest.row, tile.channels() * nest.problem().parameters.group_bytes());
  // The exponents of the pixels' blocks come beside their elements.
  if (nest.problem().in_blocks) activation_buffer->count_read(nest.row, exponents_read(tile));
  const DataflowModel& dataflow = tile.dataflow();
  const bool reads_weights = dataflow.streams_weights();
  const bool reads_inputs = dataflow.streams_inputs();
  PassTiming pass;
  const bool sums_stay = dataflow.stays() == Stays::sums;
  if (sums_stay) {
    pass = timing(tile);
    wait_for_buses(tile, pass);
  }
  const Cycle since = now_cycle();
  if (since == held_up_.end) {
    recorder_.timeline.record(Span::stream_waits_ports, nest.row, held_up_.begin, held_up_.end);
  }
  if (reads_weights) weight_buffer->begin_read();
  if (reads_inputs) activation_buffer->begin_read();
  recorder_.timeline.record(Span::stream_waits_ports, nest.row, since, now_cycle());
  // With a second register the first is free for the next tile as soon as the wavefront has started, which it
  // does now: no burst has the ports in this cycle.
  if (config_.double_buffered_weights) registers_free_.release();
  const Cycle last_step = datapath_.stream(tile, [this, accumulated = tile.accumulated] {
    give(accumulated);
    if (!config_.double_buffered_weights) registers_free_.release();
  });
  record_stream(tile, pass, since, last_step);
  if (sums_stay) buses_.occupy(last_step, tile.groups(), pass);
  if (reads_weights) weight_buffer->end_read();
  if (reads_inputs) activation_buffer->end_read();
  give(tile.streamed);
}

}  // namespace qsim
