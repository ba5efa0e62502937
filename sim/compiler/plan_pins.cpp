#include "sim/compiler/plan_pins.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "sim/compiler/chain_pins.h"
#include "sim/compiler/mapping_fields.h"
#include "sim/compiler/stripes.h"

namespace qsim {

bool may_stay(const Storage& storage, Stay stay, const HardwareConfig& hardware) {
  if (hardware.requantizer.writes_through || storage.is_weights || storage.is_passed) return false;
  if (stay == Stay::fetched)
    return hardware.mapper.fetches_inputs && storage.first_reader >= 0 && storage.may_be_fetched;
  return storage.first_row >= 0 && storage.last_row > storage.first_row && !storage.is_host_visible;
}

std::vector<int> by_saved_reads(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                                const HardwareConfig& hardware) {
  std::vector<int> reads(schedule.storages.size(), 0);
  for (const LoweredRow& row : lowered) {
    for (const auto& inputs : row.inputs) {
      for (const int storage : inputs) ++reads[static_cast<std::size_t>(storage)];
    }
  }
  std::vector<int> order;
  for (std::size_t s = 0; s < schedule.storages.size(); ++s) {
    const Storage& storage = schedule.storages[s];
    if (may_stay(storage, Stay::kept, hardware) || may_stay(storage, Stay::fetched, hardware))
      order.push_back(static_cast<int>(s));
  }
  const auto density = [&](int s) {
    const Storage& storage = schedule.storages[static_cast<std::size_t>(s)];
    const int first = storage.first_row < 0 ? storage.first_reader : storage.first_row;
    return static_cast<double>(1 + reads[static_cast<std::size_t>(s)]) /
           static_cast<double>(storage.last_row - first + 1);
  };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return density(a) > density(b); });
  return order;
}

GemmMapping given_residency(const LoweredRow& row, const PlanPins& pins) {
  GemmMapping mapping;
  mapping.input_resident = pins.stay(row.inputs[0][0]).value_or(Stay::in_dram) != Stay::in_dram;
  mapping.output_resident = pins.stay(row.output).value_or(Stay::in_dram) == Stay::kept;
  mapping.addend_resident = row.gemm()->addend() != nullptr &&
                            pins.stay(row.inputs[0].back()).value_or(Stay::in_dram) != Stay::in_dram;
  return mapping;
}

namespace {

constexpr const char* kHint = "give another value, or leave it to the compiler";

class PinChecker {
 public:
  PinChecker(const Schedule& schedule, const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware,
             MappingMemo& mapper, std::vector<RowPin> rows, std::vector<Problem>& problems)
      : schedule_(schedule), lowered_(lowered), hardware_(hardware), mapper_(mapper), problems_(problems) {
    pins_.rows = std::move(rows);
  }

  PlanPins run() {
    pins_.stays.resize(schedule_.storages.size());
    of_makers_.resize(schedule_.storages.size());
    of_readers_.resize(schedule_.storages.size());
    for (std::size_t r = 0; r < pins_.rows.size(); ++r) {
      check_activation_bytes(pins_.rows[r]);
      for (std::size_t n = 0; n < lowered_[r].problems.size(); ++n) {
        std::visit([&](const auto& problem) { take_residency(*problem, r, n); }, lowered_[r].problems[n]);
      }
    }
    combine_residency();
    pins_.chains = check_chain_pins(schedule_, lowered_, hardware_, pins_.rows, problems_);
    check_fetches_in_chains();
    if (!problems_.empty()) return std::move(pins_);
    for (std::size_t r = 0; r < pins_.rows.size(); ++r) {
      for (std::size_t n = 0; n < lowered_[r].problems.size(); ++n) {
        std::visit([&](const auto& problem) { check(*problem, r, n); }, lowered_[r].problems[n]);
      }
    }
    return std::move(pins_);
  }

 private:
  void report(const RowPin& row, std::string place, std::string value, std::string expected) {
    // What is given for an operation is wrong for one of its layers.
    if (place.starts_with("operations.")) expected += " (layer " + row.layer + ")";
    problems_.push_back({row.file, std::move(place), std::move(value), std::move(expected), kHint});
  }

