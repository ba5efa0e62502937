#include "sim/compiler/plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "hw_models/nest_cursor.h"
#include "workloads/error.h"

namespace qsim {

namespace {

/// Tiles start at multiples of this in buffers.
constexpr std::int64_t kAlignment = 64;
/// Share of the weight buffer that each parameter slot takes where the rows do not need more.
constexpr std::int64_t kParameterShare = 16;

std::int64_t aligned(std::int64_t bytes) {
  return ceil_div(bytes, kAlignment) * kAlignment;
}

std::int64_t kib_for(std::int64_t bytes) {
  return ceil_div(bytes, 1024);
}

/// Weights and parameters of all rows, whole.
std::int64_t all_weight_bytes(const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware) {
  std::int64_t bytes = 0;
  for (const LoweredRow& row : lowered) {
    const auto* gemm = std::get_if<GemmNest>(&row.nests[0]);
    if (gemm == nullptr) continue;
    GemmNest whole = *gemm;
    whole.input.resident = whole.output.resident = whole.weights_resident = true;
    whole = map_gemm(whole, hardware, {}).options.front().nest;
    const GemmCursor cursor(whole);
    for (std::int64_t block = 0; block < cursor.blocks(); ++block) {
      const auto [begin, end] = cursor.block_channels(block);
      bytes += whole.parameters.block_bytes(end - begin);
      for (std::int64_t part = 0; part < cursor.parts(); ++part) bytes += cursor.block_bytes(block, part);
    }
    bytes += 2 * kAlignment;
  }
  return bytes;
}

/// Parameters of the smallest block of any row: one column tile.
std::int64_t least_parameter_bytes(const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware) {
  std::int64_t bytes = 0;
  for (const LoweredRow& row : lowered) {
    const auto* gemm = std::get_if<GemmNest>(&row.nests[0]);
    if (gemm != nullptr) bytes = std::max(bytes, map_gemm(*gemm, hardware, {}).needed.parameter_slot_bytes);
  }
  return bytes;
}

class Planner {
 public:
  Planner(const Graph& graph, const Schedule& schedule, const std::vector<LoweredRow>& lowered,
          const HardwareConfig& hardware)
      : graph_(graph), schedule_(schedule), lowered_(lowered), hardware_(hardware) {
    plan_.resident.assign(schedule.storages.size(), false);
    plan_.address.assign(schedule.storages.size(), 0);
    rows_.resize(lowered.size());
  }

  MemoryPlan run() {
    plan_weight_buffer();
    search();
    if (plan_.weights.resident && !place_resident_weights()) {
      // Cutting the reduction of some layer rounds its weights up to more bytes than they have uncut.
      plan_.weights.resident = false;
      plan_weight_slots();
      search();
    }
    for (auto& row : rows_) plan_.nests.push_back(std::move(row->nests));
    return std::move(plan_);
  }

 private:
  struct RowMapping {
    std::vector<Nest> nests;
    MappingCost cost;
  };

  template <typename NestType>
  using OptionsCache =
      std::map<std::tuple<std::size_t, std::size_t, std::vector<bool>>, MappingOptions<NestType>>;

  /// Keeping activations is greedy, and greed with more room can end worse. So smaller capacities are tried
  /// as well, always the same ones, and the best plan wins: then more room never costs more.
  void search() {
    limits_ = {plan_.weights.weight_slot_bytes, plan_.weights.parameter_slot_bytes,
               hardware_.activation_buffer.double_buffered ? 2 : 1, hardware_.dram.burst_bytes};
    std::get<0>(caches_).clear();
    std::get<1>(caches_).clear();
    const std::int64_t full = hardware_.activation_buffer.capacity_bytes();
    try_capacity(full);
    MemoryPlan best = plan_;
    auto best_rows = rows_;
    for (std::int64_t octave = 1024; octave < full && hardware_.dram.kind != DramKind::none; octave *= 2) {
      for (std::int64_t quarter = 4; quarter < 8; ++quarter) {
        const std::int64_t capacity = octave * quarter / 4;
        if (capacity >= full || !try_capacity(capacity) || plan_.cost.total() >= best.cost.total()) continue;
        best = plan_;
        best_rows = rows_;
      }
    }
    plan_ = std::move(best);
    rows_ = std::move(best_rows);
  }

