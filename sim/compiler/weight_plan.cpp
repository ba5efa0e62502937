#include "sim/compiler/weight_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/mapping.h"

namespace qsim {

namespace {

/// Weights of more times the buffer than this pass through slots, all of them: what could stay is little.
constexpr std::int64_t kManyWeights = 8;

}  // namespace

const MappingOption<GemmMapping>* mapping_on_chip(const GemmProblem& problem, const HardwareConfig& hardware,
                                                  MappingMemo& mapper) {
  GemmMapping whole;
  whole.input_resident = whole.output_resident = whole.weights_resident = whole.addend_resident = true;
  const MappingLimits no_slots;
  return mapper.options(GemmSpace(problem, whole, hardware, no_slots)).best({});
}

std::int64_t weight_bytes(const LoweredRow& row, const HardwareConfig& hardware, MappingMemo& mapper) {
  const GemmProblem* gemm = row.gemm();
  if (gemm == nullptr) return 0;
  const GemmMapping whole = mapping_on_chip(*gemm, hardware, mapper)->mapping;
  const GemmCursor cursor(*gemm, whole);
  std::int64_t bytes = 2 * kBufferAlignment;
  for (std::int64_t block = 0; block < cursor.blocks(); ++block) {
    const auto [begin, end] = cursor.block_channels(block);
    bytes += gemm->parameters.block_bytes(end - begin);
    for (std::int64_t part = 0; part < cursor.parts(); ++part) bytes += cursor.block_bytes(block, part);
  }
  return bytes;
}

std::int64_t all_weight_bytes(const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware,
                              MappingMemo& mapper) {
  std::int64_t bytes = 0;
  for (const LoweredRow& row : lowered) {
    const GemmProblem* gemm = row.gemm();
    if (gemm != nullptr && gemm->activation_weights) return std::numeric_limits<std::int64_t>::max();
    bytes += weight_bytes(row, hardware, mapper);
  }
  return bytes;
}

std::int64_t least_parameter_bytes(const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware,
                                   MappingMemo& mapper, const PlanPins& pins) {
  std::int64_t bytes = 0;
  for (std::size_t row = 0; row < lowered.size(); ++row) {
    const GemmProblem* gemm = lowered[row].gemm();
    if (gemm == nullptr) continue;
    const GemmMapping residency = given_residency(lowered[row], pins);
    const MappingLimits limits = mapping_limits(hardware, 0, 0);
    // Given blocks of weights that stay take no slot.
    const bool stays = row < pins.weights_stay.size() && pins.weights_stay[row].value_or(false);
    const Pinned<GemmMapping>* pin = stays ? nullptr : pins.gemm(row);
    const auto& needed = mapper.options(GemmSpace(*gemm, residency, hardware, limits, pin)).needed;
    if (needed.empty()) continue;
    bytes = std::max(bytes,
                     std::ranges::min(needed, {}, &SpaceNeeded::parameter_slot_bytes).parameter_slot_bytes);
  }
  return bytes;
}

WeightBufferPlan cut_into_slots(std::int64_t capacity_bytes, bool double_buffered,
                                std::int64_t least_parameter_bytes) {
  constexpr std::int64_t kParameterShare = 16;
  WeightBufferPlan plan;
  plan.slots = double_buffered ? 2 : 1;
  plan.parameter_slot_bytes =
      aligned_bytes(std::max(capacity_bytes / kParameterShare, least_parameter_bytes));
  plan.weight_slot_bytes =
      std::max<std::int64_t>(0, capacity_bytes / plan.slots - plan.parameter_slot_bytes) / kBufferAlignment *
      kBufferAlignment;
  return plan;
}

std::vector<bool> rows_that_stay(const std::vector<std::int64_t>& weight_bytes, std::int64_t capacity_bytes,
                                 std::int64_t reserve_bytes) {
  std::vector<std::size_t> order(weight_bytes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return weight_bytes[a] > weight_bytes[b]; });
  std::vector<bool> stays(weight_bytes.size(), false);
  std::int64_t free = capacity_bytes - reserve_bytes;
  for (const std::size_t row : order) {
    if (weight_bytes[row] == 0 || weight_bytes[row] > free) continue;
    stays[row] = true;
    free -= weight_bytes[row];
  }
  return stays;
}

