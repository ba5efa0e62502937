// load_energy_table, then the energy of a chip by it.
#include "sim/energy/energy_model.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  accepts([&] {
    const qsim::EnergyModel model(qsim::HardwareConfig{},
                                  qsim::load_energy_table(file.path(), {}, "chip.json"));
  });
  return 0;
}
