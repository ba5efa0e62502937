// The weight buffer: weights that stay, and slots that the loads of all others cycle through.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapping_memo.h"
#include "sim/compiler/plan_pins.h"

namespace qsim {

/// Tiles and tensors start at multiples of this in buffers.
inline constexpr std::int64_t kBufferAlignment = 64;

[[nodiscard]] constexpr std::int64_t aligned_bytes(std::int64_t bytes) {
  return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

/// Weights that stay may cost the first inference this part of its time.
inline constexpr double kWorthKeeping = 400.0;

struct WeightBufferPlan {
  std::vector<bool> stays;       ///< By row: its weights stay, one row behind the other from address 0.
  std::int64_t slots_begin = 0;  ///< Address of the slots.
  std::int64_t slots = 2;        ///< 0 where all weights stay.
  std::int64_t parameter_slot_bytes = 0;
  std::int64_t weight_slot_bytes = 0;
};

/// How a product would run with all of its tensors on the chip; nullptr where windows of a pooling on its way
/// out do not fit the pooler's lines even so.
[[nodiscard]] const MappingOption<GemmMapping>* mapping_on_chip(const GemmProblem& problem,
                                                                const HardwareConfig& hardware,
                                                                MappingMemo& mapper);
/// Weights and parameters of a row, whole and placed; 0 for rows of the vector unit.
[[nodiscard]] std::int64_t weight_bytes(const LoweredRow& row, const HardwareConfig& hardware,
                                        MappingMemo& mapper);
/// Sum over the rows; the largest integer where a row's weights are activations, which pass through slots
/// that all rows share.
[[nodiscard]] std::int64_t all_weight_bytes(const std::vector<LoweredRow>& lowered,
                                            const HardwareConfig& hardware, MappingMemo& mapper);

/// Parameters of the smallest block of any row: one column tile, or what is pinned.
[[nodiscard]] std::int64_t least_parameter_bytes(const std::vector<LoweredRow>& lowered,
                                                 const HardwareConfig& hardware, MappingMemo& mapper,
                                                 const PlanPins& pins);

/// How a weight buffer of `capacity_bytes` is cut into slots: each parameter slot takes a sixteenth, or
/// `least_parameter_bytes` where that is more; the weight slots share the rest.
[[nodiscard]] WeightBufferPlan cut_into_slots(std::int64_t capacity_bytes, bool double_buffered,
                                              std::int64_t least_parameter_bytes);

/// Rows whose weights stay where they leave `reserve_bytes` to slots: the largest first that still fit.
/// Products of activations have none.
[[nodiscard]] std::vector<bool> rows_that_stay(const std::vector<std::int64_t>& weight_bytes,
                                               std::int64_t capacity_bytes, std::int64_t reserve_bytes);

/// Choices of rows whose weights stay, more first: all where `all_fit`, those that leave a 64th, a 32nd .. a
/// half of the buffer to slots, none. Those of rows that are executed in stripes stay with any choice, as far
/// as they fit; behind them there is the choice that they do not either.
[[nodiscard]] std::vector<std::vector<bool>> weights_that_may_stay(
    const std::vector<std::int64_t>& weight_bytes, const std::vector<bool>& is_striped,
    std::int64_t capacity_bytes, bool all_fit);
/// The weights that stay, and slots in what they leave free where others pass through them.
[[nodiscard]] WeightBufferPlan plan_weight_buffer(std::vector<bool> stays,
                                                  const std::vector<LoweredRow>& lowered,
                                                  const HardwareConfig& hardware, MappingMemo& mapper,
                                                  const PlanPins& pins);

/// A product and how it is executed.
struct MappedGemm {
  const GemmProblem* problem = nullptr;
  const GemmMapping* mapping = nullptr;
};

/// `plan` with slots as small as the largest block of the products, and so as many as the capacity holds.
[[nodiscard]] WeightBufferPlan cut_into_ring(WeightBufferPlan plan, const std::vector<MappedGemm>& products,
                                             std::int64_t capacity_bytes);

}  // namespace qsim
