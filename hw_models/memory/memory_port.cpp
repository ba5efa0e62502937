#include "hw_models/memory/memory_port.h"

#include <utility>

#include "hw_models/cycle.h"

namespace qsim {

MemoryInitiator::MemoryInitiator(const char* name, std::int64_t base_address,
                                 std::function<void(std::uint64_t tag)> done)
    : socket(name), base_address_(base_address), done_(std::move(done)) {
  socket.register_nb_transport_bw(this, &MemoryInitiator::receive);
}

void MemoryInitiator::free(tlm::tlm_generic_payload* payload) {
  unused_.push_back(payload);
}

tlm::tlm_generic_payload& MemoryInitiator::make_payload(const MemoryTransfer& transfer) {
  if (unused_.empty()) {
    payloads_.push_back(std::make_unique<tlm::tlm_generic_payload>(this));
    payloads_.back()->set_extension(new MemoryExtension);  // the payload deletes it
    unused_.push_back(payloads_.back().get());
  }
  tlm::tlm_generic_payload& payload = *unused_.back();
  unused_.pop_back();
  payload.set_command(transfer.is_read ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND);
  payload.set_address(static_cast<sc_dt::uint64>(base_address_ + transfer.address));
  payload.set_data_length(static_cast<unsigned>(transfer.bytes));
  payload.set_streaming_width(static_cast<unsigned>(transfer.bytes));
  payload.set_data_ptr(reinterpret_cast<unsigned char*>(transfer.data));
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  auto& extension = *payload.get_extension<MemoryExtension>();
  extension.row = transfer.row;
  extension.sink = transfer.sink;
  extension.pause_cycles = transfer.pause_cycles;
  extension.tag = transfer.tag;
  return payload;
}

void MemoryInitiator::transfer(const MemoryTransfer& transfer) {
  tlm::tlm_generic_payload& payload = make_payload(transfer);
  payload.acquire();
  latest_ = &payload;
  tlm::tlm_phase phase = tlm::BEGIN_REQ;
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  if (socket->nb_transport_fw(payload, phase, delay) == tlm::TLM_UPDATED) {
    latest_ = nullptr;
    wait_until(now_cycle() + static_cast<Cycle>(delay.value()));
    return;
  }
  while (latest_ != nullptr) sc_core::wait(accepted_);
}

tlm::tlm_sync_enum MemoryInitiator::receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                            sc_core::sc_time& /*delay*/) {
  if (&payload == latest_) {
    latest_ = nullptr;
    accepted_.notify(sc_core::SC_ZERO_TIME);
  }
  if (phase == tlm::END_REQ) return tlm::TLM_ACCEPTED;
  const std::uint64_t tag = payload.get_extension<MemoryExtension>()->tag;
  payload.release();
  done_(tag);
  return tlm::TLM_COMPLETED;
}

}  // namespace qsim
