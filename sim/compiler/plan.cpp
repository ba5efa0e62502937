#include "sim/compiler/plan.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <optional>
#include <utility>
#include <variant>

#include "sim/compiler/activation_map.h"
#include "sim/compiler/buffer_placement.h"
#include "sim/compiler/gemm_events.h"
#include "sim/compiler/nest_placement.h"
#include "sim/compiler/row_choice.h"
#include "sim/compiler/row_mapper.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {

namespace {

/// Rows that are mapped anew to see whether keeping a tensor pays: enough for every pair of layers in a
/// network of 360 layers, and growing in step with the rows above.
constexpr std::size_t kTrialsAtLeast = 65'536;
constexpr std::size_t kTrialsARow = 64;
/// Plans that are worth a simulation, at most.
constexpr std::size_t kMostPlans = 6;

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
        rows_(lowered.size()) {
    map_.set_chains(chains_, lowered);
    map_.allow_in_place(lowered);
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
    if (plan) return {std::move(plan), std::move(others_), std::nullopt};
    return {std::nullopt, {}, misfit_ ? misfit_ : row_mapper_.misfit()};
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
    std::vector<std::vector<MemoryPlan>> others;
    std::optional<double> least;
    for (const std::vector<bool>& stays : choices) {
      found.push_back(plan_with(stays, false));
      others.push_back(std::move(others_));
      if (!found.back()) continue;
      const double cost = measure(found.back()->cost);
      least = std::min(least.value_or(cost), cost);
    }
    // A chip too small for slots for all is too small, as `check` says: some weights that stay might just do.
    if (!all_fit && !found.back()) return std::nullopt;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (!found[i] || measure(found[i]->cost) > *least + std::floor(*least / kWorthKeeping)) continue;
      others_ = std::move(others[i]);
      for (std::size_t other = 0; other < found.size(); ++other) {
        if (other == i || !found[other]) continue;
        others_.push_back(std::move(*found[other]));
        std::ranges::move(others[other], std::back_inserter(others_));
      }
      return std::move(found[i]);
    }
    return std::nullopt;
  }

  /// What was found with a part of the activation buffer.
  struct Tried {
    std::int64_t capacity = 0;
    MappingCost cost;
    std::vector<MappingCost> row_costs;
    ActivationMap map;
    std::vector<std::optional<RowMapping>> rows;
  };

  /// Nothing where something does not fit.
  std::optional<MemoryPlan> plan_with(std::vector<bool> weights_stay, bool in_ring) {
    plan_ = {};
    others_.clear();
    plan_.weights = plan_weight_buffer(std::move(weights_stay), lowered_, hardware_, mapper_, pins_);
    std::vector<Tried> tried = search();
    if (tried.empty()) return std::nullopt;
    for (std::size_t i = in_ring ? 1 : tried.size(); i-- > 1;) {
      if (finish(tried[i], false)) others_.push_back(plan_);
    }
    if (!finish(tried[0], in_ring)) return std::nullopt;
    // What rows take in sequence may be less where each alone would take more.
    for (MemoryPlan& other : others_) {
      if (measure(other.cost) < measure(plan_.cost)) std::swap(other, plan_);
    }
    return plan_;
  }

  /// Keeping activations is greedy, and greed with more room can end worse. So smaller capacities are tried
  /// as well, always the same ones: then more room never costs more. The best plan first; behind it those
  /// that were the best in less of the buffer. Nothing where some row does not even fit into all of it.
  std::vector<Tried> search() {
    row_mapper_.start(plan_.weights);
    const std::int64_t full = hardware_.activation_buffer.capacity_bytes();
    if (!try_capacity(full)) return {};
    std::vector<Tried> best;
    const auto take = [&](Tried tried) {
      if (!best.empty() && measure(tried.cost) > measure(best.back().cost)) return;
      if (!best.empty() && measure(tried.cost) == measure(best.back().cost)) best.pop_back();
      best.push_back(std::move(tried));
    };
    const Tried whole{full, plan_.cost, plan_.row_costs, map_, rows_};
    for (const std::int64_t capacity :
         chooses() ? capacities_below(full, rows_.size()) : std::vector<std::int64_t>{}) {
      if (try_capacity(capacity)) take({capacity, plan_.cost, plan_.row_costs, map_, rows_});
    }
    take(whole);
    std::ranges::reverse(best);
    best.resize(std::min(best.size(), kMostPlans), whole);
    // What estimates see as little dearer may be cheaper: another plan in which more stays.
    keeps_if_close_ = chooses();
    if (keeps_if_close_ && try_capacity(full) && map_.stays() != best.front().map.stays())
      best.push_back({full, plan_.cost, plan_.row_costs, map_, rows_});
    keeps_if_close_ = false;
    return best;
  }
  [[nodiscard]] bool chooses() const { return has_dram_ && !hardware_.mapper.largest_tiles; }

  /// Makes what was tried the plan; false where the weights that stay do not fit.
  bool finish(Tried& tried, bool in_ring) {
    map_ = tried.map;
    rows_ = std::move(tried.rows);
    plan_.activation_bytes.clear();
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      plan_.activation_bytes.push_back(pins_.activation_bytes(r, tried.capacity));
      if (chooses() && !in_ring) row_mapper_.add_rivals(r, tried.capacity, *rows_[r]);
    }
    plan_.chains = chains_;
    plan_.stays = map_.stays();
    plan_.address = map_.addresses();
    const std::vector<std::optional<RowMapping>> alone = rows_;
    if (choose_in_sequence(rows_, mapper_.measure())) {
      const std::vector<std::optional<RowMapping>> in_sequence = std::exchange(rows_, alone);
      if (place_rows(in_ring)) others_.push_back(plan_);
      rows_ = in_sequence;
    }
    return place_rows(in_ring);
  }

  /// False where the weights that stay do not fit.
  bool place_rows(bool in_ring) {
    add_costs();
    make_nests();
    if (in_ring)
      plan_.weights = cut_into_ring(plan_.weights, products(lowered_, plan_.nests),
                                    hardware_.weight_buffer.capacity_bytes());
    return keep_weights();
  }

  [[nodiscard]] double measure(const MappingCost& cost) const { return mapper_.measure()(cost); }

  /// Plans with the first `capacity` bytes of the activation buffer; false where something does not fit.
  bool try_capacity(std::int64_t capacity) {
    capacity_ = capacity;
    map_.clear();
    const std::vector<int> order =
        has_dram_ ? by_saved_reads(schedule_, lowered_, hardware_) : std::vector<int>{};
    if (has_dram_ ? !keep_given(order) : !map_.keep_everything(capacity)) return false;
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
    add_costs();
    return true;
  }

  /// Of the rows as they are mapped.
  void add_costs() {
    plan_.cost = {};
    plan_.row_costs.clear();
    RowSequence sequence;
    for (const auto& row : rows_) {
      plan_.row_costs.push_back(sequence.add(row->cost));
      plan_.cost += plan_.row_costs.back();
    }
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

  // What the search has left.

  void make_nests() {
    plan_.nests.clear();
    plan_.rivals.clear();
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      std::vector<NestPlan>& nests = plan_.nests.emplace_back();
      for (std::size_t n = 0; n < rows_[row]->nests.size(); ++n)
        nests.push_back(place_nest(rows_[row]->nests[n], lowered_[row], n, map_));
      std::vector<RivalPlan>& rivals = plan_.rivals.emplace_back();
      for (const Rival& rival : rows_[row]->rivals)
        rivals.push_back({place_nest(rival.choice, lowered_[row], 0, map_), rival.cost});
    }
  }
  /// False where the weights that stay, as they are cut, do not fit before the slots.
  bool keep_weights() {
    const std::int64_t bytes = place_resident_weights(lowered_, plan_.nests);
    const std::int64_t room =
        plan_.weights.slots > 0 ? plan_.weights.slots_begin : hardware_.weight_buffer.capacity_bytes();
    if (bytes > room && pins_.any())
      misfit_ = PinMisfit{std::nullopt, "weights of " + std::to_string(bytes) + " bytes in the weight buffer",
                          "at most " + std::to_string(room)};
    return bytes <= room;
  }

  // What stays in the activation buffer.

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
    const double most = measure(before) * (keeps_if_close_ ? 1.0 + 1.0 / kSure : 1.0);
    if (!trial.back() || measure(after) >= most) {
      map_.release(storage);
      return false;
    }
    for (std::size_t row = first; row <= last; ++row) rows_[row] = std::move(trial[row - first]);
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
  std::size_t trial_rows_left_ = 0;  ///< Rows that try_to_keep() may still map during the present try.
  bool keeps_if_close_ = false;      ///< What estimates are not sure of stays.
  std::int64_t capacity_ = 0;        ///< Bytes of the activation buffer in use by the present try.
  MemoryPlan plan_;
  std::vector<MemoryPlan> others_;  ///< PlanOutcome.
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
