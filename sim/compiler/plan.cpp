#include "sim/compiler/plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>
#include <variant>

#include "sim/compiler/activation_map.h"
#include "sim/compiler/buffer_placement.h"
#include "sim/compiler/gemm_events.h"
#include "sim/compiler/row_mapper.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {

namespace {

/// Networks of more rows are planned with fewer capacities.
constexpr std::size_t kManyRows = 4096;
/// Rows that are mapped anew to see whether keeping a tensor pays: enough for every pair of layers in a
/// network of 360 layers, and growing in step with the rows above.
constexpr std::size_t kTrialsAtLeast = 65'536;
constexpr std::size_t kTrialsARow = 64;
/// Weights that stay may cost the first inference this part of its time.
constexpr double kWorthKeeping = 400.0;

class Planner {
 public:
  Planner(const Schedule& schedule, const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware,
          MappingMemo& mapper, const PlanPins& pins, std::vector<ChainLayout> chains)
      : schedule_(schedule),
        lowered_(lowered),
        hardware_(hardware),
        mapper_(mapper),
        pins_(pins),
        chains_(std::move(chains)),
        has_dram_(hardware.dram.kind != DramKind::none),
        map_(schedule, has_dram_),
        row_mapper_(schedule, lowered, hardware, mapper, pins, map_),
        memory_(hardware),
        rows_(lowered.size()) {
    map_.set_chains(chains_, lowered);
    row_mapper_.set_chains(chains_);
  }

