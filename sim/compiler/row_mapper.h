// Maps rows one by one: into the gaps that what stays on the chip leaves.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/activation_map.h"
#include "sim/compiler/chain.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/mapping_memo.h"
#include "sim/compiler/plan.h"
#include "sim/compiler/plan_pins.h"
#include "sim/compiler/schedule.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {

/// A way to execute a nest, in the mapper's caches, and where its tile slots begin.
struct NestChoice {
  std::variant<const MappingOption<GemmMapping>*, const MappingOption<VectorMapping>*, HostMapping> option;
  std::int64_t slots_begin = 0;
};

/// Another way, with its cost.
struct Rival {
  NestChoice choice;
  MappingCost cost;
};

/// What is decided about a row. Placements are made once the search is over.
struct RowMapping {
  std::vector<NestChoice> nests;
  std::vector<Rival> rivals;  ///< Of a single nest: MappingOptions::rivals().
  MappingCost cost;
};

class RowMapper {
 public:
  /// All are kept by reference.
  RowMapper(const Schedule& schedule, const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware,
            MappingMemo& mapper, const PlanPins& pins, const ActivationMap& map);

  /// Rows that are executed in stripes; before any is mapped. Kept by reference.
  void set_chains(const std::vector<ChainLayout>& chains) { chains_ = &chains; }
  /// What rows may have of the weight buffer from now on.
  void start(const WeightBufferPlan& weights) { weights_ = &weights; }

  /// A row's mapping into the largest gap of the first `capacity` bytes of the activation buffer that is free
  /// beside what stays now. Nothing where no gap is large enough.
  [[nodiscard]] std::optional<RowMapping> map_row(std::size_t row, std::int64_t capacity);

  /// Adds what else may be done in the room that map_row() found.
  void add_rivals(std::size_t row, std::int64_t capacity, RowMapping& mapping);

  /// Of pins, the last row that did not fit.
  [[nodiscard]] const std::optional<PinMisfit>& misfit() const { return misfit_; }

 private:
  /// By row, nest and what of the nest's tensors stays.
  template <typename MappingType>
  using OptionsCache =
      std::map<std::tuple<std::size_t, std::size_t, std::vector<bool>>, const MappingOptions<MappingType>*>;

  template <typename ProblemType>
  [[nodiscard]] bool map_nest(const ProblemType& problem, std::size_t row, std::size_t n,
                              std::pair<std::int64_t, std::int64_t> gap, RowMapping& mapping);
  /// The host needs nothing of the chip, whatever stays on it.
  [[nodiscard]] static bool map_nest(const HostProblem& problem, std::size_t row, std::size_t n,
                                     std::pair<std::int64_t, std::int64_t> gap, RowMapping& mapping);
  template <typename ProblemType>
  void add_rivals_of(const ProblemType& problem, std::size_t row, std::pair<std::int64_t, std::int64_t> gap,
                     RowMapping& mapping);
  static void add_rivals_of(const HostProblem& problem, std::size_t row,
                            std::pair<std::int64_t, std::int64_t> gap, RowMapping& mapping);
  /// The largest gap of the first bytes of the buffer during a row.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> largest_gap(std::size_t row,
                                                                  std::int64_t capacity) const;
  /// Candidates of a nest; they depend on which of its tensors are resident, not on where.
  template <typename ProblemType>
  [[nodiscard]] const auto& options_of(const ProblemType& problem, std::size_t row, std::size_t n);
  [[nodiscard]] OptionsCache<GemmMapping>& cache_of(const GemmProblem& /*problem*/) { return gemm_cache_; }
  [[nodiscard]] OptionsCache<VectorMapping>& cache_of(const VectorProblem& /*problem*/) {
    return vector_cache_;
  }
  [[nodiscard]] const MappingOptions<GemmMapping>& map(const GemmProblem& problem, std::size_t row,
                                                       std::size_t n);
  [[nodiscard]] const MappingOptions<VectorMapping>& map(const VectorProblem& problem, std::size_t row,
                                                         std::size_t n);
  [[nodiscard]] SpaceNeeded space_beside(std::int64_t activation_bytes) const {
    return {weights_->weight_slot_bytes, weights_->parameter_slot_bytes, activation_bytes};
  }
  [[nodiscard]] bool stores(int output) const;
  /// Of a row in a chain; none of others.
  [[nodiscard]] std::vector<RowWindow> windows(std::size_t row) const;
  /// The first that reads a fetched tensor loads it.
  [[nodiscard]] bool fetches(std::size_t row, std::size_t n, std::size_t i) const;
  template <typename MappingType>
  void note_misfit(std::size_t row, const MappingOptions<MappingType>& found, std::int64_t gap);

  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  MappingMemo& mapper_;
  const PlanPins& pins_;
  const ActivationMap& map_;
  const std::vector<ChainLayout>* chains_ = nullptr;
  bool has_dram_;
  std::size_t first_product_ = 0;  ///< Row whose first weights nothing hides.
  MappingLimits limits_;           ///< Of any part of the weight buffer that rows may have.
  const WeightBufferPlan* weights_ = nullptr;
  std::optional<PinMisfit> misfit_;
  OptionsCache<GemmMapping> gemm_cache_;
  OptionsCache<VectorMapping> vector_cache_;
};

}  // namespace qsim
