#include "sim/compiler/vector_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/nest_cursor.h"
#include "hw_models/core/vector_work.h"
#include "sim/compiler/gemm_events.h"
#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/mapping_fields.h"
#include "sim/compiler/schedule.h"
#include "sim/compiler/tile_sums.h"

namespace qsim {

namespace {

bool works_on_rows(const VectorProblem& problem) {
  return std::holds_alternative<arithmetic::RowFunction>(problem.function);
}

/// A cut along output dimension `d` is possible: rows stay whole, and where elements are narrower than a byte
/// the channels that it maps to stay whole in every memory.
bool may_cut(const VectorProblem& problem, std::size_t d) {
  if (d == kChannel && works_on_rows(problem)) return false;
  if (d == kChannel && problem.output.layout.format.bits % 8 != 0) return false;
  return std::ranges::all_of(problem.inputs, [&](const VectorInput& input) {
    return input.source[kChannel] != d || input.tensor.layout.format.bits % 8 == 0;
  });
}

bool streams(const VectorMapping& mapping) {
  return !mapping.output_resident || std::ranges::count(mapping.inputs_resident, false) > 0 ||
         std::ranges::count(mapping.fetch_inputs, true) > 0;
}

/// Sum over the tiles of output dimension `from` of the input extents that they reach in dimension `d`; for
/// channels in packed bytes.
std::int64_t input_extents(const VectorProblem& problem, const VectorMapping& mapping,
                           const VectorInput& input, std::size_t d) {
  const std::size_t from = input.source[d];
  Dims extent{1, 1, 1, 1};  // the tiles of this dimension alone
  Dims tile = extent;
  extent[from] = problem.extent[from];
  tile[from] = mapping.tile[from];
  const VectorCursor cursor(problem, extent, tile);
  const TileRange inside = tiles_inside(
      {extent[from], tile[from], input.stride[d], input.offset[d], problem.window[d], input.tensor.dims[d]});
  return sum_over_tiles(cursor.steps(), inside, [&](std::int64_t i) {
    const std::int64_t reached = cursor.input_box(input, cursor.step(i).output).extent(d);
    return d == kChannel ? arithmetic::packed_bytes(reached, input.tensor.layout.format.bits) : reached;
  });
}

/// The tiles are boxes cut independently in each dimension, so the sum of the products is the product of the
/// sums.
std::int64_t input_bytes(const VectorProblem& problem, const VectorMapping& mapping,
                         const VectorInput& input) {
  std::int64_t bytes = 1;
  for (std::size_t d = 0; d < kDims; ++d) bytes *= input_extents(problem, mapping, input, d);
  return bytes;
}

bool fetches(const VectorMapping& mapping, std::size_t input) {
  return input < mapping.fetch_inputs.size() && mapping.fetch_inputs[input];
}

/// Cycles of a tile of full size.
std::int64_t lane_cycles(const VectorProblem& problem, const VectorMapping& mapping,
                         const HardwareConfig& hardware) {
  const Dims& t = mapping.tile;
  const VectorCost work = vector_cost(problem, t[0] * t[1] * t[2] * t[3]);
  return vector_cycles(work, hardware.vector_unit, hardware.activation_buffer).total();
}

/// Of all tiles together; words of ports are those of the whole.
Activity vector_events(const VectorProblem& problem, const HardwareConfig& hardware, const RowCost& traffic) {
  const Dims& e = problem.extent;
  const VectorCost work = vector_cost(problem, e[0] * e[1] * e[2] * e[3]);
  Activity events;
  events[Event::vector_adds] = work.adds;
  events[Event::vector_multiplies] = work.multiplies;
  events[Event::vector_lookups] = work.lookups;
  events[Event::activation_buffer_reads] =
      ceil_div(work.read_bytes, hardware.activation_buffer.read_port_bytes);
  events[Event::activation_buffer_writes] =
      ceil_div(work.write_bytes, hardware.activation_buffer.write_port_bytes);
  add_transfer_events(events, traffic, hardware);
  return events;
}

constexpr std::array<const char*, kDims> kTileKeys = {mapping_keys::kTileBatch, mapping_keys::kTileRows,
                                                      mapping_keys::kTileColumns,
                                                      mapping_keys::kTileChannels};

class VectorEnumeration {
 public:
  VectorEnumeration(const VectorProblem& problem, const VectorMapping& residency,
                    const HardwareConfig& hardware, const MappingLimits& limits,
                    const Pinned<VectorMapping>* pin)
      : problem_(problem),
        mapping_(residency),
        hardware_(hardware),
        limits_(limits),
        pin_(pin),
        rates_(rates_of(limits, {})) {}

