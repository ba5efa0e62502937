// External memory behind a TLM-2.0 target socket.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <systemc>
#include <tlm>
#include <vector>

#include "hw_models/core/chip_context.h"
#include "hw_models/hardware_config.h"
#include "hw_models/memory/dram_timing.h"
#include "hw_models/program.h"

namespace qsim {

/// Rides on a request: which report row it belongs to, and back: when the memory takes the next request.
struct DramExtension : public tlm::tlm_extension<DramExtension> {
  std::int32_t row = 0;
  std::int64_t accepted_cycle = 0;
  std::int64_t earliest_done_cycle = 0;  ///< The requester takes no data before.

  [[nodiscard]] tlm_extension_base* clone() const override { return new DramExtension(*this); }
  void copy_from(const tlm_extension_base& other) override {
    *this = dynamic_cast<const DramExtension&>(other);
  }
};

/// Loosely timed: b_transport returns at once and adds to `delay` the time until the last data has been
/// transferred; the extension says when the next request may follow (outstanding requests). A request without
/// data pointer is timed and counted, nothing is moved.
class Dram : public sc_core::sc_module {
 public:
  Dram(sc_core::sc_module_name name, const HardwareConfig& config, const Program& program,
       ChipContext& context);
  Dram(const Dram&) = delete;
  Dram& operator=(const Dram&) = delete;

  tlm_utils::simple_target_socket<Dram> socket;       ///< The chip's DMA.
  tlm_utils::simple_target_socket<Dram> host_socket;  ///< The host.

  /// Access without time (inputs before the run, outputs after it).
  [[nodiscard]] std::span<std::byte> bytes(std::int64_t address, std::int64_t size);

 private:
  void transport(tlm::tlm_generic_payload& request, sc_core::sc_time& delay);

  DramTiming timing_;
  std::optional<DramTiming> write_timing_;  ///< Where writes have a channel of their own.
  ChipContext& context_;
  std::vector<std::byte> storage_;
};

}  // namespace qsim
