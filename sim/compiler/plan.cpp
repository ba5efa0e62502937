#include "sim/compiler/plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "sim/compiler/activation_map.h"
#include "sim/compiler/buffer_placement.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {

namespace {

/// Networks of more rows are planned with fewer capacities.
constexpr std::size_t kManyRows = 4096;
/// Rows that are mapped anew to see whether keeping a tensor pays: enough for every pair of layers in a
/// network of 360 layers, and growing in step with the rows above.
constexpr std::size_t kTrialsAtLeast = 65'536;
constexpr std::size_t kTrialsARow = 64;

class Planner {
 public:
  Planner(const Schedule& schedule, const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware,
          const Mapper& mapper, const PlanPins& pins)
      : schedule_(schedule),
        lowered_(lowered),
        hardware_(hardware),
        mapper_(mapper),
        pins_(pins),
        has_dram_(hardware.dram.kind != DramKind::none),
        map_(schedule, has_dram_),
        rows_(lowered.size()) {}

  PlanOutcome run() {
    if (!plan_weight_buffer() || !search()) return {std::nullopt, std::move(misfit_)};
    make_nests();
    if (prefetches_in_ring())
      plan_.weights = cut_into_ring(plan_.weights, products(), hardware_.weight_buffer.capacity_bytes());
    if (plan_.weights.resident && !keep_weights()) {
      // Cutting the reduction of some layer rounds its weights up to more bytes than they have uncut.
      if (!has_dram_ || pins_.weights_resident) return {std::nullopt, std::move(misfit_)};
      plan_weight_slots();
      if (!search()) return {std::nullopt, std::move(misfit_)};
      make_nests();
    }
    plan_.resident = map_.resident();
    plan_.address = map_.addresses();
    return {std::move(plan_), std::nullopt};
  }

 private:
  /// A way to execute a nest, in the caches, and where its tile slots begin.
  struct NestChoice {
    std::variant<const MappingOption<GemmMapping>*, const MappingOption<VectorMapping>*, HostMapping> option;
    std::int64_t slots_begin = 0;
  };
  /// What is decided about a row. Placements are made once the search is over.
  struct RowMapping {
    std::vector<NestChoice> nests;
    MappingCost cost;
  };

  template <typename MappingType>
  using OptionsCache =
      std::map<std::tuple<std::size_t, std::size_t, std::vector<bool>>, MappingOptions<MappingType>>;

