#include "hw_models/run_chip.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/memory/make_memory.h"
#include "hw_models/npu.h"
#include "hw_models/simulation_context.h"

namespace qsim {

namespace {

/// `target(address, size)` are the bytes there.
void fill(const std::vector<MemoryImage>& images, const auto& target) {
  for (const MemoryImage& image : images) {
    std::ranges::copy(image.bytes,
                      target(image.address, static_cast<std::int64_t>(image.bytes.size())).begin());
  }
}

void fill(Core& core, Memory* memory, const CoreWork& work) {
  const Program& program = *work.program;
  const auto bytes_of = [](BufferStorage& storage) {
    return [&storage](std::int64_t address, std::int64_t size) { return storage.bytes(address, size); };
  };
  fill(program.weight_buffer_image, bytes_of(core.weight_storage()));
  fill(program.activation_buffer_image, bytes_of(core.activation_storage()));
  if (memory == nullptr) return;
  fill(program.dram_image, [&](std::int64_t address, std::int64_t size) {
    return memory->bytes(work.options.memory_base + address, size);
  });
}

void flip(BufferStorage& buffer, std::int64_t bit_address) {
  constexpr arithmetic::IntegerFormat kBit{1, false};
  buffer.write(bit_address, kBit, 1 - buffer.read(bit_address, kBit));
}

}  // namespace

std::vector<std::int64_t> ChipMemory::read(const Placement& placement, RowWindow window) const {
  const TensorLayout& layout = placement.resident ? placement.buffer : placement.dram;
  std::vector<std::int64_t> values;
  for (std::int64_t b = 0; b < placement.dims[0]; ++b) {
    for (std::int64_t y = window.begin; y < window.end_of(placement.dims[1]); ++y) {
      for (std::int64_t x = 0; x < placement.dims[2]; ++x) {
        const std::int64_t bytes = arithmetic::packed_bytes(placement.dims[3], layout.format.bits);
        const std::int64_t address = layout.bit_address(b, y, x, 0) / 8;
        const auto pixel =
            placement.resident ? activations_.bytes(address, bytes) : memory_->bytes(base_ + address, bytes);
        for (std::int64_t c = 0; c < placement.dims[3]; ++c) {
          values.push_back(arithmetic::read_bits(pixel, c * layout.format.bits, layout.format));
        }
      }
    }
  }
  return values;
}

std::optional<std::vector<std::int64_t>> ChipMemory::take_passed(std::int32_t row) const {
  auto found = recorder_.passed.extract(row);
  if (!found) return std::nullopt;
  return std::move(found.mapped());
}

void ChipMemory::flip_weight_buffer_bit(std::int64_t bit_address) {
  flip(weights_, bit_address);
}

void ChipMemory::flip_activation_buffer_bit(std::int64_t bit_address) {
  flip(activations_, bit_address);
}

HardwareConfig ordering_hardware(const HardwareConfig& hardware) {
  const HardwareConfig defaults;
  HardwareConfig chip = hardware;
  chip.dma.channel_order = ChannelOrder::round_robin;
  const std::int64_t burst_bytes = hardware.dram.burst_bytes;
  chip.dram = defaults.dram;
  chip.dram.burst_bytes = burst_bytes;
  chip.requantizer.lanes = defaults.requantizer.lanes;
  chip.vector_unit.lanes = defaults.vector_unit.lanes;
  chip.accumulators.update_cycles = defaults.accumulators.update_cycles;
  chip.accumulators.read_out_entries = defaults.accumulators.read_out_entries;
  chip.requantizer.turnaround_cycles = 0;  // depends on spare entries
  for (BufferConfig* buffer : {&chip.weight_buffer, &chip.activation_buffer}) {
    const BufferConfig given = *buffer;
    *buffer = BufferConfig{};
    buffer->capacity_kib = given.capacity_kib;
    buffer->double_buffered = given.double_buffered;
  }
  return chip;
}

namespace {

/// The DMA channel of each request of the program on ordering_hardware(). Weights are loaded one block ahead,
/// whatever the buffer holds.
RequestOrder order_of_requests(const HardwareConfig& hardware, Program program, std::int64_t inferences) {
  constexpr std::int64_t kBlocks = 2;
  const HardwareConfig chip = ordering_hardware(hardware);
  program.weight_credits = std::min(program.weight_credits, kBlocks);
  program.parameter_credits = std::min(program.parameter_credits, kBlocks);
  RequestOrder order;
  const SimulationContext simulation;
  Recorder recorder(program.rows * static_cast<std::int32_t>(inferences));
  Processes processes;
  CoreWork work{&program, inferences, 0, {}};
  work.options.recorded_order = &order;
  const Npu npu("npu", chip, {work}, make_memory(chip.dram, chip.clock_khz), recorder, processes);
  sc_core::sc_start();
  processes.rethrow_error();
  return order;
}

/// Rows and memory one after the other; `orders` has room for each core's order of requests.
std::vector<CoreWork> share_out(const HardwareConfig& hardware, const std::vector<const Program*>& programs,
                                const ChipOptions& options, std::vector<RequestOrder>& orders) {
  constexpr std::int64_t kAlignment = 4096;  // of transactions and bursts
  std::vector<CoreWork> work;
  CoreWork next;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    next.program = programs[i];
    next.inferences = options.inferences;
    next.options.fidelity = options.fidelity;
    next.options.waveform = i == 0 ? options.waveform : nullptr;
    next.options.moves_values = options.moves_values;
    if (hardware.dram.kind != DramKind::none && hardware.dma.channel_order == ChannelOrder::fixed) {
      orders[i] = order_of_requests(hardware, *programs[i], options.inferences);
      next.options.fixed_order = &orders[i];
    }
    work.push_back(next);
    next.first_row += programs[i]->rows * static_cast<std::int32_t>(options.inferences);
    next.options.memory_base += ceil_div(programs[i]->dram_bytes, kAlignment) * kAlignment;
  }
  return work;
}

std::int32_t row_count(const std::vector<const Program*>& programs, std::int64_t inferences) {
  std::int32_t rows = 0;
  for (const Program* program : programs) rows += program->rows * static_cast<std::int32_t>(inferences);
  return rows;
}

ChipRun take_run(Recorder& recorder) {
  ChipRun run;
  run.breakdown = recorder.timeline.classify();
  run.completion = recorder.timeline.completion_order();
  run.completions = recorder.timeline.completions();
  run.span_cycles = recorder.timeline.span_cycles();
  run.rows = recorder.timeline.rows();
  run.intervals = recorder.timeline.intervals();
  run.fills = recorder.timeline.fills();
  run.bus = recorder.bus.windows();
  run.activity = std::move(recorder.activity);
  run.unit_cycles = std::move(recorder.unit_cycles);
  run.accumulators = std::move(recorder.accumulators);
  return run;
}

}  // namespace

