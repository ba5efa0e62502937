#include "hw_models/memory/dram.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "hw_models/cycle.h"

namespace qsim {

Dram::Dram(sc_core::sc_module_name name, const HardwareConfig& config, const Program& program,
           ChipContext& context)
    : sc_module(name),
      socket("socket"),
      host_socket("host_socket"),
      timing_(config.dram, config.clock_khz),
      context_(context) {
  socket.register_b_transport(this, &Dram::transport);
  host_socket.register_b_transport(this, &Dram::transport);
  if (config.dram.write_bandwidth_bytes_per_second > 0) {
    DramConfig writes = config.dram;
    writes.bandwidth_bytes_per_second = writes.write_bandwidth_bytes_per_second;
    writes.latency_cycles = writes.write_latency_cycles;
    write_timing_.emplace(writes, config.clock_khz);
  }
  if (!context.moves_values) return;
  storage_.resize(static_cast<std::size_t>(program.dram_bytes));
  for (const MemoryImage& image : program.dram_image) {
    std::ranges::copy(image.bytes,
                      bytes(image.address, static_cast<std::int64_t>(image.bytes.size())).begin());
  }
}

std::span<std::byte> Dram::bytes(std::int64_t address, std::int64_t size) {
  if (address < 0 || size < 0 || address + size > static_cast<std::int64_t>(storage_.size())) {
    throw std::logic_error("DRAM: access of " + std::to_string(size) + " bytes at address " +
                           std::to_string(address) + " outside its image of " +
                           std::to_string(storage_.size()) + " bytes");
  }
  return std::span(storage_).subspan(static_cast<std::size_t>(address), static_cast<std::size_t>(size));
}

void Dram::transport(tlm::tlm_generic_payload& request, sc_core::sc_time& delay) {
  auto* extension = request.get_extension<DramExtension>();
  const auto size = static_cast<std::int64_t>(request.get_data_length());
  const auto address = static_cast<std::int64_t>(request.get_address());
  DramTiming& timing = write_timing_ && request.is_write() ? *write_timing_ : timing_;
  const DramService service = timing.serve(now_cycle(), address, size, extension->earliest_done_cycle);
  extension->accepted_cycle = service.accepted_cycle;
  delay += cycles_to_time(service.done_cycle - now_cycle());

  const Event bursts = request.is_read() ? Event::dram_read_bursts : Event::dram_write_bursts;
  context_.events(extension->row)[bursts] += service.bursts;
  if (request.get_data_ptr() != nullptr) {
    const std::span<std::byte> memory = bytes(address, size);
    if (request.is_read()) {
      std::memcpy(request.get_data_ptr(), memory.data(), memory.size());
    } else {
      std::memcpy(memory.data(), request.get_data_ptr(), memory.size());
    }
  }
  request.set_response_status(tlm::TLM_OK_RESPONSE);
}

}  // namespace qsim