std::vector<std::vector<bool>> weights_that_may_stay(const std::vector<std::int64_t>& weight_bytes,
                                                     const std::vector<bool>& is_striped,
                                                     std::int64_t capacity_bytes, bool all_fit) {
  const std::int64_t all = std::accumulate(weight_bytes.begin(), weight_bytes.end(), std::int64_t{0});
  std::vector<std::int64_t> others = weight_bytes;
  std::int64_t free = capacity_bytes;
  for (std::size_t row = 0; row < weight_bytes.size(); ++row) {
    if (!is_striped[row]) continue;
    others[row] = 0;
    free -= weight_bytes[row];
  }
  std::vector<std::vector<bool>> choices;
  if (all_fit) choices.push_back(rows_that_stay(weight_bytes, capacity_bytes, 0));
  for (std::int64_t share = 64; share >= 2 && !all_fit && all <= kManyWeights * capacity_bytes; share /= 2)
    choices.push_back(rows_that_stay(others, free, capacity_bytes / share));
  const std::vector<bool> none(weight_bytes.size(), false);
  choices.push_back(none);
  for (std::vector<bool>& stays : choices) {
    for (std::size_t row = 0; row < weight_bytes.size() && free >= 0; ++row)
      if (is_striped[row]) stays[row] = weight_bytes[row] > 0;
  }
  choices.push_back(none);
  choices.erase(std::unique(choices.begin(), choices.end()), choices.end());
  return choices;
}

WeightBufferPlan plan_weight_buffer(std::vector<bool> stays, const std::vector<LoweredRow>& lowered,
                                    const HardwareConfig& hardware, MappingMemo& mapper,
                                    const PlanPins& pins) {
  std::int64_t resident = 0;
  bool all_stay = true;
  for (std::size_t row = 0; row < lowered.size(); ++row) {
    if (lowered[row].gemm() == nullptr) continue;
    all_stay &= stays[row];
    if (stays[row]) resident += weight_bytes(lowered[row], hardware, mapper);
  }
  const std::int64_t free = std::max<std::int64_t>(0, hardware.weight_buffer.capacity_bytes() - resident);
  WeightBufferPlan plan =
      cut_into_slots(all_stay ? 0 : free, hardware.weight_buffer.double_buffered,
                     all_stay ? 0 : least_parameter_bytes(lowered, hardware, mapper, pins));
  if (all_stay) plan.slots = 0;
  plan.slots_begin = aligned_bytes(resident);
  plan.stays = std::move(stays);
  return plan;
}

WeightBufferPlan cut_into_ring(WeightBufferPlan plan, const std::vector<MappedGemm>& products,
                               std::int64_t capacity_bytes) {
  std::int64_t weights = 0;
  std::int64_t parameters = 0;
  for (const auto& [gemm, mapping] : products) {
    const GemmCursor cursor(*gemm, *mapping);
    for (std::int64_t block = 0; block < cursor.blocks(); ++block) {
      const auto [begin, end] = cursor.block_channels(block);
      parameters = std::max(parameters, gemm->parameters.block_bytes(end - begin));
      for (std::int64_t part = 0; part < cursor.parts(); ++part)
        weights = std::max(weights, cursor.block_bytes(block, part));
    }
  }
  if (weights == 0) return plan;
  plan.weight_slot_bytes = aligned_bytes(weights);
  plan.parameter_slot_bytes = aligned_bytes(parameters);
  plan.slots = std::max(plan.slots, capacity_bytes / (plan.weight_slot_bytes + plan.parameter_slot_bytes));
  return plan;
}

}  // namespace qsim
