#include "hw_models/core/host.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "hw_models/memory/dram.h"

namespace qsim {

namespace {

constexpr int kNestQueueDepth = 2;
/// Largest request; requests end at multiples of it.
constexpr std::int64_t kRequestBytes = 4096;

}  // namespace

Host::Host(sc_core::sc_module_name name, ChipContext& context)
    : sc_module(name), socket("socket"), nests("nests", kNestQueueDepth), context_(context) {
  sc_core::sc_spawn([this] { context_.guard([this] { run(); }); }, sc_core::sc_gen_unique_name("work"));
}

void Host::run() {
  while (true) {
    const HostNest* nest = nullptr;
    nests.read(nest);
    if (nest == nullptr) return;
    const Cycle begin = now_cycle();
    work(*nest);
    context_.timeline.record(Span::host, nest->row, begin, now_cycle());
    context_.on_retire();
  }
}

void Host::work(const HostNest& nest) {
  std::vector<std::vector<std::byte>> operands;
  Cycle done = now_cycle();
  const HostProblem& problem = nest.problem();
  const HostPlacement& placement = nest.placement();
  for (std::size_t i = 0; i < problem.reads.size(); ++i) {
    const HostTransfer& read = problem.reads[i];
    operands.emplace_back(context_.moves_values ? static_cast<std::size_t>(read.bytes) : 0);
    done = std::max(done, move(nest.row, read, placement.reads[i], tlm::TLM_READ_COMMAND, operands.back()));
  }
  wait_until(done);
  std::vector<std::byte> result;
  if (context_.moves_values) result = problem.compute(operands);
  wait_until(move(nest.row, problem.write, placement.write, tlm::TLM_WRITE_COMMAND, result));
}

Cycle Host::move(std::int32_t row, const HostTransfer& transfer, std::int64_t dram_address,
                 tlm::tlm_command command, std::vector<std::byte>& data) {
  Activity& events = context_.events(row);
  Cycle all_done = now_cycle();
  for (std::int64_t moved = 0; moved < transfer.bytes;) {
    const std::int64_t address = dram_address + moved;
    const std::int64_t bytes = std::min(transfer.bytes - moved, kRequestBytes - address % kRequestBytes);
    DramExtension extension;
    extension.row = row;
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(static_cast<sc_dt::uint64>(address));
    payload.set_data_length(static_cast<unsigned>(bytes));
    payload.set_data_ptr(data.empty() ? nullptr : reinterpret_cast<unsigned char*>(data.data() + moved));
    payload.set_extension(&extension);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(payload, delay);
    payload.clear_extension(&extension);
    events[transfer.traffic] += bytes;
    events[command == tlm::TLM_READ_COMMAND ? Event::host_read_bytes : Event::host_write_bytes] += bytes;
    all_done = now_cycle() + static_cast<Cycle>(delay.value());
    context_.bus.record(command == tlm::TLM_READ_COMMAND, bytes, all_done);
    moved += bytes;
    wait_until(extension.accepted_cycle);
  }
  return all_done;
}

}  // namespace qsim
