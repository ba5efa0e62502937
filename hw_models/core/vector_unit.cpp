#include "hw_models/core/vector_unit.h"

#include <algorithm>

#include "hw_models/cycle.h"

namespace qsim {

VectorUnit::VectorUnit(sc_core::sc_module_name name, const VectorUnitConfig& config, bool moves_values,
                       Recorder& recorder, Processes& processes)
    : sc_module(name),
      tiles("tiles"),
      activation_buffer("activation_buffer"),
      config_(config),
      moves_values_(moves_values),
      recorder_(recorder) {
  processes.spawn("lanes", [this] { run(); });
}

void VectorUnit::run() {
  while (true) {
    const VectorTile tile = tiles.read();
    if (tile.nest == nullptr) return;
    take(tile.waits, recorder_.timeline, tile.nest->row);
    const VectorCost work = vector_cost(tile);
    const VectorCycles cycles = vector_cycles(work, config_, activation_buffer->config());
    UnitCycles& units = recorder_.units(tile.nest->row);
    units.vector_unit += cycles.lanes;
    units.activation_reads += cycles.reads;
    units.output_writes += cycles.writes;
    const Cycle begin = now_cycle();
    const Cycle end = begin + cycles.total();
    count(tile, work);
    recorder_.timeline.record(Span::vector, tile.nest->row, begin, end);
    wait_until(end);
    if (moves_values_) compute_vector_tile(tile, activation_buffer->storage());
    give(tile.done);
  }
}

void VectorUnit::count(const VectorTile& tile, const VectorCost& cost) {
  Activity& events = recorder_.events(tile.nest->row);
  ++events[Event::commands];
  events[Event::vector_adds] += cost.adds;
  events[Event::vector_multiplies] += cost.multiplies;
  events[Event::vector_lookups] += cost.lookups;
  activation_buffer->count_read(tile.nest->row, cost.read_bytes);
  activation_buffer->count_write(tile.nest->row, cost.write_bytes);
}

}  // namespace qsim
