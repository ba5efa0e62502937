#include "sim/compiler/memory_map.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/activation_map.h"
#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/vector_space.h"

namespace qsim {

namespace {

class MapMaker {
 public:
  MapMaker(const Graph& graph, const Schedule& schedule, const std::vector<LoweredRow>& lowered,
           const MemoryPlan& plan, const HardwareConfig& hardware)
      : graph_(graph), schedule_(schedule), lowered_(lowered), plan_(plan), hardware_(hardware) {}

  MemoryMap run(const std::vector<Nest>& nests) {
    for (const ScheduledOp& row : schedule_.rows) map_.rows.push_back(graph_.nodes[row.nodes.back()].name);
    map_.activation_buffer.capacity_bytes = hardware_.activation_buffer.capacity_bytes();
    map_.weight_buffer.capacity_bytes = hardware_.weight_buffer.capacity_bytes();
    add_tensors();
    add_weight_slots();
    std::size_t part = 0;
    std::int32_t row = -1;
    for (const Nest& nest : nests) {
      std::visit(
          [&](const auto& own) {
            // Of a row in stripes one stands for all.
            if (!own.window.is_all() && own.window.begin > 0) return;
            part = own.row == row ? part + 1 : 0;
            row = own.row;
            add(own, part);
          },
          nest);
    }
    finish_map(map_.activation_buffer, map_.rows.size());
    finish_map(map_.weight_buffer, map_.rows.size());
    return std::move(map_);
  }

 private:
  [[nodiscard]] const std::string& name_of(int storage) const {
    return graph_.tensor(schedule_.storages[static_cast<std::size_t>(storage)].root).name;
  }
  [[nodiscard]] std::size_t last_row() const { return map_.rows.empty() ? 0 : map_.rows.size() - 1; }

  /// Tensors that stay.
  void add_tensors() {
    ActivationMap lives(schedule_, hardware_.dram.kind != DramKind::none);
    lives.set_chains(plan_.chains, lowered_);
    lives.allow_in_place(lowered_);
    for (std::size_t s = 0; s < schedule_.storages.size(); ++s) {
      if (plan_.stays[s] != Stay::in_dram) lives.keep(static_cast<int>(s), plan_.stays[s], plan_.address[s]);
    }
    for (std::size_t s = 0; s < schedule_.storages.size(); ++s) {
      const Stay stay = plan_.stays[s];
      if (stay == Stay::in_dram) continue;
      const auto storage = static_cast<int>(s);
      const auto [first, last] = lives.lifetime(storage, stay);
      const MemoryUse use = stay == Stay::fetched        ? MemoryUse::fetched
                            : lives.is_in_place(storage) ? MemoryUse::in_place
                                                         : MemoryUse::kept;
      map_.activation_buffer.ranges.push_back(
          {name_of(storage), use, plan_.address[s], lives.bytes(storage, stay), 0, first, last});
    }
  }

  /// Slots that all rows share whose weights do not stay.
  void add_weight_slots() {
    const WeightBufferPlan& weights = plan_.weights;
    const auto add = [&](MemoryUse use, std::int64_t address, std::int64_t slot_bytes) {
      if (weights.slots * slot_bytes > 0)
        map_.weight_buffer.ranges.push_back(
            {"", use, address, weights.slots * slot_bytes, weights.slots, 0, last_row()});
    };
    add(MemoryUse::parameter_slots, weights.slots_begin, weights.parameter_slot_bytes);
    add(MemoryUse::weight_slots, weights.slots_begin + weights.slots * weights.parameter_slot_bytes,
        weights.weight_slot_bytes);
  }

