// The weight buffer: all weights for good, or slots that loads cycle through.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapper.h"
#include "sim/compiler/plan_pins.h"

namespace qsim {

/// Tiles and tensors start at multiples of this in buffers.
inline constexpr std::int64_t kBufferAlignment = 64;

[[nodiscard]] constexpr std::int64_t aligned_bytes(std::int64_t bytes) {
  return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

struct WeightBufferPlan {
  bool resident = false;
  std::int64_t slots = 2;
  std::int64_t parameter_slot_bytes = 0;
  std::int64_t weight_slot_bytes = 0;
};

/// Weights and parameters of a row, whole and placed; 0 for rows of the vector unit.
[[nodiscard]] std::int64_t weight_bytes(const LoweredRow& row, const HardwareConfig& hardware,
                                        const Mapper& mapper);
/// Sum over the rows; the largest integer where a row's weights are activations, which pass through slots
/// that all rows share.
[[nodiscard]] std::int64_t all_weight_bytes(const std::vector<LoweredRow>& lowered,
                                            const HardwareConfig& hardware, const Mapper& mapper);

/// Parameters of the smallest block of any row: one column tile, or what is pinned.
[[nodiscard]] std::int64_t least_parameter_bytes(const std::vector<LoweredRow>& lowered,
                                                 const HardwareConfig& hardware, const Mapper& mapper,
                                                 const PlanPins& pins);

/// How a weight buffer of `capacity_bytes` is cut into slots: each parameter slot takes a sixteenth, or
/// `least_parameter_bytes` where that is more; the weight slots share the rest.
[[nodiscard]] WeightBufferPlan cut_into_slots(std::int64_t capacity_bytes, bool double_buffered,
                                              std::int64_t least_parameter_bytes);

/// A product and how it is executed.
struct MappedGemm {
  const GemmProblem* problem = nullptr;
  const GemmMapping* mapping = nullptr;
};

/// `plan` with slots as small as the largest block of the products, and so as many as the capacity holds.
[[nodiscard]] WeightBufferPlan cut_into_ring(WeightBufferPlan plan, const std::vector<MappedGemm>& products,
                                             std::int64_t capacity_bytes);

}  // namespace qsim
