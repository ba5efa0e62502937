// Commands of the DMA on their way to a buffer whose write port they may have to share.
#include <catch2/catch.hpp>

#include <memory>

#include "hw_models/core/completions.h"
#include "hw_models/core/sram_buffer.h"
#include "hw_models/cycle.h"
#include "hw_models/memory/dma.h"
#include "hw_models/memory/memory.h"
#include "hw_models/memory/simple_memory.h"
#include "hw_models/simulation_context.h"

namespace qsim {
namespace {

constexpr std::size_t kInputs = 1;  ///< Channel.

BufferConfig buffer_of(Arbitration arbitration) {
  BufferConfig config;
  config.arbitration = arbitration;
  return config;
}

/// A DMA with a memory, and buffers whose ports follow `arbitration`; one channel is given commands.
struct DmaBench {
  explicit DmaBench(Arbitration arbitration)
      : weights("weights", buffer_of(arbitration), kWeightBufferEvents, false, recorder, processes),
        activations("activations", buffer_of(arbitration), kActivationBufferEvents, false, recorder,
                    processes),
        dma("dma", DmaConfig{}, DmaOptions{}, held, recorder, processes),
        memory("memory", std::make_unique<SimpleMemory>(DramConfig{}, 1'000'000), DramConfig{}.burst_bytes, 0,
               recorder, processes) {
    queues.init(kDmaChannels,
                [](const char* name, std::size_t) { return new sc_core::sc_fifo<TransferCommand>(name, 4); });
    for (std::size_t i = 0; i < kDmaChannels; ++i) dma.commands[i](queues[i]);
    dma.weight_buffer(weights);
    dma.activation_buffer(activations);
    dma.completions(completions);
    dma.memory.socket.bind(memory.socket);
  }

  /// When a load of `bytes` signals that it has arrived.
  Cycle arrival_of_load(std::int64_t bytes) {
    Cycle arrival = -1;
    Token token;
    token.on_release = [&arrival] { arrival = now_cycle(); };
    TransferCommand load;
    load.run_bytes = bytes;
    load.arrived.add({&token});
    TransferCommand end;
    end.ends_stream = true;
    queues[kInputs].nb_write(load);
    for (std::size_t i = 0; i < kDmaChannels; ++i) queues[i].nb_write(end);
    sc_core::sc_start();
    processes.rethrow_error();
    return arrival;
  }

  SimulationContext simulation;
  Recorder recorder{1};
  Processes processes;
  HeldTiles held{recorder.timeline};
  Completions completions{"completions", processes};
  SramBuffer weights, activations;
  Dma dma;
  Memory memory;
  sc_core::sc_vector<sc_core::sc_fifo<TransferCommand>> queues{"queues"};
};

TEST_CASE(
    "a load of nothing arrives after the setup, and waits for its turn where the array's reads go first") {
  // BufferIf::write_burst: at once where nobody waits; in the cycle before its first beat with write_first; a
  // cycle after its arrival at the earliest with read_first.
  const Cycle setup = DmaConfig{}.setup_cycles;
  CHECK(DmaBench(Arbitration::fixed).arrival_of_load(0) == setup);
  CHECK(DmaBench(Arbitration::write_first).arrival_of_load(0) == setup);
  CHECK(DmaBench(Arbitration::read_first).arrival_of_load(0) == setup + 1);
}

TEST_CASE("a load arrives with its last byte, and waits for its turn where the array's reads go first") {
  // 64 bytes at 12.8 bytes a cycle: 5 cycles on the bus, after a latency of 100.
  const Cycle moved = DmaConfig{}.setup_cycles + DramConfig{}.latency_cycles + 5;
  CHECK(DmaBench(Arbitration::fixed).arrival_of_load(64) == moved);
  CHECK(DmaBench(Arbitration::read_first).arrival_of_load(64) == moved + 1);
}

}  // namespace
}  // namespace qsim