  void add(const GemmNest& nest, std::size_t part) {
    const GemmProblem& problem = nest.problem();
    const auto row = static_cast<std::size_t>(nest.row);
    const std::vector<int>& inputs = lowered_[row].inputs[part];
    const TileBytes tile = gemm_tile_bytes(problem, nest.mapping(), GemmCursor(nest));
    add_slots(MemoryUse::input_slots, nest.placement().input, tile.input, inputs[0], row, part);
    if (problem.addend() != nullptr)
      add_slots(MemoryUse::addend_slots, nest.placement().addend, tile.addend, inputs.back(), row, part);
    add_slots(MemoryUse::output_slots, nest.placement().output, tile.output, lowered_[row].output, row, part);
    const std::int64_t sums = waiting_sum_bytes(nest.mapping(), GemmCursor(nest), hardware_.accumulators);
    if (sums > 0)
      map_.activation_buffer.ranges.push_back({name_of(lowered_[row].output), MemoryUse::partial_sums,
                                               nest.placement().sums_base, sums, 1, row, row, part});
    if (!nest.mapping().weights_resident) return;
    const auto add_stay = [&](MemoryUse use, std::int64_t address, std::int64_t bytes) {
      map_.weight_buffer.ranges.push_back({map_.rows[row], use, address, bytes, 0, 0, last_row()});
    };
    add_stay(MemoryUse::parameters, nest.placement().parameters_base,
             nest.placement().parameter_blocks.back());
    add_stay(MemoryUse::weights, nest.placement().weights_base, nest.placement().weight_blocks.back());
  }

  void add(const VectorNest& nest, std::size_t part) {
    const VectorProblem& problem = nest.problem();
    const auto row = static_cast<std::size_t>(nest.row);
    const auto bytes = [](const Dims& tile, const TensorView& tensor) {
      return dense_bytes(tile, tensor.layout.format, tensor.pixel_granule);
    };
    for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
      add_slots(MemoryUse::input_slots, nest.placement().inputs[i],
                bytes(vector_input_tile(problem, nest.mapping(), i), problem.inputs[i].tensor),
                lowered_[row].inputs[part][i], row, part);
    }
    add_slots(MemoryUse::output_slots, nest.placement().output, bytes(nest.mapping().tile, problem.output),
              lowered_[row].output, row, part);
  }

  static void add(const HostNest& /*nest*/, std::size_t /*part*/) {}

  /// Slots of a tensor lie one behind the other.
  void add_slots(MemoryUse use, const Placement& placement, std::int64_t slot_bytes, int storage,
                 std::size_t row, std::size_t part) {
    if (placement.resident || placement.slots.empty()) return;
    const auto slots = static_cast<std::int64_t>(placement.slots.size());
    map_.activation_buffer.ranges.push_back(
        {name_of(storage), use, placement.slots.front(), slots * slot_bytes, slots, row, row, part});
  }

  const Graph& graph_;
  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const MemoryPlan& plan_;
  const HardwareConfig& hardware_;
  MemoryMap map_;
};

}  // namespace

void finish_map(BufferMap& map, std::size_t rows) {
  std::ranges::stable_sort(map.ranges, {}, [](const MemoryRange& range) {
    return std::tuple(range.first_row, range.part, range.address);
  });
  // Changes from row to row, and what slots add in each part of a row.
  std::vector<std::int64_t> change(rows + 1, 0);
  std::map<std::pair<std::size_t, std::size_t>, std::int64_t> of_slots;
  std::vector<std::int64_t> most_of_slots(rows + 1, 0);
  for (const MemoryRange& range : map.ranges) {
    if (range.slots > 0 && range.first_row == range.last_row) {
      std::int64_t& bytes = of_slots[{range.first_row, range.part}];
      bytes += range.bytes;
      most_of_slots[range.first_row] = std::max(most_of_slots[range.first_row], bytes);
    } else {
      // What takes another's place is counted once that is gone.
      change[range.first_row + (range.use == MemoryUse::in_place ? 1 : 0)] += range.bytes;
      change[range.last_row + 1] -= range.bytes;
    }
  }
  std::int64_t stays = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    stays += change[row];
    if (stays + most_of_slots[row] <= map.peak_bytes) continue;
    map.peak_bytes = stays + most_of_slots[row];
    map.peak_row = row;
  }
}

MemoryMap make_memory_map(const Graph& graph, const Schedule& schedule,
                          const std::vector<LoweredRow>& lowered, const MemoryPlan& plan,
                          const HardwareConfig& hardware, const std::vector<Nest>& nests) {
  return MapMaker(graph, schedule, lowered, plan, hardware).run(nests);
}

}  // namespace qsim