  MappingOptions<VectorMapping> run() {
    if (gives_tile()) {
      try_given_tile();
    } else {
      try_tiles();
    }
    if (!found_.needed.empty()) found_.rejection.reset();
    return std::move(found_);
  }

 private:
  [[nodiscard]] bool gives(std::string_view key) const { return pin_ != nullptr && pin_->gives(key); }
  [[nodiscard]] bool gives_tile() const {
    return std::ranges::any_of(kTileKeys, [this](const char* key) { return gives(key); });
  }

  void try_tiles() {
    mapping_.tile = problem_.extent;
    for (std::size_t d = 0; d < kDims; ++d) {
      if (problem_.extent[d] > 1 && !may_cut(problem_, d)) continue;
      for (const std::int64_t size : tile_sizes(problem_.extent[d])) {
        mapping_.tile[d] = size;
        try_candidate();
        if (!streams(mapping_)) return;  // nothing passes through slots: one tile
      }
    }
  }

  /// Given extents, any legal ones; of the others the candidates, and the whole extent.
  void try_given_tile() {
    Dims given = problem_.extent;
    for (std::size_t d = 0; d < kDims; ++d) {
      if (gives(kTileKeys[d])) given[d] = pin_->value.tile[d];
      const std::int64_t low = may_cut(problem_, d) ? 1 : problem_.extent[d];
      if (given[d] >= low && given[d] <= problem_.extent[d]) continue;
      found_.rejection =
          PinRejection{kTileKeys[d], std::to_string(given[d]),
                       low == problem_.extent[d]
                           ? fmt::format("{}: this dimension stays whole", low)
                           : fmt::format("{} to {}, the elements of the output", low, problem_.extent[d])};
      return;
    }
    for (std::size_t d = 0; d < kDims; ++d) {
      if (gives(kTileKeys[d]) || !may_cut(problem_, d)) continue;
      mapping_.tile = given;
      for (const std::int64_t size : tile_sizes(problem_.extent[d])) {
        mapping_.tile[d] = size;
        if (size < problem_.extent[d]) try_candidate();
      }
    }
    mapping_.tile = given;
    try_candidate();
  }

  void try_candidate() {
    // A single tile needs no second slot.
    mapping_.slots = VectorCursor(problem_, mapping_).steps() == 1 ? 1 : limits_.activation_slots;
    if (gives(mapping_keys::kSlots)) {
      mapping_.slots = pin_->value.slots;
      if (mapping_.slots < 1 || mapping_.slots > limits_.activation_slots) {
        found_.rejection =
            PinRejection{mapping_keys::kSlots, std::to_string(mapping_.slots),
                         fmt::format("1 to {}, the tile slots of a tensor that passes through the activation "
                                     "buffer",
                                     limits_.activation_slots)};
        return;
      }
    }
    const SpaceNeeded needed{0, 0, vector_tile_bytes(problem_, mapping_) * mapping_.slots};
    add_needed(found_.needed, needed);
    found_.options.push_back(
        {mapping_, vector_cost(problem_, mapping_, hardware_, limits_, rates_ ? &*rates_ : nullptr), needed});
  }

