#include "hw_models/memory/memory.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "hw_models/cycle.h"
#include "hw_models/memory/memory_port.h"

namespace qsim {

Memory::Memory(sc_core::sc_module_name name, std::unique_ptr<MemoryModel> model, std::int64_t burst_bytes,
               std::int64_t bytes, Recorder& recorder, Processes& processes)
    : sc_module(name),
      socket("socket"),
      model_(std::move(model)),
      burst_bytes_(burst_bytes),
      recorder_(recorder),
      processes_(processes),
      storage_(static_cast<std::size_t>(bytes)) {
  socket.register_nb_transport_fw(this, &Memory::receive);
  SC_METHOD(advance);
  sensitive << wake_;
  dont_initialize();
}

std::span<std::byte> Memory::bytes(std::int64_t address, std::int64_t size) {
  if (address < 0 || size < 0 || address + size > static_cast<std::int64_t>(storage_.size())) {
    throw std::logic_error("DRAM: access of " + std::to_string(size) + " bytes at address " +
                           std::to_string(address) + " outside its image of " +
                           std::to_string(storage_.size()) + " bytes");
  }
  return std::span(storage_).subspan(static_cast<std::size_t>(address), static_cast<std::size_t>(size));
}

tlm::tlm_sync_enum Memory::receive(int initiator, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                   sc_core::sc_time& delay) {
  const MemoryExtension& extension = *payload.get_extension<MemoryExtension>();
  MemoryRequest request;
  request.id = first_id_ + pending_.size();
  request.is_read = payload.is_read();
  request.address = static_cast<std::int64_t>(payload.get_address());
  request.bytes = static_cast<std::int64_t>(payload.get_data_length());
  request.sink = extension.sink;
  request.pause_cycles = extension.pause_cycles;
  const Event bursts = request.is_read ? Event::dram_read_bursts : Event::dram_write_bursts;
  recorder_.events(extension.row)[bursts] += bursts_of(request.address, request.bytes, burst_bytes_);
  pending_.push_back({&payload, initiator});
  const std::optional<Cycle> accepted = model_->arrive(now_cycle(), request);
  wake();
  if (!accepted) return tlm::TLM_ACCEPTED;
  phase = tlm::END_REQ;
  delay = cycles_to_time(std::max<Cycle>(0, *accepted - now_cycle()));
  return tlm::TLM_UPDATED;
}

/// An event keeps its earliest notification: where a later request has moved what was next, the memory wakes
/// for nothing.
void Memory::wake() {
  const std::optional<Cycle> next = model_->next();
  if (!next) return;
  const Cycle delay = *next - now_cycle();
  wake_.notify(delay > 0 ? cycles_to_time(delay) : sc_core::SC_ZERO_TIME);
}

void Memory::advance() {
  processes_.guard([this] {
    while (const std::optional<MemoryEvent> event = model_->take(now_cycle())) answer(*event);
    wake();
  });
}

void Memory::answer(const MemoryEvent& event) {
  Pending& pending = pending_.at(static_cast<std::size_t>(event.id - first_id_));
  if (pending.payload == nullptr)
    throw std::logic_error("memory model: an event of a request that is complete");
  if (event.kind == MemoryEvent::Kind::complete) {
    complete(pending);
    return;
  }
  tlm::tlm_phase phase = tlm::END_REQ;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket[pending.initiator]->nb_transport_bw(*pending.payload, phase, delay);
}

void Memory::complete(Pending& pending) {
  tlm::tlm_generic_payload& payload = *std::exchange(pending.payload, nullptr);
  const int initiator = pending.initiator;
  while (!pending_.empty() && pending_.front().payload == nullptr) {
    pending_.pop_front();
    ++first_id_;
  }
  recorder_.bus.record(payload.is_read(), static_cast<std::int64_t>(payload.get_data_length()), now_cycle());
  if (payload.get_data_ptr() != nullptr) move_data(payload);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  tlm::tlm_phase phase = tlm::BEGIN_RESP;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket[initiator]->nb_transport_bw(payload, phase, delay);
}

void Memory::move_data(tlm::tlm_generic_payload& payload) {
  const std::span<std::byte> memory = bytes(static_cast<std::int64_t>(payload.get_address()),
                                            static_cast<std::int64_t>(payload.get_data_length()));
  if (payload.is_read()) {
    std::memcpy(payload.get_data_ptr(), memory.data(), memory.size());
  } else {
    std::memcpy(memory.data(), payload.get_data_ptr(), memory.size());
  }
}

}  // namespace qsim