  /// Keeping activations is greedy, and greed with more room can end worse. So smaller capacities are tried
  /// as well, always the same ones, and the best plan wins: then more room never costs more. False where some
  /// row does not even fit into the whole buffer.
  bool search() {
    limits_ = mapping_limits(hardware_, plan_.weights.weight_slot_bytes, plan_.weights.parameter_slot_bytes);
    gemm_cache_.clear();
    vector_cache_.clear();
    const std::int64_t full = hardware_.activation_buffer.capacity_bytes();
    if (!try_capacity(full)) return false;
    MappingCost best_cost = plan_.cost;
    std::int64_t best_capacity = full;
    ActivationMap best_map = map_;
    auto best_rows = rows_;
    const std::int64_t quarters = rows_.size() > kManyRows ? 5 : 8;
    for (std::int64_t octave = 1024; octave < full && has_dram_; octave *= 2) {
      for (std::int64_t quarter = 4; quarter < quarters; ++quarter) {
        const std::int64_t capacity = octave * quarter / 4;
        if (capacity >= full || !try_capacity(capacity) || plan_.cost.total() >= best_cost.total()) continue;
        best_cost = plan_.cost;
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

  /// Plans with the first `capacity` bytes of the activation buffer; false where something does not fit.
  bool try_capacity(std::int64_t capacity) {
    capacity_ = capacity;
    map_.clear();
    const std::vector<int> order = has_dram_ ? candidates() : std::vector<int>{};
    if (has_dram_ ? !keep_given(order) : !keep_everything()) return false;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      rows_[r] = map_row(r);
      if (!rows_[r]) return false;
    }
    if (has_dram_) {
      trial_rows_left_ = kTrialsAtLeast + kTrialsARow * rows_.size();
      for (const int storage : order) {
        if (!pins_.residency(storage)) try_to_keep(storage);
      }
    }
    plan_.cost = {};
    for (const auto& row : rows_) plan_.cost += row->cost;
    return true;
  }

  /// False where a chip without DRAM cannot hold all weights.
  bool plan_weight_buffer() {
    if (prefetches_in_ring()) {
      plan_weight_slots();
      return true;
    }
    plan_.weights.resident = pins_.weights_resident ? *pins_.weights_resident
                                                    : all_weight_bytes(lowered_, hardware_, mapper_) <=
                                                          hardware_.weight_buffer.capacity_bytes();
    if (!plan_.weights.resident) plan_weight_slots();
    return plan_.weights.resident || has_dram_;
  }

  [[nodiscard]] bool prefetches_in_ring() const {
    return has_dram_ && hardware_.dma.weight_prefetch == WeightPrefetch::ring;
  }

  void plan_weight_slots() {
    plan_.weights =
        cut_into_slots(hardware_.weight_buffer.capacity_bytes(), hardware_.weight_buffer.double_buffered,
                       least_parameter_bytes(lowered_, hardware_, mapper_, pins_));
  }

  // Mapping a row with the present residency into the largest gap that it leaves.

  /// Nothing where no gap is large enough.
  std::optional<RowMapping> map_row(std::size_t row) {
    std::pair<std::int64_t, std::int64_t> gap{0, 0};
    const std::int64_t capacity = pins_.activation_bytes(row, capacity_);
    for (const auto& interval : map_.free_intervals(row, row, capacity)) {
      if (interval.second - interval.first > gap.second - gap.first) gap = interval;
    }
    RowMapping mapping;
    for (std::size_t n = 0; n < lowered_[row].problems.size(); ++n) {
      const bool mapped =
          std::visit([&](const auto& problem) { return map_nest(*problem, row, n, gap, mapping); },
                     lowered_[row].problems[n]);
      if (!mapped) return std::nullopt;
    }
    return mapping;
  }

  template <typename ProblemType>
  bool map_nest(const ProblemType& problem, std::size_t row, std::size_t n,
                std::pair<std::int64_t, std::int64_t> gap, RowMapping& mapping) {
    const auto& options = options_of(problem, row, n);
    const auto* option = options.best(gap.second - gap.first);
    if (option == nullptr) {
      note_misfit(row, options, gap.second - gap.first);
      return false;
    }
    mapping.cost += option->cost;
    mapping.nests.push_back({option, gap.first});
    return true;
  }

  /// The host needs nothing of the chip, whatever stays on it.
  static bool map_nest(const HostProblem& /*problem*/, std::size_t /*row*/, std::size_t /*n*/,
                       std::pair<std::int64_t, std::int64_t> /*gap*/, RowMapping& mapping) {
    mapping.nests.push_back({HostMapping{}, 0});
    return true;
  }

  /// Candidates of a nest; they depend on which of its tensors are resident, not on where.
  template <typename ProblemType>
  const auto& options_of(const ProblemType& problem, std::size_t row, std::size_t n) {
    std::vector<bool> residents;
    for (const int storage : lowered_[row].inputs[n]) residents.push_back(map_.is_resident(storage));
    residents.push_back(map_.is_resident(lowered_[row].output));
    const auto [entry, is_missing] = cache_of(problem).try_emplace({row, n, std::move(residents)});
    if (is_missing) entry->second = map(problem, row, n);
    return entry->second;
  }
  OptionsCache<GemmMapping>& cache_of(const GemmProblem& /*problem*/) { return gemm_cache_; }
  OptionsCache<VectorMapping>& cache_of(const VectorProblem& /*problem*/) { return vector_cache_; }

  [[nodiscard]] MappingOptions<GemmMapping> map(const GemmProblem& problem, std::size_t row,
                                                std::size_t n) const {
    GemmMapping residency;
    residency.input_resident = map_.is_resident(lowered_[row].inputs[n][0]);
    residency.output_resident = map_.is_resident(lowered_[row].output);
    residency.store_output = stores(lowered_[row].output);
    residency.weights_resident = plan_.weights.resident;
    return mapper_.options(GemmSpace(problem, residency, hardware_, limits_, pins_.gemm(row)));
  }
  [[nodiscard]] MappingOptions<VectorMapping> map(const VectorProblem& problem, std::size_t row,
                                                  std::size_t n) const {
    VectorMapping residency;
    for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
      residency.inputs_resident.push_back(map_.is_resident(lowered_[row].inputs[n][i]));
    }
    residency.output_resident = map_.is_resident(lowered_[row].output);
    residency.store_output = stores(lowered_[row].output);
    return mapper_.options(VectorSpace(problem, residency, limits_, pins_.vector(row, n)));
  }

  [[nodiscard]] bool stores(int output) const {
    return has_dram_ && (!map_.is_resident(output) ||
                         schedule_.storages[static_cast<std::size_t>(output)].is_graph_output);
  }

  // What the search has left.

  void make_nests() {
    plan_.nests.clear();
    for (std::size_t row = 0; row < rows_.size(); ++row) {
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

  /// False where the weights of all rows do not fit.
  bool keep_weights() {
    std::int64_t payload = 0;
    const std::int64_t bytes = place_resident_weights(lowered_, plan_.nests, payload);
    if (has_dram_) plan_.cost.dram_bytes += payload;
    const std::int64_t capacity = hardware_.weight_buffer.capacity_bytes();
    if (bytes > capacity && pins_.any())
      misfit_ = PinMisfit{std::nullopt, "weights of " + std::to_string(bytes) + " bytes in the weight buffer",
                          "at most " + std::to_string(capacity)};
    return bytes <= capacity;
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
      if (may_stay(schedule_.storages[s], hardware_)) order.push_back(static_cast<int>(s));
    }
    const auto density = [&](int s) {
      const Storage& storage = schedule_.storages[static_cast<std::size_t>(s)];
      return static_cast<double>(1 + reads[static_cast<std::size_t>(s)]) /
             static_cast<double>(storage.last_row - storage.first_row + 1);
    };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return density(a) > density(b); });
    return order;
  }