  /// Plans with the first `capacity` bytes of the activation buffer; false where some row does not fit. With
  /// the whole buffer that is an error.
  bool try_capacity(std::int64_t capacity) {
    capacity_ = capacity;
    std::fill(plan_.resident.begin(), plan_.resident.end(), false);
    const bool must = capacity == hardware_.activation_buffer.capacity_bytes();
    if (hardware_.dram.kind == DramKind::none) keep_everything();
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      rows_[r] = map_row(r, must);
      if (!rows_[r]) return false;
    }
    if (hardware_.dram.kind != DramKind::none) {
      for (const int storage : candidates()) try_to_keep(storage);
    }
    plan_.cost = {};
    for (const auto& row : rows_) plan_.cost += row->cost;
    return true;
  }

  [[noreturn]] void fail(std::size_t row, const std::string& field, std::int64_t have_kib,
                         std::int64_t need_kib, const std::string& what) const {
    const Node& node = graph_.nodes[schedule_.rows[row].node];
    throw InputError(Problem{graph_.source, node.place.empty() ? node.name : node.place,
                             field + " of " + std::to_string(have_kib) + " KiB",
                             "at least " + std::to_string(need_kib) + " KiB for " + what,
                             "raise " + field + " to " + std::to_string(need_kib)});
  }

  void plan_weight_buffer() {
    WeightBufferPlan& weights = plan_.weights;
    const std::int64_t capacity = hardware_.weight_buffer.capacity_bytes();
    const std::int64_t all = all_weight_bytes(lowered_, hardware_);
    weights.resident = all <= capacity;
    if (weights.resident) return;
    if (hardware_.dram.kind == DramKind::none) {
      fail(0, "weight_buffer.capacity_kib", hardware_.weight_buffer.capacity_kib, kib_for(all),
           "the weights of all layers, which a chip without DRAM holds");
    }
    plan_weight_slots();
  }

  void plan_weight_slots() {
    WeightBufferPlan& weights = plan_.weights;
    const std::int64_t capacity = hardware_.weight_buffer.capacity_bytes();
    weights.slots = hardware_.weight_buffer.double_buffered ? 2 : 1;
    weights.parameter_slot_bytes =
        aligned(std::max(capacity / kParameterShare, least_parameter_bytes(lowered_, hardware_)));
    weights.weight_slot_bytes =
        std::max<std::int64_t>(0, capacity / weights.slots - weights.parameter_slot_bytes) / kAlignment *
        kAlignment;
  }

  /// Rows during which a storage lives.
  [[nodiscard]] std::pair<std::size_t, std::size_t> lifetime(int storage) const {
    const Storage& s = schedule_.storages[static_cast<std::size_t>(storage)];
    if (hardware_.dram.kind == DramKind::none && (s.first_row < 0 || s.is_graph_output)) {
      return {static_cast<std::size_t>(std::max(0, s.first_row)), lowered_.size() - 1};
    }
    return {static_cast<std::size_t>(std::max(0, s.first_row)),
            static_cast<std::size_t>(std::max(s.first_row, s.last_row))};
  }

  /// Free intervals of the activation buffer that no resident storage overlaps during [first, last].
  [[nodiscard]] std::vector<std::pair<std::int64_t, std::int64_t>> free_intervals(std::size_t first,
                                                                                  std::size_t last) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> taken;
    for (std::size_t s = 0; s < plan_.resident.size(); ++s) {
      if (!plan_.resident[s]) continue;
      const auto [begin, end] = lifetime(static_cast<int>(s));
      if (end < first || begin > last) continue;
      taken.emplace_back(plan_.address[s], plan_.address[s] + aligned(schedule_.storages[s].bytes));
    }
    std::sort(taken.begin(), taken.end());
    std::vector<std::pair<std::int64_t, std::int64_t>> free;
    std::int64_t cursor = 0;
    for (const auto& [begin, end] : taken) {
      if (begin > cursor) free.emplace_back(cursor, begin);
      cursor = std::max(cursor, end);
    }
    if (cursor < capacity_) free.emplace_back(cursor, capacity_);
    return free;
  }

