#include "sim/compiler/gemm_cost.h"

#include <algorithm>
#include <limits>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/gemm_cycles.h"
#include "sim/compiler/gemm_events.h"
#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/gemm_traffic.h"

namespace qsim {

namespace {

/// What is stored when computing is over: the last tile, or the last pass of it.
std::int64_t exposed_output_bytes(const GemmMapping& mapping, std::int64_t tile_bytes) {
  if (!mapping.store_output) return 0;
  return mapping.stores_each_pass ? std::min(tile_bytes, mapping.pixels_per_pass * mapping.column_tile)
                                  : tile_bytes;
}

/// Cycles of a product whose reduction is cut into parts. Each step loads its own weights, and inputs that do
/// not stay, while the step before computes; there is no more room to be ahead. So the sum over the parts of
///
///   max(A, M)    cycles of the array, and of the loads of the next part,
///
/// for each tile of pixels and block. Smaller parts lie between full ones: their steps are too short for the
/// loads of the next. Behind the last step nothing is loaded. What else passes the bus, `beside` cycles, is
/// spread over all steps.
std::int64_t cycles_of_parts(const GemmMapping& mapping, const GemmCursor& cursor, const GemmCycles& cycles,
                             const RowCost& cost, const MemoryRate& memory, std::int64_t beside) {
  const std::int64_t last = cursor.parts() - 1;
  const std::int64_t rounds = cursor.steps() / cursor.parts();
  std::int64_t depth = 0;
  cursor.visit_parts(
      [&](std::int64_t part, std::int64_t alike) { depth += alike * cursor.part(part).depth(); });
  const std::int64_t loaded = (mapping.weights_resident ? 0 : cost.weights.bus_bytes) +
                              (mapping.fetch_input ? 0 : cost.inputs.bus_bytes);
  const auto load_cycles = [&](std::int64_t part) {
    return memory.cycles(loaded / rounds * cursor.part(part).depth() / depth) + beside / cursor.steps();
  };
  const auto array_cycles = [&](std::int64_t part) {
    if (part == last) return cycles.last_step;
    return cycles.first_step * cursor.part(part).depth() / cursor.part(0).depth();
  };
  const auto step = [&](std::int64_t computed, std::int64_t loaded_part) {
    return std::max(array_cycles(computed), load_cycles(loaded_part));
  };
  std::int64_t sum = 0;
  std::int64_t full = 0;
  cursor.visit_parts([&](std::int64_t part, std::int64_t alike) {
    if (part == 0 && last > 0) {
      full += alike;
    } else {
      sum += alike * (step(0, part) + step(part, 0));
      full -= alike;
    }
  });
  sum += full * step(0, 0);
  const std::int64_t behind_last = step(last, 0) - array_cycles(last);
  return rounds * sum - behind_last;
}

/// Cycles that steps wait for a slot of outputs while a tile of inputs, or weights, is loaded. Channels take
/// turns request by request: a store of short runs stands behind a long request of the loads each time, until
/// they are done, which began as long before the store as the step's outputs take to drain. With two slots it
/// has to be over before the step after the next, which is a step's array cycles later than where its own
/// drain began.
std::int64_t store_waits(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
                         const HardwareConfig& hardware, const GemmCycles& cycles, const RowCost& cost,
                         const ChannelTraffic& loaded, const MemoryRate& memory) {
  if (cost.stores.slots == 0 || loaded.turns < 2 || memory.writes_apart()) return 0;
  // An output tile of sums that leave has all parts of the next one to be stored.
  if (cursor.sums_leave()) return 0;
  const std::int64_t load = memory.cycles(loaded.bus_bytes / loaded.turns);
  const std::int64_t store = memory.writes().cycles(cost.stores.bus_bytes / cost.stores.turns);
  const Runs runs = runs_of(problem.output, gemm_written_tile(problem, mapping, cursor));
  const std::int64_t request = std::min<std::int64_t>(hardware.dma.transaction_bytes, runs.bytes);
  const std::int64_t requests = ceil_div(gemm_output_bytes(problem, mapping, cursor), request);
  const std::int64_t behind = requests * memory.cycles(hardware.dma.transaction_bytes);
  const std::int64_t step = cycles.array / (cursor.steps() / cursor.parts());
  const std::int64_t late = cycles.drain + memory.latency_cycles() + memory.setup_cycles() + store +
                            std::clamp<std::int64_t>(load - cycles.drain, 0, behind) -
                            (mapping.output_slots - 1) * step;
  return (loaded.turns - 1) * std::clamp<std::int64_t>(late, 0, load);
}

/// Cycles of a row, until the work is done, where `bytes` are loaded as fast as they come, in requests of
/// `request` bytes: what stays, or is fetched. Meanwhile each request of the stores stands behind one of the
/// loads, and only so much work is done as there is room for its outputs.
std::int64_t behind_backlog(const RowCost& cost, std::int64_t bytes, std::int64_t request,
                            const MemoryRate& memory) {
  const ChannelTraffic& stores = cost.stores;
  if (bytes == 0 || stores.slots == 0 || memory.writes_apart()) return 0;
  const std::int64_t stored = std::min(stores.bus_bytes, bytes / request * stores.request_bytes);
  const std::int64_t room = stored + stores.slots * (stores.bus_bytes / stores.turns);
  if (room >= stores.bus_bytes) return 0;
  const double left = 1.0 - static_cast<double>(room) / static_cast<double>(stores.bus_bytes);
  return memory.cycles(bytes + stored) +
         static_cast<std::int64_t>(left * static_cast<double>(cost.work_cycles));
}

/// When `bytes` have come, of which requests of `request` bytes take turns with those of up to `others`.
std::int64_t arrival(std::int64_t bytes, std::int64_t request, std::int64_t others,
                     std::int64_t other_request, const MemoryRate& memory) {
  if (bytes == 0) return 0;
  const std::int64_t between = std::min(others, ceil_div(bytes, request) * other_request);
  return memory.cycles(bytes + between) + memory.input_start();
}

/// Bytes of inputs that are there before the first pass: those of a tile.
std::int64_t first_input_bytes(const GemmProblem& problem, const GemmMapping& mapping) {
  if (!mapping.fetch_input && mapping.input_resident) return 0;
  GemmMapping streamed = mapping;
  streamed.input_resident = false;
  if (mapping.fetch_input) {
    streamed.part_kernel_h = problem.geometry.kernel_h;
    streamed.part_kernel_w = problem.geometry.kernel_w;
  }
  return gemm_tile_bytes(problem, streamed, GemmCursor(problem, streamed)).input;
}

/// Likewise weights and parameters that nobody had time to load before.
std::int64_t first_weight_bytes(const GemmProblem& problem, const GemmCursor& cursor,
                                const HardwareConfig& hardware) {
  const auto [begin, end] = cursor.block_channels(0);
  std::int64_t bytes = problem.parameters.block_bytes(end - begin);
  // In a ring all parts of a column tile load one behind the other.
  const std::int64_t parts = hardware.dma.weight_prefetch == WeightPrefetch::ring ? cursor.parts() : 1;
  if (parts == 1) return bytes + cursor.block_bytes(0, 0);
  cursor.visit_parts(
      [&](std::int64_t part, std::int64_t alike) { bytes += alike * cursor.block_bytes(0, part); });
  return bytes;
}

/// Array cycles behind the load of the last weights that stay: those of a block, or, where all blocks meet
/// each tile of pixels, of all tiles but the first.
std::int64_t cycles_behind_weights(const GemmMapping& mapping, const GemmCursor& cursor,
                                   const GemmCycles& cycles) {
  if (mapping.order == LoopOrder::weights_outer) return cycles.array / cursor.blocks();
  const std::int64_t tiles = cursor.steps() / (cursor.blocks() * cursor.parts());
  return cycles.array - cycles.array / tiles + cycles.last_step;
}

/// Array cycles behind the arrival of the last of an input that is fetched. The first block of weights meets
/// all of it, or of each tile, with the first tap.
std::int64_t cycles_behind_inputs(const GemmMapping& mapping, const GemmCursor& cursor,
                                  const GemmCycles& cycles) {
  const bool weights_outer = mapping.order == LoopOrder::weights_outer;
  const std::int64_t tiles = weights_outer ? 1 : cursor.steps() / (cursor.blocks() * cursor.parts());
  const std::int64_t tile = cycles.array / tiles;
  return tile - tile / cursor.blocks() * cursor.fetched_parts() / cursor.parts();
}

/// Bytes of weights that find room before the row begins, in so many slots: all that stay, or that a ring
/// takes.
std::int64_t bytes_ahead(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
                         const HardwareConfig& hardware, std::int64_t slots) {
  if (problem.activation_weights) return 0;  // the row before makes them
  if (mapping.weights_resident) return std::numeric_limits<std::int64_t>::max();
  if (hardware.dma.weight_prefetch == WeightPrefetch::ring) return hardware.weight_buffer.capacity_bytes();
  const auto [begin, end] = cursor.block_channels(0);
  return slots * (cursor.block_bytes(0, 0) + problem.parameters.block_bytes(end - begin));
}

/// From the last load of weights to the end of the row.
std::int64_t behind_last_weights(const GemmMapping& mapping, const GemmCursor& cursor,
                                 const GemmCycles& cycles) {
  if (cursor.blocks() * cursor.parts() == 1) return cycles.array + cycles.drain;
  const bool block_is_last = mapping.order == LoopOrder::weights_outer && cursor.parts() == 1;
  return (block_is_last ? cycles.array / cursor.blocks() : cycles.last_step) + cycles.drain;
}

/// The units' times, and what nothing overlaps at the end.
RowCost row_cost(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
                 const GemmCycles& cycles, const HardwareConfig& hardware, const MappingLimits& limits) {
  const MemoryRate& memory = limits.memory;
  RowCost cost = gemm_traffic(problem, mapping, cursor, hardware, limits);
  cost.work_cycles = cost.busy_cycles = std::max({cycles.array, cycles.requantizer, cycles.accumulators});
  cost.stores.hold_cycles = cycles.drain;
  // Parameters are in use until the outputs of their channels are made.
  if (cost.weights.slots > 0 && cursor.parts() == 1) cost.weights.hold_cycles = cycles.drain;
  cost.spill_cycles = 2 * cycles.spilled;
  if (cursor.parts() > 1) {
    // The first tile that is fetched has come before.
    const std::int64_t fetched =
        mapping.fetch_input ? cost.inputs.bus_bytes - first_input_bytes(problem, mapping) : 0;
    const std::int64_t beside = memory.cycles(cost.stores.bus_bytes + std::max<std::int64_t>(0, fetched));
    cost.busy_cycles =
        std::max(cost.busy_cycles, cycles_of_parts(mapping, cursor, cycles, cost, memory, beside));
  }
  for (const ChannelTraffic* loaded : {&cost.inputs, &cost.weights})
    cost.busy_cycles = std::max(
        cost.busy_cycles,
        cycles.array + store_waits(problem, mapping, cursor, hardware, cycles, cost, *loaded, memory));
  cost.last_cycles = cycles.drain;
  // The last loads are a block of weights that all pixels pass by, or what a single step needs.
  const bool block_is_last =
      mapping.order == LoopOrder::weights_outer && cursor.parts() == 1 && cost.inputs.turns == 0;
  const std::int64_t last_array = block_is_last ? cycles.array / cursor.blocks() : cycles.last_step;
  cost.tail_cycles =
      memory.latency_cycles() + cycles.start + cycles.drain + std::min(last_array, cycles.array);
  if (mapping.store_output) {
    const std::int64_t stored = exposed_output_bytes(mapping, gemm_output_bytes(problem, mapping, cursor));
    cost.last_cycles +=
        memory.writes().cycles(stored) + memory.writes().latency_cycles() + memory.setup_cycles();
  }
  return cost;
}

}  // namespace

MappingCost gemm_cost(const GemmProblem& problem, const GemmMapping& mapping, const HardwareConfig& hardware,
                      const MappingLimits& limits, const EventRates* rates) {
  const GemmCursor cursor(problem, mapping);
  const MemoryRate& memory = limits.memory;
  const GemmCycles cycles = gemm_cycles(problem, mapping, cursor, hardware);
  RowCost cost = row_cost(problem, mapping, cursor, cycles, hardware, limits);
  const std::int64_t inputs = first_input_bytes(problem, mapping);
  const std::int64_t weights = cost.weights.bus_bytes > 0 ? first_weight_bytes(problem, cursor, hardware) : 0;
  const bool stays = mapping.weights_resident;
  const auto ahead_in = [&](std::int64_t slots) {
    return std::min(cost.weights.bus_bytes, bytes_ahead(problem, mapping, cursor, hardware, slots));
  };
  const std::int64_t ahead = ahead_in(limits.weight_slots);
  const std::int64_t inputs_ahead = mapping.fetch_input
                                        ? cost.inputs.bus_bytes
                                        : std::min(cost.inputs.bus_bytes, mapping.input_slots * inputs);
  // Inputs and weights of the first step come at the same time.
  const std::int64_t inputs_alone = arrival(inputs, cost.inputs.request_bytes, 0, 1, memory);
  cost.first_cycles = std::max(arrival(inputs, cost.inputs.request_bytes, std::max(ahead, weights),
                                       cost.weights.request_bytes, memory),
                               arrival(weights, cost.weights.request_bytes, inputs_ahead,
                                       cost.inputs.request_bytes, memory)) +
                      cycles.start;
  if (mapping.fetch_input) {
    cost.busy_cycles = std::max(
        {cost.busy_cycles,
         arrival(cost.inputs.bus_bytes, cost.inputs.request_bytes, ahead, cost.weights.request_bytes,
                 memory) +
             cycles_behind_inputs(mapping, cursor, cycles) - cost.first_cycles,
         behind_backlog(cost, cost.inputs.bus_bytes, cost.inputs.request_bytes, memory) - cost.first_cycles});
  }
  const std::int64_t busy_without_weights = mapping.weights_resident ? cost.busy_cycles : cost.work_cycles;
  const auto with_energy = [&](MappingCost found) {
    if (rates != nullptr)
      found.energy_pj = rates->energy_pj(gemm_events(problem, mapping, cursor, hardware, cost), found.cycles);
    return found;
  };
  if (cost.weights.bus_bytes == 0) return with_energy({cost, memory});
  if (stays) {
    const std::int64_t backlog = cost.weights.bus_bytes + (mapping.fetch_input ? cost.inputs.bus_bytes : 0);
    cost.busy_cycles =
        std::max({cost.busy_cycles,
                  arrival(cost.weights.bus_bytes, cost.weights.request_bytes, inputs_ahead,
                          cost.inputs.request_bytes, memory) +
                      cycles_behind_weights(mapping, cursor, cycles) - cost.first_cycles,
                  behind_backlog(cost, backlog, cost.weights.request_bytes, memory) - cost.first_cycles});
  }
  MappingCost found(cost, memory);
  RowCost loaded = cost;
  loaded.weights.bus_bytes -= ahead;
  loaded.first_cycles = inputs_alone + cycles.start;
  loaded.busy_cycles = std::max(busy_without_weights, cost.busy_cycles - memory.cycles(ahead));
  if (stays) loaded.weights = {};
  const std::int64_t beside = memory.cycles(ahead_in(1));
  found.weights = {memory.cycles(cost.weights.bus_bytes),
                   memory.cycles(ahead),
                   beside,
                   found.cycles,
                   std::min(found.cycles, MappingCost(loaded, memory).cycles),
                   behind_last_weights(mapping, cursor, cycles),
                   stays};
  if (stays) found.loaded_cycles = found.weights.least_cycles;
  // The rows before have as much time left as this one leaves to those behind.
  if (limits.weights_ahead)
    found.cycles =
        std::max(found.weights.least_cycles,
                 found.cycles - std::min({beside, memory.cycles(weights), found.weights.tail_cycles}));
  return with_energy(found);
}

}  // namespace qsim
