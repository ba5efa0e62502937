#include "hw_models/npu.h"

#include <utility>

namespace qsim {

namespace {

/// The nests of all inferences, each with report rows of its own; they share problems, mappings and
/// placements. Resident weights are loaded once.
std::vector<Nest> repeat(const CoreWork& work) {
  const Program& program = *work.program;
  std::vector<Nest> nests;
  nests.reserve(program.nests.size() * static_cast<std::size_t>(work.inferences));
  for (std::int64_t i = 0; i < work.inferences; ++i) {
    for (Nest nest : program.nests) {
      std::visit([&](auto& n) { n.row += work.first_row + static_cast<std::int32_t>(i) * program.rows; },
                 nest);
      if (auto* gemm = std::get_if<GemmNest>(&nest); gemm != nullptr && i > 0) gemm->weights_loaded = false;
      nests.push_back(std::move(nest));
    }
  }
  return nests;
}

/// The programs' images lie one after the other.
std::int64_t memory_bytes(const std::vector<CoreWork>& work) {
  return work.empty() ? 0 : work.back().options.memory_base + work.back().program->dram_bytes;
}

}  // namespace

Npu::Site::Site(const HardwareConfig& hardware, const CoreWork& work, Recorder& recorder,
                Processes& processes)
    : core(sc_core::sc_gen_unique_name("core"), hardware, *work.program, repeat(work), work.options, recorder,
           processes) {
  if (hardware.dram.kind == DramKind::none) return;
  host = std::make_unique<Host>(sc_core::sc_gen_unique_name("host"), work.options.memory_base,
                                work.options.moves_values, recorder, processes);
  host_commands = std::make_unique<sc_core::sc_fifo<HostCommand>>(
      sc_core::sc_gen_unique_name("host_commands"), Host::kQueueDepth);
  core.host(*host_commands);
  host->commands(*host_commands);
}

Npu::Npu(sc_core::sc_module_name name, const HardwareConfig& hardware, const std::vector<CoreWork>& work,
         std::unique_ptr<MemoryModel> model, Recorder& recorder, Processes& processes)
    : sc_module(name) {
  for (const CoreWork& each : work) {
    sites_.push_back(std::make_unique<Site>(hardware, each, recorder, processes));
  }
  if (model == nullptr) return;
  const bool moves_values = !work.empty() && work.front().options.moves_values;
  memory_ = std::make_unique<Memory>("memory", std::move(model), hardware.dram.burst_bytes,
                                     moves_values ? memory_bytes(work) : 0, recorder, processes);
  recorder.bus = BusTraffic(hardware.dram, hardware.clock_khz);
  for (const std::unique_ptr<Site>& site : sites_) {
    site->core.memory->bind(memory_->socket);
    site->host->memory.socket.bind(memory_->socket);
  }
}

}  // namespace qsim