  /// First address at which `bytes` are free during a storage's life.
  [[nodiscard]] std::optional<std::int64_t> place(int storage) const {
    const auto [first, last] = lifetime(storage);
    const std::int64_t bytes = aligned(schedule_.storages[static_cast<std::size_t>(storage)].bytes);
    for (const auto& [begin, end] : free_intervals(first, last)) {
      if (end - begin >= bytes) return begin;
    }
    return std::nullopt;
  }

  void set_placement(Placement& placement, int storage) const {
    const auto index = static_cast<std::size_t>(storage);
    placement.resident = plan_.resident[index];
    if (placement.resident) {
      placement.buffer = placement.dram;
      placement.buffer.base = plan_.address[index];
    }
  }

  /// Maps a row with the present residency into the largest gap that it leaves. Throws where `must` and
  /// nothing fits; otherwise nothing.
  std::optional<RowMapping> map_row(std::size_t row, bool must) {
    std::pair<std::int64_t, std::int64_t> gap{0, 0};
    for (const auto& interval : free_intervals(row, row)) {
      if (interval.second - interval.first > gap.second - gap.first) gap = interval;
    }
    RowMapping mapping;
    for (std::size_t n = 0; n < lowered_[row].nests.size(); ++n) {
      const bool mapped =
          std::visit([&](const auto& problem) { return map_nest(problem, row, n, gap, must, mapping); },
                     lowered_[row].nests[n]);
      if (!mapped) return std::nullopt;
    }
    return mapping;
  }

  template <typename NestType>
  bool map_nest(const NestType& problem, std::size_t row, std::size_t n,
                std::pair<std::int64_t, std::int64_t> gap, bool must, RowMapping& mapping) {
    const MappingOptions<NestType>& options = options_of(problem, row, n);
    const MappingOption<NestType>* option = options.best(gap.second - gap.first);
    if (option == nullptr) {
      if (must) explain(row, options.needed);
      return false;
    }
    NestType nest = option->nest;
    set_residency(nest, row, n);
    place_slots(nest, limits_.activation_slots, gap.first);
    mapping.cost += option->cost;
    mapping.nests.emplace_back(std::move(nest));
    return true;
  }

  /// Candidates of a nest; they depend on which of its tensors are resident, not on where.
  template <typename NestType>
  const MappingOptions<NestType>& options_of(const NestType& problem, std::size_t row, std::size_t n) {
    std::vector<bool> key;
    for (const int storage : lowered_[row].inputs[n])
      key.push_back(plan_.resident[static_cast<std::size_t>(storage)]);
    key.push_back(plan_.resident[static_cast<std::size_t>(lowered_[row].output)]);
    auto& cache = std::get<OptionsCache<NestType>>(caches_);
    const auto [entry, missing] = cache.try_emplace({row, n, std::move(key)});
    if (missing) {
      NestType nest = problem;
      set_residency(nest, row, n);
      entry->second = map(nest);
    }
    return entry->second;
  }

  [[nodiscard]] MappingOptions<GemmNest> map(const GemmNest& problem) const {
    return map_gemm(problem, hardware_, limits_);
  }
  [[nodiscard]] MappingOptions<VectorNest> map(const VectorNest& problem) const {
    return map_vector(problem, limits_);
  }

