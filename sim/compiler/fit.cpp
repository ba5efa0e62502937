#include "sim/compiler/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "sim/compiler/activation_map.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/plan.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {

namespace {

/// The most that a hardware file may give a buffer.
constexpr std::int64_t kMaxCapacityKib = 1 << 20;

/// Least value in [low, high] that `holds`; once it holds it goes on holding. Nothing where it never does.
template <typename Predicate>
std::optional<std::int64_t> least_value(std::int64_t low, std::int64_t high, const Predicate& holds) {
  if (low > high || !holds(high)) return std::nullopt;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return high;
}

/// The next capacity that the banks divide evenly, as the rules of the hardware file want it.
std::int64_t whole_banks(std::int64_t capacity_kib, const BufferConfig& buffer) {
  while (capacity_kib * 1024 % buffer.banks != 0) ++capacity_kib;
  return capacity_kib;
}

std::int64_t kib_for(std::int64_t bytes) {
  return (bytes + 1023) / 1024;
}

class FitFinder {
 public:
  FitFinder(const Schedule& schedule, const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware,
            MappingMemo& mapper)
      : schedule_(schedule), lowered_(lowered), hardware_(hardware), mapper_(mapper), found_{{}, hardware} {}

  Misfits run() {
    if (hardware_.dram.kind == DramKind::none) {
      check_resident_weights();
      check_resident_activations();
    } else {
      measure();
      find_streamed();
    }
    if (!make_plan(schedule_, lowered_, found_.mended, mapper_).plan) make_room_for_cuts();
    std::ranges::stable_sort(found_.rows, {}, &RowMisfit::row);
    return std::move(found_);
  }

 private:
  /// Words of a buffer's capacity in problems.
  struct Field {
    const char* name;
    BufferConfig HardwareConfig::*buffer;
    [[nodiscard]] std::string value(const HardwareConfig& chip) const {
      return std::string(name) + " of " + std::to_string((chip.*buffer).capacity_kib) + " KiB";
    }
  };
  static constexpr Field kWeights{"weight_buffer.capacity_kib", &HardwareConfig::weight_buffer};
  static constexpr Field kActivations{"activation_buffer.capacity_kib", &HardwareConfig::activation_buffer};

  /// `least_kib`, absent: more than any file may give. raise() gives the hint.
  void add(std::size_t row, const Field& field, std::optional<std::int64_t> least_kib,
           const std::string& what) {
    const std::string expected = least_kib ? "at least " + std::to_string(*least_kib) + " KiB"
                                           : "more than " + std::to_string(kMaxCapacityKib) + " KiB";
    found_.rows.push_back({row, {{}, {}, field.value(hardware_), expected + " for " + what, {}}});
  }

  /// Raises a field of the mended chip and says so in every problem about it.
  void raise(const Field& field, std::optional<std::int64_t> least_kib, const std::string& alternative) {
    const std::int64_t mended = least_kib.value_or(kMaxCapacityKib);
    std::string hint = "split the layer: no buffer that can be configured is large enough";
    if (least_kib) hint = fmt::format("{}raise {} to {}", alternative, field.name, mended);
    (found_.mended.*field.buffer).capacity_kib = mended;
    for (RowMisfit& misfit : found_.rows) {
      if (misfit.problem.value != field.value(hardware_)) continue;
      misfit.problem.hint = hint;
    }
  }

  // Chips with DRAM: tiles stream through slots.

  /// What the candidates of each nest need; it depends on no capacity.
  void measure() {
    const MappingLimits nothing_fits = mapping_limits(hardware_, 0, 0);
    for (const LoweredRow& row : lowered_) {
      std::vector<std::vector<SpaceNeeded>>& nests = needed_.emplace_back();
      for (const NestProblem& problem : row.problems) {
        if (const auto* gemm = std::get_if<std::shared_ptr<const GemmProblem>>(&problem)) {
          nests.push_back(mapper_.options(GemmSpace(**gemm, {}, hardware_, nothing_fits)).needed);
        } else if (const auto* vector = std::get_if<std::shared_ptr<const VectorProblem>>(&problem)) {
          nests.push_back(
              mapper_.options(VectorSpace(**vector, streamed(**vector), hardware_, nothing_fits)).needed);
        }
      }
    }
    const bool weights_may_stay = hardware_.dma.weight_prefetch != WeightPrefetch::ring;
    all_weight_bytes_ = weights_may_stay ? all_weight_bytes(lowered_, hardware_, mapper_)
                                         : std::numeric_limits<std::int64_t>::max();
    least_parameter_bytes_ = least_parameter_bytes(lowered_, hardware_, mapper_, {});
  }

  [[nodiscard]] bool fits(std::size_t row, std::int64_t weight_kib, std::int64_t activation_kib) const {
    SpaceNeeded space;
    space.activation_bytes = activation_kib * 1024;
    if (all_weight_bytes_ <= weight_kib * 1024) {
      space.weight_slot_bytes = space.parameter_slot_bytes = std::numeric_limits<std::int64_t>::max();
    } else {
      const WeightBufferPlan slots =
          cut_into_slots(weight_kib * 1024, hardware_.weight_buffer.double_buffered, least_parameter_bytes_);
      space.weight_slot_bytes = slots.weight_slot_bytes;
      space.parameter_slot_bytes = slots.parameter_slot_bytes;
    }
    return std::ranges::all_of(needed_[row], [&](const std::vector<SpaceNeeded>& candidates) {
      return std::ranges::any_of(candidates,
                                 [&](const SpaceNeeded& needed) { return needed.is_within(space); });
    });
  }

