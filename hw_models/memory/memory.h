// External memory behind a TLM-2.0 target socket: bytes, and when a model says that requests are complete.
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <systemc>
#include <tlm>
#include <vector>

#include "hw_models/core/processes.h"
#include "hw_models/memory/memory_model.h"
#include "hw_models/recorder.h"

namespace qsim {

/// Any number of initiators share it (memory_port.h has the protocol). Counts bursts and records the bus.
class Memory : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Memory);
  /// Holds `bytes` bytes: 0 where no values move.
  Memory(sc_core::sc_module_name name, std::unique_ptr<MemoryModel> model, std::int64_t burst_bytes,
         std::int64_t bytes, Recorder& recorder, Processes& processes);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  tlm_utils::multi_passthrough_target_socket<Memory> socket;

  /// Access without time (inputs before the run, outputs after it); std::logic_error outside its bytes.
  [[nodiscard]] std::span<std::byte> bytes(std::int64_t address, std::int64_t size);

 private:
  /// A request under way.
  struct Pending {
    tlm::tlm_generic_payload* payload = nullptr;  ///< Absent: complete.
    int initiator = 0;
  };

  tlm::tlm_sync_enum receive(int initiator, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                             sc_core::sc_time& delay);
  void advance();
  void wake();
  void answer(const MemoryEvent& event);
  void complete(Pending& pending);
  void move_data(tlm::tlm_generic_payload& payload);

  std::unique_ptr<MemoryModel> model_;
  std::int64_t burst_bytes_;
  Recorder& recorder_;
  Processes& processes_;
  std::vector<std::byte> storage_;
  std::deque<Pending> pending_;  ///< By id from first_id_ on.
  std::uint64_t first_id_ = 0;
  sc_core::sc_event wake_;
};

}  // namespace qsim
