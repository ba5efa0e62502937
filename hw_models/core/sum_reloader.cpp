#include "hw_models/core/sum_reloader.h"

#include "hw_models/core/spilled_sums.h"
#include "hw_models/cycle.h"

namespace qsim {

SumReloader::SumReloader(sc_core::sc_module_name name, AccumulatorBank& accumulators, bool moves_values,
                         Recorder& recorder, Processes& processes)
    : sc_module(name),
      reloads("reloads"),
      activation_buffer("activation_buffer"),
      accumulators_(accumulators),
      moves_values_(moves_values),
      recorder_(recorder) {
  processes.spawn("reload", [this] { run(); });
}

void SumReloader::run() {
  while (true) {
    const ReloadCommand command = reloads.read();
    if (command.nest == nullptr) return;
    take(command.waits, recorder_.timeline, command.nest->row);
    if (command.sums) reload(command);
    give(command.arrived);
  }
}

void SumReloader::reload(const ReloadCommand& command) {
  const std::int32_t row = command.nest->row;
  const std::int64_t bytes = command.count() * command.sums->bytes_each;
  const std::int64_t cycles = activation_buffer->read_cycles(bytes);
  Activity& events = recorder_.events(row);
  ++events[Event::commands];
  events[Event::accumulator_writes] += command.count();
  events[Event::partial_sum_reloads] += command.count();
  activation_buffer->count_read(row, bytes);
  recorder_.units(row).sum_reads += cycles;
  sc_core::wait(cycles_to_time(cycles));
  if (moves_values_) reload_sums(command, accumulators_, activation_buffer->storage());
}

}  // namespace qsim