  void check_activation_bytes(const RowPin& row) {
    const std::int64_t capacity = hardware_.activation_buffer.capacity_bytes();
    if (row.activation_bytes.value_or(0) <= capacity) return;
    report(row, row.values.at(mapping_keys::kActivationBytes).place, std::to_string(*row.activation_bytes),
           "at most " + std::to_string(capacity) + ", the bytes of the activation buffer");
  }

  // Where tensors and weights lie.

  void take_residency(const GemmProblem& problem, std::size_t row, std::size_t n) {
    const Pinned<GemmMapping>& pin = pins_.rows[row].gemm;
    take(pin, mapping_keys::kInputIn, pin.value.input_resident, row, lowered_[row].inputs[n][0], of_readers_);
    take(pin, mapping_keys::kOutputIn, pin.value.output_resident, row, lowered_[row].output, of_makers_);
    if (problem.addend() != nullptr)
      take(pin, mapping_keys::kAddendIn, pin.value.addend_resident, row, lowered_[row].inputs[n].back(),
           of_readers_);
    if (pin.gives(mapping_keys::kWeightsIn)) take_weights(problem, pin, row);
  }
  void take_residency(const VectorProblem& problem, std::size_t row, std::size_t n) {
    const Pinned<VectorMapping>& pin = pins_.rows[row].vector[n];
    for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
      std::string key = mapping_keys::kInputIn;
      if (problem.inputs.size() > 1) key += "." + std::to_string(i);
      take(pin, key, pin.value.inputs_resident[i], row, lowered_[row].inputs[n][i], of_readers_);
    }
    take(pin, mapping_keys::kOutputIn, pin.value.output_resident, row, lowered_[row].output, of_makers_);
  }
  void take_residency(const HostProblem& /*problem*/, std::size_t /*row*/, std::size_t /*n*/) {}

  /// What is said of a storage, by the row that makes it or by those that read it.
  struct Said {
    std::optional<bool> is_resident;
    std::string place;
    std::size_t row = 0;
  };

  template <typename MappingType>
  void take(const Pinned<MappingType>& pin, std::string_view key, bool is_resident, std::size_t row,
            int storage, std::vector<Said>& said) {
    const auto found = pin.given.find(key);
    if (found == pin.given.end()) return;
    const auto s = static_cast<std::size_t>(storage);
    const bool has_dram = hardware_.dram.kind != DramKind::none;
    const std::string value = is_resident ? "activation_buffer" : "dram";
    const std::string other = is_resident ? "dram" : "activation_buffer";
    if (!has_dram && !is_resident) {
      return report(pins_.rows[row], found->second, value, other + ", on a chip without DRAM");
    }
    const bool may_be_kept = may_stay(schedule_.storages[s], Stay::kept, hardware_);
    const bool may_be_fetched = may_stay(schedule_.storages[s], Stay::fetched, hardware_);
    if (has_dram && is_resident && !may_be_kept && (&said == &of_makers_ || !may_be_fetched)) {
      return report(pins_.rows[row], found->second, value,
                    other + ": only what a row makes and a later row of the chip reads may stay");
    }
    if (said[s].is_resident.value_or(is_resident) != is_resident) {
      return report(pins_.rows[row], found->second, value,
                    other + ", as " + said[s].place + " says of the same tensor");
    }
    said[s] = {is_resident, found->second, row};
  }

  /// A tensor whose maker puts it into DRAM, and whose readers find it in the buffer, is fetched.
  void combine_residency() {
    for (std::size_t s = 0; s < pins_.stays.size(); ++s) {
      const Said& made = of_makers_[s];
      const Said& read = of_readers_[s];
      if (!made.is_resident && !read.is_resident) continue;
      if (made.is_resident.value_or(false) && !read.is_resident.value_or(true)) {
        report(pins_.rows[read.row], read.place, "dram",
               "activation_buffer, as " + made.place + " says of the same tensor");
      }
      const bool may_be_kept =
          hardware_.dram.kind == DramKind::none || may_stay(schedule_.storages[s], Stay::kept, hardware_);
      if (made.is_resident.value_or(may_be_kept && *read.is_resident)) {
        pins_.stays[s] = Stay::kept;
      } else {
        pins_.stays[s] = read.is_resident.value_or(false) ? Stay::fetched : Stay::in_dram;
      }
    }
  }