  PlanOutcome run() {
    const bool in_ring = has_dram_ && hardware_.dma.weight_prefetch == WeightPrefetch::ring;
    if (in_ring || !pins_.weights_stay.empty()) return outcome(plan_with(given_weights(), in_ring));
    const std::int64_t capacity = hardware_.weight_buffer.capacity_bytes();
    std::vector<std::int64_t> bytes;
    bool all_may_stay = true;
    for (const LoweredRow& row : lowered_) {
      const bool has_weights = row.gemm() != nullptr && !row.gemm()->activation_weights;
      bytes.push_back(has_weights ? weight_bytes(row, hardware_, mapper_) : 0);
      all_may_stay &= row.gemm() == nullptr || has_weights;
    }
    const std::int64_t all = std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0});
    const bool all_fit = all_may_stay && all <= capacity;
    if (!has_dram_) {
      if (!all_fit) return outcome(std::nullopt);
      return outcome(plan_with(rows_that_stay(bytes, capacity, 0), false));
    }
    return outcome(with_weights_that_pay(bytes, all_fit));
  }

 private:
  PlanOutcome outcome(std::optional<MemoryPlan> plan) {
    if (plan) return {std::move(plan), std::nullopt};
    return {std::nullopt, misfit_ ? misfit_ : row_mapper_.misfit()};
  }

  [[nodiscard]] std::vector<bool> given_weights() const {
    std::vector<bool> stays(lowered_.size(), false);
    for (std::size_t row = 0; row < pins_.weights_stay.size(); ++row)
      stays[row] = pins_.weights_stay[row].value_or(false);
    return stays;
  }

  /// As many weights stay, for all inferences, as cost the first one next to nothing: all, or what
  /// leaves a share of the buffer to slots, or none.
  std::optional<MemoryPlan> with_weights_that_pay(const std::vector<std::int64_t>& bytes, bool all_fit) {
    const std::int64_t capacity = hardware_.weight_buffer.capacity_bytes();
    const std::vector<std::vector<bool>> choices =
        weights_that_may_stay(bytes, striped_rows(chains_, lowered_.size()), capacity, all_fit);
    std::vector<std::optional<MemoryPlan>> found;
    std::optional<double> least;
    for (const std::vector<bool>& stays : choices) {
      found.push_back(plan_with(stays, false));
      if (!found.back()) continue;
      const double cost = measure(found.back()->cost);
      least = std::min(least.value_or(cost), cost);
    }
    // A chip too small for slots for all is too small, as `check` says: some weights that stay might just do.
    if (!all_fit && !found.back()) return std::nullopt;
    for (std::optional<MemoryPlan>& plan : found) {
      if (plan && measure(plan->cost) <= *least + std::floor(*least / kWorthKeeping)) return std::move(plan);
    }
    return std::nullopt;
  }

  /// Nothing where something does not fit.
  std::optional<MemoryPlan> plan_with(std::vector<bool> weights_stay, bool in_ring) {
    plan_ = {};
    plan_weight_buffer(std::move(weights_stay));
    if (!search()) return std::nullopt;
    make_nests();
    if (in_ring)
      plan_.weights = cut_into_ring(plan_.weights, products(), hardware_.weight_buffer.capacity_bytes());
    if (!keep_weights()) return std::nullopt;
    plan_.chains = chains_;
    plan_.stays = map_.stays();
    plan_.address = map_.addresses();
    return plan_;
  }

  /// Keeping activations is greedy, and greed with more room can end worse. So smaller capacities are tried
  /// as well, always the same ones, and the best plan wins: then more room never costs more. False where some
  /// row does not even fit into the whole buffer.
  bool search() {
    row_mapper_.start(plan_.weights);
    const std::int64_t full = hardware_.activation_buffer.capacity_bytes();
    if (!try_capacity(full)) return false;
    MappingCost best_cost = plan_.cost;
    double best_total = total_with_weights();
    std::int64_t best_capacity = full;
    ActivationMap best_map = map_;
    auto best_rows = rows_;
    const std::int64_t quarters = rows_.size() > kManyRows ? 5 : 8;
    const bool is_free = has_dram_ && !hardware_.mapper.largest_tiles;
    for (std::int64_t octave = 1024; octave < full && is_free; octave *= 2) {
      for (std::int64_t quarter = 4; quarter < quarters; ++quarter) {
        const std::int64_t capacity = octave * quarter / 4;
        if (capacity >= full || !try_capacity(capacity) || total_with_weights() >= best_total) continue;
        best_cost = plan_.cost;
        best_total = total_with_weights();
        best_capacity = capacity;
        best_map = map_;
        best_rows = rows_;
      }
    }
    plan_.cost = best_cost;
    plan_.activation_bytes.clear();
    for (std::size_t r = 0; r < rows_.size(); ++r)
      plan_.activation_bytes.push_back(pins_.activation_bytes(r, best_capacity));
    map_ = std::move(best_map);
    rows_ = std::move(best_rows);
    return true;
  }

  /// What is minimized, with the loads of the weights that stay.
  [[nodiscard]] double total_with_weights() const {
    MappingCost cost = plan_.cost;
    add_weights(cost, plan_.weights.slots_begin);
    return measure(cost);
  }

  /// The loads of weights that stay.
  void add_weights(MappingCost& cost, std::int64_t bytes) const {
    if (!has_dram_) return;
    double pj = 0.0;
    if (const EnergyRates* energies = mapper_.mapper().energies(); energies != nullptr) {
      RowCost loads;
      loads.weights.add(bytes, {bytes, memory_.burst_bytes()}, memory_.burst_bytes());
      Activity events;
      add_transfer_events(events, loads, hardware_);
      pj = (*energies)({}).energy_pj(events, 0);
    }
    cost.add_beside(bytes, memory_, pj);
  }

  [[nodiscard]] double measure(const MappingCost& cost) const { return mapper_.measure()(cost); }

  /// Plans with the first `capacity` bytes of the activation buffer; false where something does not fit.
  bool try_capacity(std::int64_t capacity) {
    capacity_ = capacity;
    map_.clear();
    const std::vector<int> order = has_dram_ ? candidates() : std::vector<int>{};
    if (has_dram_ ? !keep_given(order) : !keep_everything()) return false;
    if (!map_rows()) return false;
    if (has_dram_) {
      trial_rows_left_ = kTrialsAtLeast + kTrialsARow * rows_.size();
      for (const int storage : order) {
        if (!given_stay(storage)) try_to_keep(storage, Stay::kept);
      }
      // Again, now that it is known what else stays.
      for (const int storage : order) {
        if (given_stay(storage) || map_.stay(storage) != Stay::in_dram) continue;
        if (!try_to_keep(storage, Stay::kept)) try_to_keep(storage, Stay::fetched);
      }
      if (!put_in_order(order)) return false;
    }
    plan_.cost = {};
    for (const auto& row : rows_) plan_.cost += row->cost;
    return true;
  }

  /// What lies between the rows of a chain alone stays, unless something else is given.
  [[nodiscard]] std::optional<Stay> given_stay(int storage) const {
    if (const std::optional<Stay> given = pins_.stay(storage)) return given;
    for (const ChainLayout& layout : chains_) {
      if (layout.rings.contains(storage)) return Stay::kept;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool may_fetch(int storage) const {
    return std::ranges::none_of(chains_, [&](const ChainLayout& layout) {
      return std::ranges::count(layout.not_fetched, storage) > 0;
    });
  }

  /// Places what stays anew, in the order in which mappings that are given are placed: so that a plan that is
  /// given back is the same. What no longer finds room passes through slots. False where rows do not fit.
  bool put_in_order(const std::vector<int>& order) {
    const std::vector<Stay> stays = map_.stays();
    if (place_all(order, stays) && map_rows()) return true;
    map_.clear();
    for (const int storage : order) {
      const Stay stay = stays[static_cast<std::size_t>(storage)];
      if (!place(storage, stay)) continue;
      const auto [first, last] = map_.lifetime(storage, stay);
      for (std::size_t row = first; row <= last; ++row) {
        if (row_mapper_.map_row(row, capacity_)) continue;
        map_.release(storage);
        break;
      }
    }
    return map_rows();
  }

  /// At the first address that is free; false where there is none, or nothing stays.
  bool place(int storage, Stay stay) {
    if (stay == Stay::in_dram) return false;
    const std::optional<std::int64_t> address = map_.place(storage, stay, capacity_);
    if (address) map_.keep(storage, stay, *address);
    return address.has_value();
  }

  bool place_all(const std::vector<int>& order, const std::vector<Stay>& stays) {
    map_.clear();
    return std::ranges::all_of(order, [&](int storage) {
      const Stay stay = stays[static_cast<std::size_t>(storage)];
      return stay == Stay::in_dram || place(storage, stay);
    });
  }

  bool map_rows() {
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      rows_[r] = row_mapper_.map_row(r, capacity_);
      if (!rows_[r]) return false;
    }
    return true;
  }

  /// Slots in what the weights that stay leave free, where others pass through them.
  void plan_weight_buffer(std::vector<bool> stays) {
    std::int64_t resident = 0;
    bool all_stay = true;
    for (std::size_t row = 0; row < lowered_.size(); ++row) {
      if (lowered_[row].gemm() == nullptr) continue;
      all_stay &= stays[row];
      if (stays[row]) resident += weight_bytes(lowered_[row], hardware_, mapper_);
    }
    const std::int64_t free = std::max<std::int64_t>(0, hardware_.weight_buffer.capacity_bytes() - resident);
    plan_.weights = cut_into_slots(all_stay ? 0 : free, hardware_.weight_buffer.double_buffered,
                                   all_stay ? 0 : least_parameter_bytes(lowered_, hardware_, mapper_, pins_));
    if (all_stay) plan_.weights.slots = 0;
    plan_.weights.slots_begin = aligned_bytes(resident);
    plan_.weights.stays = std::move(stays);
  }

  // What the search has left.

  void make_nests() {
    plan_.nests.clear();
    plan_.row_costs.clear();
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      plan_.row_costs.push_back(rows_[row]->cost);
      std::vector<NestPlan>& nests = plan_.nests.emplace_back();
      for (std::size_t n = 0; n < rows_[row]->nests.size(); ++n) {
        const NestChoice& choice = rows_[row]->nests[n];
        std::visit([&](const auto& option) { nests.emplace_back(place(option, row, n, choice.slots_begin)); },
                   choice.option);
      }
    }
  }
  [[nodiscard]] GemmPlan place(const MappingOption<GemmMapping>* option, std::size_t row, std::size_t n,
                               std::int64_t address) const {
    const LoweredRow& lowered = lowered_[row];
    return {option->mapping, place_in_buffers(*lowered.gemm(), option->mapping, lowered, n, map_, address)};
  }
  [[nodiscard]] VectorPlan place(const MappingOption<VectorMapping>* option, std::size_t row, std::size_t n,
                                 std::int64_t address) const {
    const LoweredRow& lowered = lowered_[row];
    const auto& problem = *std::get<std::shared_ptr<const VectorProblem>>(lowered.problems[n]);
    return {option->mapping, place_in_buffers(problem, option->mapping, lowered, n, map_, address)};
  }
  [[nodiscard]] static HostMapping place(HostMapping mapping, std::size_t /*row*/, std::size_t /*n*/,
                                         std::int64_t /*address*/) {
    return mapping;
  }

  /// The products of all rows, as make_nests() left them.
  [[nodiscard]] std::vector<MappedGemm> products() const {
    std::vector<MappedGemm> found;
    for (std::size_t row = 0; row < plan_.nests.size(); ++row) {
      if (const GemmProblem* gemm = lowered_[row].gemm(); gemm != nullptr)
        found.push_back({gemm, &std::get<GemmPlan>(plan_.nests[row][0]).mapping});
    }
    return found;
  }

  /// False where the weights that stay, as they are cut, do not fit before the slots.
  bool keep_weights() {
    std::int64_t payload = 0;
    const std::int64_t bytes = place_resident_weights(lowered_, plan_.nests, payload);
    add_weights(plan_.cost, payload);
    const std::int64_t room =
        plan_.weights.slots > 0 ? plan_.weights.slots_begin : hardware_.weight_buffer.capacity_bytes();
    if (bytes > room && pins_.any())
      misfit_ = PinMisfit{std::nullopt, "weights of " + std::to_string(bytes) + " bytes in the weight buffer",
                          "at most " + std::to_string(room)};
    return bytes <= room;
  }

  // What stays in the activation buffer.

  /// Most reads saved per row of occupancy first.
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
      if (may_stay(storage, Stay::kept, hardware_) || may_stay(storage, Stay::fetched, hardware_))
        order.push_back(static_cast<int>(s));
    }
    const auto density = [&](int s) {
      const Storage& storage = schedule_.storages[static_cast<std::size_t>(s)];
      const int first = storage.first_row < 0 ? storage.first_reader : storage.first_row;
      return static_cast<double>(1 + reads[static_cast<std::size_t>(s)]) /
             static_cast<double>(storage.last_row - first + 1);
    };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return density(a) > density(b); });
    return order;
  }

  /// What is to stay takes its place first, each the first that is free: so the same tensors always lie at
  /// the same addresses.
  bool keep_given(const std::vector<int>& order) {
    for (const int storage : order) {
      const Stay stay = given_stay(storage).value_or(Stay::in_dram);
      if (stay == Stay::in_dram) continue;
      const std::optional<std::int64_t> address = map_.place(storage, stay, capacity_);
      if (!address) {
        const Storage& kept = schedule_.storages[static_cast<std::size_t>(storage)];
        misfit_ =
            PinMisfit{static_cast<std::size_t>(stay == Stay::kept ? kept.first_row : kept.first_reader),
                      "a tensor of " + std::to_string(kept.bytes) + " bytes in the activation buffer",
                      "room for it beside what else is to stay in " + std::to_string(capacity_) + " bytes"};
        return false;
      }
      map_.keep(storage, stay, *address);
    }
    return true;
  }

  /// Keeps a storage on the chip if all rows during its life still fit and their cost together falls.
  bool try_to_keep(int storage, Stay stay) {
    if (!may_stay(schedule_.storages[static_cast<std::size_t>(storage)], stay, hardware_)) return false;
    if (stay == Stay::fetched && !may_fetch(storage)) return false;
    const std::optional<std::int64_t> address = map_.place(storage, stay, capacity_);
    if (!address) return false;
    const auto [first, last] = map_.lifetime(storage, stay);
    if (last + 1 - first > trial_rows_left_) return false;
    trial_rows_left_ -= last + 1 - first;
    map_.keep(storage, stay, *address);
    std::vector<std::optional<RowMapping>> trial;
    MappingCost before;
    MappingCost after;
    for (std::size_t row = first; row <= last; ++row) {
      trial.push_back(row_mapper_.map_row(row, capacity_));
      if (!trial.back()) break;
      before += rows_[row]->cost;
      after += trial.back()->cost;
    }
    if (!trial.back() || measure(after) >= measure(before)) {
      map_.release(storage);
      return false;
    }
    for (std::size_t row = first; row <= last; ++row) rows_[row] = std::move(trial[row - first]);
    return true;
  }

  bool keep_everything() {
    for (std::size_t s = 0; s < schedule_.storages.size(); ++s) {
      const auto storage = static_cast<int>(s);
      if (schedule_.storages[s].is_passed) continue;
      const std::optional<std::int64_t> address = map_.place(storage, Stay::kept, capacity_);
      if (!address) return false;
      map_.keep(storage, Stay::kept, *address);
    }
    return true;
  }

  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  MappingMemo& mapper_;
  const PlanPins& pins_;
  std::vector<ChainLayout> chains_;
  bool has_dram_;
  ActivationMap map_;
  RowMapper row_mapper_;
  MemoryRate memory_;
  std::size_t trial_rows_left_ = 0;  ///< Rows that try_to_keep() may still map during the present try.
  std::int64_t capacity_ = 0;        ///< Bytes of the activation buffer in use by the present try.
  MemoryPlan plan_;
  std::optional<PinMisfit> misfit_;
  std::vector<std::optional<RowMapping>> rows_;
};

}  // namespace

PlanOutcome make_plan(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                      const HardwareConfig& hardware, MappingMemo& mapper, const PlanPins& pins,
                      std::vector<ChainLayout> chains) {
  return Planner(schedule, lowered, hardware, mapper, pins, std::move(chains)).run();
}

}  // namespace qsim
