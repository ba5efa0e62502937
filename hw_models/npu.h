// The whole chip: cores, the memory that all of them share, and their hosts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <systemc>
#include <vector>

#include "hw_models/core/core.h"
#include "hw_models/core/host.h"
#include "hw_models/core/processes.h"
#include "hw_models/hardware_config.h"
#include "hw_models/memory/memory.h"
#include "hw_models/memory/memory_model.h"
#include "hw_models/program.h"
#include "hw_models/recorder.h"

namespace qsim {

/// What runs on one core.
struct CoreWork {
  const Program* program = nullptr;
  std::int64_t inferences = 1;
  std::int32_t first_row = 0;  ///< Report row of its row 0.
  CoreOptions options;
};

/// Builds one core, with its host, for each of `work`, and one memory behind all of them.
class Npu : public sc_core::sc_module {
 public:
  /// `hardware` describes each core and the memory, `model` (make_memory()) is absent where there is none. It
  /// holds the images of all programs where values move.
  Npu(sc_core::sc_module_name name, const HardwareConfig& hardware, const std::vector<CoreWork>& work,
      std::unique_ptr<MemoryModel> model, Recorder& recorder, Processes& processes);
  Npu(const Npu&) = delete;
  Npu& operator=(const Npu&) = delete;

  [[nodiscard]] Core& core(std::size_t index) { return sites_[index]->core; }
  [[nodiscard]] Memory* memory() { return memory_.get(); }

 private:
  /// A core and its host.
  struct Site {
    Site(const HardwareConfig& hardware, const CoreWork& work, Recorder& recorder, Processes& processes);

    Core core;
    std::unique_ptr<Host> host;
    std::unique_ptr<sc_core::sc_fifo<HostCommand>> host_commands;
  };

  std::vector<std::unique_ptr<Site>> sites_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace qsim