  /// What a chain makes is not complete when its readers would fetch it.
  void check_fetches_in_chains() {
    for (const ChainLayout& layout : pins_.chains) {
      for (const int storage : layout.not_fetched) {
        if (pins_.stay(storage) != Stay::fetched) continue;
        const Said& read = of_readers_[static_cast<std::size_t>(storage)];
        report(pins_.rows[read.row], read.place, "activation_buffer",
               "dram, or activation_buffer for the row that makes it: a chain fetches nothing that it makes, "
               "or reads before its first reader");
      }
    }
  }

  void take_weights(const GemmProblem& problem, const Pinned<GemmMapping>& pin, std::size_t row) {
    const bool is_resident = pin.value.weights_resident;
    const std::string& place = pin.given.at(mapping_keys::kWeightsIn);
    const std::string value = is_resident ? "weight_buffer" : "dram";
    if (problem.activation_weights) {
      return report(pins_.rows[row], place, value, "activations: the weights are another row's output");
    }
    const bool has_dram = hardware_.dram.kind != DramKind::none;
    if (!has_dram && !is_resident) {
      return report(pins_.rows[row], place, value, "weight_buffer, on a chip without DRAM");
    }
    if (has_dram && is_resident && hardware_.dma.weight_prefetch == WeightPrefetch::ring) {
      return report(pins_.rows[row], place, value, "dram, where dma.weight_prefetch is ring");
    }
    pins_.weights_stay.resize(lowered_.size());
    pins_.weights_stay[row] = is_resident;
  }

  // The rest, with the residency that is given.

  [[nodiscard]] MappingLimits limits() const {
    constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
    return mapping_limits(hardware_, kUnlimited, kUnlimited);
  }
  [[nodiscard]] Stay stay(int storage) const {
    return pins_.stay(storage).value_or(hardware_.dram.kind == DramKind::none ? Stay::kept : Stay::in_dram);
  }

  void check(const GemmProblem& problem, std::size_t row, std::size_t n) {
    GemmMapping residency;
    residency.input_resident = stay(lowered_[row].inputs[n][0]) != Stay::in_dram;
    residency.output_resident = stay(lowered_[row].output) == Stay::kept;
    residency.addend_resident =
        problem.addend() != nullptr && stay(lowered_[row].inputs[n].back()) != Stay::in_dram;
    const MappingLimits unlimited = limits();
    const GemmProblem own = of_stripe(problem, row);
    const GemmSpace space(own, residency, hardware_, unlimited, &pins_.rows[row].gemm);
    report(row, pins_.rows[row].gemm, mapper_.options(space).rejection);
  }
  void check(const VectorProblem& problem, std::size_t row, std::size_t n) {
    VectorMapping residency;
    for (const int storage : lowered_[row].inputs[n])
      residency.inputs_resident.push_back(stay(storage) != Stay::in_dram);
    residency.output_resident = stay(lowered_[row].output) == Stay::kept;
    const MappingLimits unlimited = limits();
    const VectorProblem own = of_stripe(problem, row);
    const VectorSpace space(own, residency, hardware_, unlimited, &pins_.rows[row].vector[n]);
    report(row, pins_.rows[row].vector[n], mapper_.options(space).rejection);
  }
  /// What a nest of a row in a chain computes at most.
  template <typename ProblemType>
  [[nodiscard]] ProblemType of_stripe(const ProblemType& problem, std::size_t row) const {
    for (const ChainLayout& layout : pins_.chains) {
      if (layout.contains(row)) return stripe_problem(problem, largest(layout.windows(row)));
    }
    return problem;
  }
  void check(const HostProblem& /*problem*/, std::size_t /*row*/, std::size_t /*n*/) {}

  template <typename MappingType>
  void report(std::size_t row, const Pinned<MappingType>& pin, const std::optional<PinRejection>& rejection) {
    if (rejection)
      report(pins_.rows[row], pin.given.at(rejection->key), rejection->value, rejection->expected);
  }

  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  MappingMemo& mapper_;
  std::vector<Problem>& problems_;
  PlanPins pins_;
  std::vector<Said> of_makers_, of_readers_;  ///< By storage.
};

}  // namespace

PlanPins check_pins(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                    const HardwareConfig& hardware, MappingMemo& mapper, std::vector<RowPin> rows,
                    std::vector<Problem>& problems) {
  if (rows.empty()) return {};
  return PinChecker(schedule, lowered, hardware, mapper, std::move(rows), problems).run();
}

}  // namespace qsim
