// What mapping files ask of a plan, and whether it can be had.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "hw_models/hardware_config.h"
#include "sim/compiler/activation_map.h"
#include "sim/compiler/chain.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapper.h"
#include "sim/compiler/mapping_memo.h"
#include "sim/compiler/schedule.h"

namespace qsim {

/// Nothing is given where the vectors are empty.
struct PlanPins {
  std::vector<RowPin> rows;
  std::vector<std::optional<Stay>> stays;         ///< By storage.
  std::vector<std::optional<bool>> weights_stay;  ///< By row; empty where none is given.
  std::vector<ChainLayout> chains;                ///< Rows that are executed in stripes.

  [[nodiscard]] bool any() const { return !rows.empty(); }
  [[nodiscard]] const Pinned<GemmMapping>* gemm(std::size_t row) const {
    return rows.empty() ? nullptr : &rows[row].gemm;
  }
  [[nodiscard]] const Pinned<VectorMapping>* vector(std::size_t row, std::size_t nest) const {
    return rows.empty() ? nullptr : &rows[row].vector[nest];
  }
  /// Bytes of the activation buffer that a row may use.
  [[nodiscard]] std::int64_t activation_bytes(std::size_t row, std::int64_t capacity) const {
    return rows.empty() ? capacity : std::min(capacity, rows[row].activation_bytes.value_or(capacity));
  }
  [[nodiscard]] std::optional<Stay> stay(int storage) const {
    return stays.empty() ? std::nullopt : stays[static_cast<std::size_t>(storage)];
  }
};

/// A storage that may stay in the activation buffer in this way: kept, what one row of the chip makes and a
/// later one reads; fetched, what a row of the chip reads.
[[nodiscard]] bool may_stay(const Storage& storage, Stay stay, const HardwareConfig& hardware);

/// Those that may, most reads saved per row of occupancy first.
[[nodiscard]] std::vector<int> by_saved_reads(const Schedule& schedule,
                                              const std::vector<LoweredRow>& lowered,
                                              const HardwareConfig& hardware);

/// What is given of where a product's tensors lie.
[[nodiscard]] GemmMapping given_residency(const LoweredRow& row, const PlanPins& pins);

/// Pins of rows as pins of the plan. Every value that is not legal by itself is a problem; whether all fit
/// together only the plan tells.
[[nodiscard]] PlanPins check_pins(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                                  const HardwareConfig& hardware, MappingMemo& mapper,
                                  std::vector<RowPin> rows, std::vector<Problem>& problems);

}  // namespace qsim