  const VectorProblem& problem_;
  VectorMapping mapping_;
  const HardwareConfig& hardware_;
  const MappingLimits& limits_;
  const Pinned<VectorMapping>* pin_;
  std::optional<EventRates> rates_;
  MappingOptions<VectorMapping> found_;
};

}  // namespace

MappingCost vector_cost(const VectorProblem& problem, const VectorMapping& mapping,
                        const HardwareConfig& hardware, const MappingLimits& limits,
                        const EventRates* rates) {
  const MemoryRate& memory = limits.memory;
  const std::int64_t tiles = VectorCursor(problem, mapping).steps();
  RowCost cost;
  std::int64_t first = 0;
  for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
    const bool is_fetched = fetches(mapping, i);
    if (mapping.inputs_resident[i] && !is_fetched) continue;
    const VectorInput& input = problem.inputs[i];
    const Dims tile = vector_input_tile(problem, mapping, i);
    const std::int64_t whole = dense_bytes(input.tensor.dims, input.tensor.layout.format);
    cost.inputs.add(is_fetched ? whole : input_bytes(problem, mapping, input), runs_of(input.tensor, tile),
                    memory.burst_bytes());
    cost.inputs.transfers += tiles;
    cost.inputs.pause_cycles += input_pauses(
        hardware.dma, memory, is_fetched ? whole : input_bytes(problem, mapping, input),
        arithmetic::packed_bytes(tile[kChannel], input.tensor.layout.format.bits), tile[kColumn]);
    if (!is_fetched) {
      cost.inputs.turns = tiles;
      cost.inputs.slots = mapping.slots;
    }
    first += dense_bytes(tile, input.tensor.layout.format);
  }
  const std::int64_t tile_cycles = lane_cycles(problem, mapping, hardware);
  cost.work_cycles = cost.busy_cycles = tiles * tile_cycles;
  if (first > 0) cost.first_cycles = memory.cycles(first) + memory.input_start();
  cost.tail_cycles = memory.latency_cycles() + tile_cycles;
  if (mapping.store_output) {
    cost.stores.add(dense_bytes(problem.extent, problem.output.layout.format),
                    runs_of(problem.output, mapping.tile), memory.burst_bytes());
    cost.stores.transfers = cost.stores.turns = tiles;
    if (!mapping.output_resident) cost.stores.slots = mapping.slots;
    cost.last_cycles = memory.writes().cycles(dense_bytes(mapping.tile, problem.output.layout.format)) +
                       memory.writes().latency_cycles() + memory.setup_cycles();
  }
  MappingCost found(cost, memory);
  if (rates != nullptr)
    found.energy_pj = rates->energy_pj(vector_events(problem, hardware, cost), found.cycles);
  return found;
}

std::int64_t vector_tile_bytes(const VectorProblem& problem, const VectorMapping& mapping) {
  std::int64_t bytes = mapping.output_resident ? 0 : dense_bytes(mapping.tile, problem.output.layout.format);
  for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
    if (mapping.inputs_resident[i]) continue;
    bytes += dense_bytes(vector_input_tile(problem, mapping, i), problem.inputs[i].tensor.layout.format);
  }
  return bytes;
}

Dims vector_input_tile(const VectorProblem& problem, const VectorMapping& mapping, std::size_t input) {
  const VectorInput& source = problem.inputs[input];
  Dims tile{};
  if (std::holds_alternative<arithmetic::ResizeFunction>(problem.function)) {
    const VectorCursor cursor(problem, mapping);
    tile = mapping.tile;
    for (const std::size_t d : {std::size_t{kRow}, std::size_t{kColumn}}) {
      tile[d] = 0;
      for (std::int64_t begin = 0; begin < problem.extent[d]; begin += mapping.tile[d]) {
        Box box{{}, {1, 1, 1, 1}};
        box.begin[d] = begin;
        box.end[d] = std::min(problem.extent[d], begin + mapping.tile[d]);
        tile[d] = std::max(tile[d], cursor.input_box(source, box).extent(d));
      }
    }
    return tile;
  }
  for (std::size_t d = 0; d < kDims; ++d) {
    const std::int64_t reach =
        (mapping.tile[source.source[d]] - 1) * std::abs(source.stride[d]) + problem.window[d];
    tile[d] = std::min(source.tensor.dims[d], reach);
  }
  return tile;
}

MappingOptions<VectorMapping> VectorSpace::candidates() const {
  return VectorEnumeration(problem_, residency_, hardware_, limits_, pin_).run();
}

}  // namespace qsim
