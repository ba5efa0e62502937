#include "hw_models/core/host.h"

#include <algorithm>

namespace qsim {

namespace {

/// Largest request; requests end at multiples of it.
constexpr std::int64_t kRequestBytes = 4096;

}  // namespace

Host::Host(sc_core::sc_module_name name, std::int64_t memory_base, bool moves_values, Recorder& recorder,
           Processes& processes)
    : sc_module(name),
      memory("memory", memory_base,
             [this](std::uint64_t /*tag*/) {
               if (--outstanding_ == 0) answered_.notify(sc_core::SC_ZERO_TIME);
             }),
      commands("commands"),
      moves_values_(moves_values),
      recorder_(recorder) {
  processes.spawn("work", [this] { run(); });
}

void Host::run() {
  while (true) {
    const HostCommand command = commands.read();
    if (command.nest == nullptr) return;
    const Cycle begin = now_cycle();
    work(*command.nest);
    recorder_.timeline.record(Span::host, command.nest->row, begin, now_cycle());
    give(command.done);
  }
}

void Host::work(const HostNest& nest) {
  const HostProblem& problem = nest.problem();
  const HostPlacement& placement = nest.placement();
  std::vector<std::vector<std::byte>> operands;
  for (std::size_t i = 0; i < problem.reads.size(); ++i) {
    operands.emplace_back(moves_values_ ? static_cast<std::size_t>(problem.reads[i].bytes) : 0);
    move(nest.row, problem.reads[i], placement.reads[i], true, operands.back());
  }
  wait_for_memory();
  std::vector<std::byte> result;
  if (moves_values_) result = problem.compute(operands);
  move(nest.row, problem.write, placement.write, false, result);
  wait_for_memory();
}

void Host::wait_for_memory() {
  while (outstanding_ > 0) sc_core::wait(answered_);
}

void Host::move(std::int32_t row, const HostTransfer& transfer, std::int64_t memory_address, bool is_read,
                std::vector<std::byte>& data) {
  Activity& events = recorder_.events(row);
  for (std::int64_t moved = 0; moved < transfer.bytes;) {
    const std::int64_t address = memory_address + moved;
    const std::int64_t bytes = std::min(transfer.bytes - moved, kRequestBytes - address % kRequestBytes);
    events[transfer.traffic] += bytes;
    events[is_read ? Event::host_read_bytes : Event::host_write_bytes] += bytes;
    ++outstanding_;
    MemoryTransfer request{row, is_read, address, bytes};
    if (!data.empty()) request.data = data.data() + moved;
    memory.transfer(request);
    moved += bytes;
  }
}

}  // namespace qsim
