// The processor beside a core: computes what the core leaves to it, on the memory that both reach.
#pragma once

#include <cstddef>
#include <cstdint>
#include <systemc>
#include <vector>

#include "hw_models/core/commands.h"
#include "hw_models/core/processes.h"
#include "hw_models/cycle.h"
#include "hw_models/memory/memory_port.h"
#include "hw_models/recorder.h"

namespace qsim {

/// Works through its nests one at a time: reads every operand from memory, computes, writes the result back.
/// The transfers take the time that the memory takes; the computation itself takes none, so that what a host
/// nest costs is a lower bound. The core's units wait meanwhile; loads of weights that run ahead share the
/// memory.
class Host : public sc_core::sc_module {
 public:
  /// `memory_base`: address in memory of the program's address 0.
  Host(sc_core::sc_module_name name, std::int64_t memory_base, bool moves_values, Recorder& recorder,
       Processes& processes);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  static constexpr int kQueueDepth = 2;
  MemoryInitiator memory;
  sc_core::sc_fifo_in<HostCommand> commands;  ///< In order.

 private:
  void run();
  void work(const HostNest& nest);
  /// Sends the requests of one transfer as fast as the memory takes them.
  void move(std::int32_t row, const HostTransfer& transfer, std::int64_t memory_address, bool is_read,
            std::vector<std::byte>& data);
  void wait_for_memory();

  bool moves_values_;
  Recorder& recorder_;
  std::int64_t outstanding_ = 0;  ///< Requests.
  sc_core::sc_event answered_;    ///< The last one that was outstanding.
};

}  // namespace qsim