  /// Parameters and weights of all rows one behind the other; false where they do not fit.
  bool place_resident_weights() {
    std::int64_t address = 0;
    for (auto& row : rows_) {
      auto* nest = std::get_if<GemmNest>(&row->nests[0]);
      if (nest == nullptr) continue;
      const GemmCursor cursor(*nest);
      std::int64_t parameters = 0;
      std::int64_t weights = 0;
      for (std::int64_t block = 0; block < cursor.blocks(); ++block) {
        const auto [begin, end] = cursor.block_channels(block);
        parameters += nest->parameters.block_bytes(end - begin);
        for (std::int64_t part = 0; part < cursor.parts(); ++part) weights += cursor.block_bytes(block, part);
      }
      nest->parameters_base = address;
      nest->weights_base = address + aligned(parameters);
      if (nest->weights_loaded) plan_.cost.dram_bytes += parameters + weights;
      address = nest->weights_base + aligned(weights);
    }
    return address <= hardware_.weight_buffer.capacity_bytes();
  }

  [[nodiscard]] bool stores(int output) const {
    const auto index = static_cast<std::size_t>(output);
    return hardware_.dram.kind != DramKind::none &&
           (!plan_.resident[index] || schedule_.storages[index].is_graph_output);
  }

  void set_residency(GemmNest& nest, std::size_t row, std::size_t n) const {
    set_placement(nest.input, lowered_[row].inputs[n][0]);
    set_placement(nest.output, lowered_[row].output);
    nest.store_output = stores(lowered_[row].output);
    nest.weights_resident = plan_.weights.resident;
    nest.weights_loaded = hardware_.dram.kind != DramKind::none;
  }
  void set_residency(VectorNest& nest, std::size_t row, std::size_t n) const {
    for (std::size_t i = 0; i < nest.inputs.size(); ++i) {
      set_placement(nest.inputs[i].placement, lowered_[row].inputs[n][i]);
    }
    set_placement(nest.output, lowered_[row].output);
    nest.store_output = stores(lowered_[row].output);
  }

  /// The least space that every row of the network can run in, so that raising the field once is enough.
  [[nodiscard]] SpaceNeeded needed_by_all() {
    SpaceNeeded all;
    for (std::size_t row = 0; row < lowered_.size(); ++row) {
      for (std::size_t n = 0; n < lowered_[row].nests.size(); ++n) {
        const SpaceNeeded needed = std::visit(
            [&](const auto& problem) { return options_of(problem, row, n).needed; }, lowered_[row].nests[n]);
        all.weight_slot_bytes = std::max(all.weight_slot_bytes, needed.weight_slot_bytes);
        all.parameter_slot_bytes = std::max(all.parameter_slot_bytes, needed.parameter_slot_bytes);
        all.activation_bytes = std::max(all.activation_bytes, needed.activation_bytes);
      }
    }
    return all;
  }

  [[noreturn]] void explain(std::size_t row, const SpaceNeeded& needed) {
    const SpaceNeeded all = needed_by_all();
    if (needed.weight_slot_bytes > limits_.weight_slot_bytes ||
        needed.parameter_slot_bytes > limits_.parameter_slot_bytes) {
      const std::int64_t bytes =
          plan_.weights.slots *
          (aligned(all.weight_slot_bytes) +
           aligned(std::max(all.parameter_slot_bytes, plan_.weights.parameter_slot_bytes)) + kAlignment);
      fail(row, "weight_buffer.capacity_kib", hardware_.weight_buffer.capacity_kib, kib_for(bytes),
           "one column tile of weights and parameters of every layer in " +
               std::to_string(plan_.weights.slots) + " slot(s)");
    }
    fail(row, "activation_buffer.capacity_kib", hardware_.activation_buffer.capacity_kib,
         kib_for(all.activation_bytes), "the smallest tiles of every layer");
  }

  /// Slots of a tile of extents `tile`, one behind the other from `address`.
  static void place_tile(Placement& placement, const Dims& tile, std::int64_t slots, std::int64_t& address) {
    if (placement.resident) return;
    placement.buffer = dense_layout(tile, placement.dram.format, 0);
    placement.slots.clear();
    for (std::int64_t s = 0; s < slots; ++s) {
      placement.slots.push_back(address);
      address += dense_bytes(tile, placement.dram.format);
    }
  }