  void find_streamed() {
    const std::int64_t have_weights = hardware_.weight_buffer.capacity_kib;
    const std::int64_t have_activations = hardware_.activation_buffer.capacity_kib;
    std::vector<std::size_t> misfits;
    for (std::size_t row = 0; row < needed_.size(); ++row) {
      if (!fits(row, have_weights, have_activations)) misfits.push_back(row);
    }
    const auto least_weights = [&](const auto& rows) {
      return least_value(have_weights, kMaxCapacityKib, [&](std::int64_t kib) {
        return std::ranges::all_of(rows, [&](std::size_t row) { return fits(row, kib, kMaxCapacityKib); });
      });
    };
    const auto least_activations = [&](const auto& rows, std::int64_t weight_kib) {
      return least_value(have_activations, kMaxCapacityKib, [&](std::int64_t kib) {
        return std::ranges::all_of(rows, [&](std::size_t row) { return fits(row, weight_kib, kib); });
      });
    };
    for (const std::size_t row : misfits) {
      const std::vector<std::size_t> alone{row};
      const std::optional<std::int64_t> weights = least_weights(alone);
      if (weights != have_weights) {
        add(row, kWeights, weights,
            "one column tile of its weights and parameters in " +
                std::to_string(hardware_.weight_buffer.double_buffered ? 2 : 1) + " slot(s)");
      }
      const std::optional<std::int64_t> activations =
          least_activations(alone, weights.value_or(kMaxCapacityKib));
      if (activations != have_activations) add(row, kActivations, activations, "its smallest tiles");
    }
    const std::optional<std::int64_t> weights = least_weights(misfits);
    raise_to_whole_banks(kWeights, weights);
    raise_to_whole_banks(kActivations, least_activations(misfits, weights.value_or(kMaxCapacityKib)));
  }

  void raise_to_whole_banks(const Field& field, std::optional<std::int64_t> least_kib) {
    const BufferConfig& buffer = hardware_.*field.buffer;
    if (least_kib) least_kib = whole_banks(*least_kib, buffer);
    if (least_kib && *least_kib > kMaxCapacityKib) least_kib.reset();
    raise(field, least_kib, "");
  }

  /// Where all weights would stay but for a layer whose cut reduction rounds them up to more bytes: only the
  /// plan tells how much is enough.
  void make_room_for_cuts() {
    const auto least =
        least_value(found_.mended.weight_buffer.capacity_kib, kMaxCapacityKib, [&](std::int64_t kib) {
          HardwareConfig tried = found_.mended;
          tried.weight_buffer.capacity_kib = kib;
          return make_plan(schedule_, lowered_, tried, mapper_).plan.has_value();
        });
    std::size_t row = 0;
    while (row + 1 < lowered_.size() && !schedule_.rows[row].on_mac_array) ++row;
    add(row, kWeights, least, "the weights of all layers as they are cut");
    raise_to_whole_banks(kWeights, least);
  }

  // Chips without DRAM: everything stays.

  void check_resident_weights() {
    std::int64_t bytes = 0;
    for (std::size_t row = 0; row < lowered_.size(); ++row) {
      const std::int64_t of_row = weight_bytes(lowered_[row], hardware_, mapper_);
      bytes += of_row;
      if (of_row == 0 || bytes <= hardware_.weight_buffer.capacity_bytes()) continue;
      add(row, kWeights, whole_banks(kib_for(bytes), hardware_.weight_buffer),
          "the weights up to this layer, which a chip without DRAM holds");
    }
    raise_resident(kWeights, bytes);
  }

  void check_resident_activations() {
    const std::int64_t unlimited = std::numeric_limits<std::int64_t>::max() / 2;
    ActivationMap map(schedule_, false);
    map.allow_in_place(lowered_);
    std::int64_t end = 0;
    std::vector<bool> reported(lowered_.size(), false);
    for (std::size_t s = 0; s < schedule_.storages.size(); ++s) {
      if (schedule_.storages[s].is_passed) continue;
      const auto storage = static_cast<int>(s);
      const std::int64_t address = map.place(storage, Stay::kept, unlimited).value();
      map.keep(storage, Stay::kept, address);
      end = std::max(end, address + aligned_bytes(schedule_.storages[s].bytes));
      const auto row = static_cast<std::size_t>(std::max(0, schedule_.storages[s].first_row));
      if (end <= hardware_.activation_buffer.capacity_bytes() || reported[row]) continue;
      if (address + aligned_bytes(schedule_.storages[s].bytes) <=
          hardware_.activation_buffer.capacity_bytes())
        continue;
      reported[row] = true;
      add(row, kActivations, whole_banks(kib_for(end), hardware_.activation_buffer),
          "the activations up to this layer, which a chip without DRAM holds");
    }
    raise_resident(kActivations, end);
  }

  void raise_resident(const Field& field, std::int64_t bytes) {
    const BufferConfig& buffer = hardware_.*field.buffer;
    if (bytes <= buffer.capacity_bytes()) return;
    std::optional<std::int64_t> least = whole_banks(kib_for(bytes), buffer);
    if (*least > kMaxCapacityKib) least.reset();
    raise(field, least, "set dram.kind to simple, or ");
  }

  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  MappingMemo& mapper_;
  std::vector<std::vector<std::vector<SpaceNeeded>>> needed_;  ///< By row and nest.
  std::int64_t all_weight_bytes_ = 0;
  std::int64_t least_parameter_bytes_ = 0;
  Misfits found_;
};

}  // namespace

Misfits find_misfits(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                     const HardwareConfig& hardware, MappingMemo& mapper) {
  return FitFinder(schedule, lowered, hardware, mapper).run();
}

}  // namespace qsim
