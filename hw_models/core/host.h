// The processor beside the chip: computes what the chip leaves to it, on the memory that both reach.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <systemc>
#include <tlm>

#include "hw_models/core/chip_context.h"
#include "hw_models/cycle.h"
#include "hw_models/program.h"

namespace qsim {

/// Works through its nests one at a time: reads every operand from DRAM, computes, writes the result back.
/// The transfers take the time that the memory takes; the computation itself takes none, so that what a host
/// nest costs is a lower bound. The chip's units wait meanwhile; loads of weights that run ahead share the
/// memory.
class Host : public sc_core::sc_module {
 public:
  Host(sc_core::sc_module_name name, ChipContext& context);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  tlm_utils::simple_initiator_socket<Host> socket;
  sc_core::sc_fifo<const HostNest*> nests;  ///< nullptr: no more work in this run.

 private:
  void run();
  void work(const HostNest& nest);
  /// Moves one transfer in requests as fast as the memory takes them; returns when the last byte has moved.
  [[nodiscard]] Cycle move(std::int32_t row, const HostTransfer& transfer, std::int64_t dram_address,
                           tlm::tlm_command command, std::vector<std::byte>& data);

  ChipContext& context_;
};

}  // namespace qsim
