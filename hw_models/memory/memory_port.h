// The protocol between the memory and its initiators (DMA, host): TLM-2.0's base protocol, non-blocking.
//
//   BEGIN_REQ   initiator -> memory   a request; one at a time an initiator
//   END_REQ     memory -> initiator   the next one may follow: with the return of BEGIN_REQ, where the time
//                                     that comes with it says in how many cycles, or by a call of its own
//   BEGIN_RESP  memory -> initiator   the last data has been transferred: now. It implies END_REQ. The
//                                     initiator returns TLM_COMPLETED.
//
// Requests that were accepted may be complete in any order. A request without data pointer is timed and
// counted, nothing is moved; data move with BEGIN_RESP.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

#include "hw_models/memory/memory_model.h"

namespace qsim {

/// Rides on a request.
struct MemoryExtension : public tlm::tlm_extension<MemoryExtension> {
  std::int32_t row = 0;  ///< Report row that it counts under.
  DataSink* sink = nullptr;
  std::int64_t pause_cycles = 0;  ///< Of the sink (MemoryRequest).
  std::uint64_t tag = 0;          ///< The initiator's (MemoryTransfer).

  [[nodiscard]] tlm_extension_base* clone() const override { return new MemoryExtension(*this); }
  void copy_from(const tlm_extension_base& other) override {
    *this = dynamic_cast<const MemoryExtension&>(other);
  }
};

/// What an initiator asks for.
struct MemoryTransfer {
  std::int32_t row = 0;
  bool is_read = true;
  std::int64_t address = 0, bytes = 0;
  std::byte* data = nullptr;  ///< Absent where no values move; the initiator's until it is done.
  DataSink* sink = nullptr;
  std::int64_t pause_cycles = 0;
  std::uint64_t tag = 0;  ///< Comes back when it is done.
};

/// The initiator's end: a socket, and requests that are used again.
class MemoryInitiator : public tlm::tlm_mm_interface {
 public:
  /// Addresses count from `base_address`. `done` is called in the cycle in which a request's last data has
  /// been transferred, with its tag.
  MemoryInitiator(const char* name, std::int64_t base_address, std::function<void(std::uint64_t tag)> done);
  MemoryInitiator(const MemoryInitiator&) = delete;
  MemoryInitiator& operator=(const MemoryInitiator&) = delete;

  tlm_utils::simple_initiator_socket<MemoryInitiator> socket;

  /// Sends a request and waits, in the calling SC_THREAD, until the next one may follow. It may be done
  /// before this returns.
  void transfer(const MemoryTransfer& transfer);

  void free(tlm::tlm_generic_payload* payload) override;

 private:
  [[nodiscard]] tlm::tlm_generic_payload& make_payload(const MemoryTransfer& transfer);
  tlm::tlm_sync_enum receive(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                             sc_core::sc_time& delay);

  std::int64_t base_address_;
  std::function<void(std::uint64_t tag)> done_;
  const tlm::tlm_generic_payload* latest_ = nullptr;  ///< The latest request, until it is accepted.
  sc_core::sc_event accepted_;
  std::vector<std::unique_ptr<tlm::tlm_generic_payload>> payloads_;
  std::vector<tlm::tlm_generic_payload*> unused_;
};

}  // namespace qsim