  static void place_slots(GemmNest& nest, std::int64_t most_slots, std::int64_t address) {
    const std::int64_t slots = GemmCursor(nest).steps() == 1 ? 1 : most_slots;
    place_tile(nest.input, gemm_input_tile(nest), slots, address);
    place_tile(nest.output, gemm_output_tile(nest), slots, address);
  }
  static void place_slots(VectorNest& nest, std::int64_t most_slots, std::int64_t address) {
    const std::int64_t slots = VectorCursor(nest).steps() == 1 ? 1 : most_slots;
    for (std::size_t i = 0; i < nest.inputs.size(); ++i) {
      place_tile(nest.inputs[i].placement, vector_input_tile(nest, i), slots, address);
    }
    place_tile(nest.output, nest.tile, slots, address);
  }

  /// Storages that could stay: made and read on the chip. Most reads saved per row of occupancy first.
  [[nodiscard]] std::vector<int> candidates() const {
    std::vector<int> reads(schedule_.storages.size(), 0);
    for (const LoweredRow& row : lowered_) {
      for (const auto& inputs : row.inputs) {
        for (const int storage : inputs) ++reads[static_cast<std::size_t>(storage)];
      }
    }
    std::vector<int> order;
    for (std::size_t s = 0; s < schedule_.storages.size(); ++s) {
      const Storage& storage = schedule_.storages[s];
      if (storage.first_row >= 0 && storage.last_row > storage.first_row)
        order.push_back(static_cast<int>(s));
    }
    const auto density = [&](int s) {
      const Storage& storage = schedule_.storages[static_cast<std::size_t>(s)];
      return static_cast<double>(1 + reads[static_cast<std::size_t>(s)]) /
             static_cast<double>(storage.last_row - storage.first_row + 1);
    };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return density(a) > density(b); });
    return order;
  }

  /// Keeps a storage on the chip if all rows during its life still fit and their cost together falls.
  void try_to_keep(int storage) {
    const std::optional<std::int64_t> address = place(storage);
    if (!address) return;
    const auto index = static_cast<std::size_t>(storage);
    plan_.resident[index] = true;
    plan_.address[index] = *address;
    const auto [first, last] = lifetime(storage);
    std::vector<std::optional<RowMapping>> trial;
    MappingCost before;
    MappingCost after;
    for (std::size_t row = first; row <= last; ++row) {
      trial.push_back(map_row(row, false));
      if (!trial.back()) break;
      before += rows_[row]->cost;
      after += trial.back()->cost;
    }
    if (!trial.back() || after.total() >= before.total()) {
      plan_.resident[index] = false;
      return;
    }
    for (std::size_t row = first; row <= last; ++row) rows_[row] = std::move(trial[row - first]);
  }

  void keep_everything() {
    std::int64_t total = 0;
    for (std::size_t s = 0; s < schedule_.storages.size(); ++s) {
      const std::optional<std::int64_t> address = place(static_cast<int>(s));
      total += aligned(schedule_.storages[s].bytes);
      if (!address) {
        // What is enough without any reuse of space.
        for (std::size_t rest = s + 1; rest < schedule_.storages.size(); ++rest) {
          total += aligned(schedule_.storages[rest].bytes);
        }
        fail(static_cast<std::size_t>(std::max(0, schedule_.storages[s].first_row)),
             "activation_buffer.capacity_kib", hardware_.activation_buffer.capacity_kib, kib_for(total),
             "all activations, which a chip without DRAM holds");
      }
      plan_.resident[s] = true;
      plan_.address[s] = *address;
    }
  }

  const Graph& graph_;
  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  MappingLimits limits_;
  std::int64_t capacity_ = 0;  ///< Bytes of the activation buffer in use by the present try.
  MemoryPlan plan_;
  std::vector<std::optional<RowMapping>> rows_;
  std::tuple<OptionsCache<GemmNest>, OptionsCache<VectorNest>> caches_;
};

}  // namespace

MemoryPlan make_plan(const Graph& graph, const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                     const HardwareConfig& hardware) {
  return Planner(graph, schedule, lowered, hardware).run();
}

}  // namespace qsim
