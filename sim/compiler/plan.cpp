#include "sim/compiler/plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/activation_map.h"
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
  Planner(const Schedule& schedule, const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware)
      : schedule_(schedule),
        lowered_(lowered),
        hardware_(hardware),
        has_dram_(hardware.dram.kind != DramKind::none),
        map_(schedule, has_dram_),
        rows_(lowered.size()) {}

  std::optional<MemoryPlan> run() {
    if (!plan_weight_buffer() || !search()) return std::nullopt;
    make_nests();
    if (prefetches_in_ring())
      plan_.weights = cut_into_ring(plan_.weights, products(), hardware_.weight_buffer.capacity_bytes());
    if (plan_.weights.resident && !place_resident_weights()) {
      // Cutting the reduction of some layer rounds its weights up to more bytes than they have uncut.
      if (!has_dram_) return std::nullopt;
      plan_weight_slots();
      if (!search()) return std::nullopt;
      make_nests();
    }
    plan_.resident = map_.resident();
    plan_.address = map_.addresses();
    return std::move(plan_);
  }

 private:
  /// A way to tile a nest, in the caches, and where its tile slots begin.
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
    std::get<0>(caches_).clear();
    std::get<1>(caches_).clear();
    const std::int64_t full = hardware_.activation_buffer.capacity_bytes();
    if (!try_capacity(full)) return false;
    MappingCost best_cost = plan_.cost;
    ActivationMap best_map = map_;
    auto best_rows = rows_;
    const std::int64_t quarters = rows_.size() > kManyRows ? 5 : 8;
    for (std::int64_t octave = 1024; octave < full && has_dram_; octave *= 2) {
      for (std::int64_t quarter = 4; quarter < quarters; ++quarter) {
        const std::int64_t capacity = octave * quarter / 4;
        if (capacity >= full || !try_capacity(capacity) || plan_.cost.total() >= best_cost.total()) continue;
        best_cost = plan_.cost;
        best_map = map_;
        best_rows = rows_;
      }
    }
    plan_.cost = best_cost;
    map_ = std::move(best_map);
    rows_ = std::move(best_rows);
    return true;
  }

  /// Plans with the first `capacity` bytes of the activation buffer; false where something does not fit.
  bool try_capacity(std::int64_t capacity) {
    capacity_ = capacity;
    map_.clear();
    if (!has_dram_ && !keep_everything()) return false;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      rows_[r] = map_row(r);
      if (!rows_[r]) return false;
    }
    if (has_dram_) {
      trial_rows_left_ = kTrialsAtLeast + kTrialsARow * rows_.size();
      for (const int storage : candidates()) try_to_keep(storage);
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
    plan_.weights.resident =
        all_weight_bytes(lowered_, hardware_) <= hardware_.weight_buffer.capacity_bytes();
    if (!plan_.weights.resident) plan_weight_slots();
    return plan_.weights.resident || has_dram_;
  }

  [[nodiscard]] bool prefetches_in_ring() const {
    return has_dram_ && hardware_.dma.weight_prefetch == WeightPrefetch::ring;
  }

  void plan_weight_slots() {
    plan_.weights =
        cut_into_slots(hardware_.weight_buffer.capacity_bytes(), hardware_.weight_buffer.double_buffered,
                       least_parameter_bytes(lowered_, hardware_));
  }

  /// Maps a row with the present residency into the largest gap that it leaves; nothing where none is enough.
  std::optional<RowMapping> map_row(std::size_t row) {
    std::pair<std::int64_t, std::int64_t> gap{0, 0};
    for (const auto& interval : map_.free_intervals(row, row, capacity_)) {
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
    const auto* option = options_of(problem, row, n).best(gap.second - gap.first);
    if (option == nullptr) return false;
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

  /// The nests of all rows as the search left them.
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
    const GemmProblem& problem = *lowered_[row].gemm();
    const GemmMapping& mapping = option->mapping;
    GemmPlacement placement;
    placement.input = place_tensor(problem.input, lowered_[row].inputs[n][0],
                                   gemm_input_tile(problem, mapping), mapping.input_slots, address);
    placement.output = place_tensor(problem.output, lowered_[row].output, gemm_output_tile(problem, mapping),
                                    mapping.output_slots, address);
    return {mapping, std::move(placement)};
  }
  [[nodiscard]] VectorPlan place(const MappingOption<VectorMapping>* option, std::size_t row, std::size_t n,
                                 std::int64_t address) const {
    const auto& problem = *std::get<std::shared_ptr<const VectorProblem>>(lowered_[row].problems[n]);
    const VectorMapping& mapping = option->mapping;
    VectorPlacement placement;
    for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
      placement.inputs.push_back(place_tensor(problem.inputs[i].tensor, lowered_[row].inputs[n][i],
                                              vector_input_tile(problem, mapping, i), mapping.slots,
                                              address));
    }
    placement.output =
        place_tensor(problem.output, lowered_[row].output, mapping.tile, mapping.slots, address);
    return {mapping, std::move(placement)};
  }
  [[nodiscard]] static HostMapping place(HostMapping mapping, std::size_t /*row*/, std::size_t /*n*/,
                                         std::int64_t /*address*/) {
    return mapping;
  }

  /// Where a tensor is resident, or the slots of its tiles, one behind the other from `address`.
  [[nodiscard]] Placement place_tensor(const TensorView& tensor, int storage, const Dims& tile,
                                       std::int64_t slots, std::int64_t& address) const {
    Placement placement = unplaced(tensor);
    placement.resident = map_.is_resident(storage);
    if (placement.resident) {
      placement.buffer.base = map_.address(storage);
      return placement;
    }
    placement.buffer = dense_layout(tile, tensor.layout.format, 0, tensor.pixel_granule);
    for (std::int64_t s = 0; s < slots; ++s) {
      placement.slots.push_back(address);
      address += dense_bytes(tile, tensor.layout.format, tensor.pixel_granule);
    }
    return placement;
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

  /// Candidates of a nest; they depend on which of its tensors are resident, not on where.
  template <typename ProblemType>
  const auto& options_of(const ProblemType& problem, std::size_t row, std::size_t n) {
    std::vector<bool> key;
    for (const int storage : lowered_[row].inputs[n]) key.push_back(map_.is_resident(storage));
    key.push_back(map_.is_resident(lowered_[row].output));
    const auto residency = residency_of(problem, row, n);
    auto& cache = std::get<OptionsCache<std::remove_const_t<decltype(residency)>>>(caches_);
    const auto [entry, missing] = cache.try_emplace({row, n, std::move(key)});
    if (missing) entry->second = map(problem, residency);
    return entry->second;
  }

  [[nodiscard]] MappingOptions<GemmMapping> map(const GemmProblem& problem, const GemmMapping& given) const {
    return map_gemm(problem, given, hardware_, limits_);
  }
  [[nodiscard]] MappingOptions<VectorMapping> map(const VectorProblem& problem,
                                                  const VectorMapping& given) const {
    return map_vector(problem, given, limits_);
  }

  /// Parameters and weights of all rows one behind the other; false where they do not fit.
  bool place_resident_weights() {
    std::int64_t address = 0;
    for (std::size_t row = 0; row < plan_.nests.size(); ++row) {
      const GemmProblem* gemm = lowered_[row].gemm();
      if (gemm == nullptr) continue;
      auto& [mapping, placement] = std::get<GemmPlan>(plan_.nests[row][0]);
      const GemmCursor cursor(*gemm, mapping);
      std::int64_t parameters = 0;
      std::int64_t weights = 0;
      for (std::int64_t block = 0; block < cursor.blocks(); ++block) {
        const auto [begin, end] = cursor.block_channels(block);
        parameters += gemm->parameters.block_bytes(end - begin);
        for (std::int64_t part = 0; part < cursor.parts(); ++part) weights += cursor.block_bytes(block, part);
      }
      placement.parameters_base = address;
      placement.weights_base = address + aligned_bytes(parameters);
      if (has_dram_) plan_.cost.dram_bytes += parameters + weights;
      address = placement.weights_base + aligned_bytes(weights);
    }
    return address <= hardware_.weight_buffer.capacity_bytes();
  }

  [[nodiscard]] bool stores(int output) const {
    return has_dram_ && (!map_.is_resident(output) ||
                         schedule_.storages[static_cast<std::size_t>(output)].is_graph_output);
  }

  [[nodiscard]] GemmMapping residency_of(const GemmProblem& /*problem*/, std::size_t row,
                                         std::size_t n) const {
    GemmMapping mapping;
    mapping.input_resident = map_.is_resident(lowered_[row].inputs[n][0]);
    mapping.output_resident = map_.is_resident(lowered_[row].output);
    mapping.store_output = stores(lowered_[row].output);
    mapping.weights_resident = plan_.weights.resident;
    return mapping;
  }
  [[nodiscard]] VectorMapping residency_of(const VectorProblem& problem, std::size_t row,
                                           std::size_t n) const {
    VectorMapping mapping;
    for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
      mapping.inputs_resident.push_back(map_.is_resident(lowered_[row].inputs[n][i]));
    }
    mapping.output_resident = map_.is_resident(lowered_[row].output);
    mapping.store_output = stores(lowered_[row].output);
    return mapping;
  }

  /// Storages that could stay: made and read on the chip. Most reads saved per row of occupancy first.
  [[nodiscard]] std::vector<int> candidates() const {
    if (hardware_.requantizer.writes_through) return {};
    std::vector<int> reads(schedule_.storages.size(), 0);
    for (const LoweredRow& row : lowered_) {
      for (const auto& inputs : row.inputs) {
        for (const int storage : inputs) ++reads[static_cast<std::size_t>(storage)];
      }
    }
    std::vector<int> order;
    for (std::size_t s = 0; s < schedule_.storages.size(); ++s) {
      const Storage& storage = schedule_.storages[s];
      if (storage.first_row >= 0 && storage.last_row > storage.first_row && !storage.is_weights &&
          !storage.is_host_visible)
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

  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  bool has_dram_;
  ActivationMap map_;
  MappingLimits limits_;
  std::size_t trial_rows_left_ = 0;  ///< Rows that try_to_keep() may still map during the present try.
  std::int64_t capacity_ = 0;        ///< Bytes of the activation buffer in use by the present try.
  MemoryPlan plan_;
  std::vector<std::optional<RowMapping>> rows_;
  std::tuple<OptionsCache<GemmMapping>, OptionsCache<VectorMapping>> caches_;
};

}  // namespace

std::optional<MemoryPlan> make_plan(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                                    const HardwareConfig& hardware) {
  return Planner(schedule, lowered, hardware).run();
}

}  // namespace qsim