  /// What is to stay takes its place first, each the first that is free: so the same tensors always lie at
  /// the same addresses.
  bool keep_given(const std::vector<int>& order) {
    for (const int storage : order) {
      if (!pins_.residency(storage).value_or(false)) continue;
      const std::optional<std::int64_t> address = map_.place(storage, capacity_);
      if (!address) {
        const Storage& kept = schedule_.storages[static_cast<std::size_t>(storage)];
        misfit_ =
            PinMisfit{static_cast<std::size_t>(kept.first_row),
                      "an output of " + std::to_string(kept.bytes) + " bytes in the activation buffer",
                      "room for it beside what else is to stay in " + std::to_string(capacity_) + " bytes"};
        return false;
      }
      map_.keep(storage, *address);
    }
    return true;
  }

  /// Keeps a storage on the chip if all rows during its life still fit and their cost together falls.
  void try_to_keep(int storage) {
    const std::optional<std::int64_t> address = map_.place(storage, capacity_);
    if (!address) return;
    const auto [first, last] = map_.lifetime(storage);
    if (last + 1 - first > trial_rows_left_) return;
    trial_rows_left_ -= last + 1 - first;
    map_.keep(storage, *address);
    std::vector<std::optional<RowMapping>> trial;
    MappingCost before;
    MappingCost after;
    for (std::size_t row = first; row <= last; ++row) {
      trial.push_back(map_row(row));
      if (!trial.back()) break;
      before += rows_[row]->cost;
      after += trial.back()->cost;
    }
    if (!trial.back() || after.total() >= before.total()) {
      map_.release(storage);
      return;
    }
    for (std::size_t row = first; row <= last; ++row) rows_[row] = std::move(trial[row - first]);
  }

  bool keep_everything() {
    for (std::size_t s = 0; s < schedule_.storages.size(); ++s) {
      const auto storage = static_cast<int>(s);
      const std::optional<std::int64_t> address = map_.place(storage, capacity_);
      if (!address) return false;
      map_.keep(storage, *address);
    }
    return true;
  }

  template <typename MappingType>
  void note_misfit(std::size_t row, const MappingOptions<MappingType>& found, std::int64_t gap) {
    if (!pins_.any() || found.needed.empty()) return;
    const auto bytes = [](std::int64_t count) { return std::to_string(count) + " bytes"; };
    if (!found.options.empty()) {
      const auto& least = std::ranges::min(found.options, {}, &MappingOption<MappingType>::activation_bytes);
      misfit_ = PinMisfit{row, "tile slots of " + bytes(least.activation_bytes),
                          "at most " + bytes(gap) + ", the largest gap in the activation buffer"};
      return;
    }
    const SpaceNeeded& least = std::ranges::min(found.needed, {}, &SpaceNeeded::weight_slot_bytes);
    misfit_ = PinMisfit{row,
                        bytes(least.weight_slot_bytes) + " of weights and " +
                            bytes(least.parameter_slot_bytes) + " of parameters in a block",
                        "at most " + bytes(limits_.weight_slot_bytes) + " and " +
                            bytes(limits_.parameter_slot_bytes) + ", a slot of the weight buffer"};
  }

  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  const Mapper& mapper_;
  const PlanPins& pins_;
  bool has_dram_;
  ActivationMap map_;
  MappingLimits limits_;
  std::size_t trial_rows_left_ = 0;  ///< Rows that try_to_keep() may still map during the present try.
  std::int64_t capacity_ = 0;        ///< Bytes of the activation buffer in use by the present try.
  MemoryPlan plan_;
  std::optional<PinMisfit> misfit_;
  std::vector<std::optional<RowMapping>> rows_;
  OptionsCache<GemmMapping> gemm_cache_;
  OptionsCache<VectorMapping> vector_cache_;
};

}  // namespace

PlanOutcome make_plan(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                      const HardwareConfig& hardware, const Mapper& mapper, const PlanPins& pins) {
  return Planner(schedule, lowered, hardware, mapper, pins).run();
}

}  // namespace qsim