ChipRun run_chip(const HardwareConfig& hardware, const Program& program, const ChipOptions& options) {
  return run_cores(hardware, {&program}, options);
}

ChipRun run_cores(const HardwareConfig& hardware, const std::vector<const Program*>& programs,
                  const ChipOptions& options) {
  std::vector<RequestOrder> orders(programs.size());
  const std::vector<CoreWork> work = share_out(hardware, programs, options, orders);
  const SimulationContext simulation;
  Recorder recorder(row_count(programs, options.inferences));
  Processes processes;
  const auto memory = options.memory ? options.memory : make_memory;
  Npu npu("npu", hardware, work, memory(hardware.dram, hardware.clock_khz), recorder, processes);
  std::vector<ChipMemory> memories;
  memories.reserve(work.size());
  for (std::size_t i = 0; i < work.size(); ++i) {
    Core& core = npu.core(i);
    memories.emplace_back(npu.memory(), work[i].options.memory_base, core.weight_storage(),
                          core.activation_storage(), recorder);
    if (options.moves_values) fill(core, npu.memory(), work[i]);
    if (options.on_row_complete) {
      core.controller().on_row_complete = [&options, &memory = memories[i]](std::int32_t row,
                                                                            RowWindow window) {
        options.on_row_complete(row, window, memory);
      };
    }
  }
  if (options.probe) {
    npu.core(0).completions().at(options.probe_cycle, [&] { options.probe(memories[0]); });
  }

  sc_core::sc_start();
  processes.rethrow_error();
  for (std::size_t i = 0; i < work.size(); ++i) {
    const Controller& controller = npu.core(i).controller();
    if (!controller.finished()) throw std::logic_error("the program deadlocks: " + controller.state());
  }
  return take_run(recorder);
}

}  // namespace qsim
