#include "sim/compiler/plan_equality.h"

#include <algorithm>
#include <cstddef>
#include <variant>

namespace qsim {

namespace {

/// In the buffers: a plan has no addresses in DRAM.
bool is_same(const Placement& one, const Placement& other) {
  return one.resident == other.resident && one.slots == other.slots && one.buffer.base == other.buffer.base &&
         one.buffer.strides == other.buffer.strides && one.buffer.ring_rows == other.buffer.ring_rows;
}

bool is_same(const GemmPlan& one, const GemmPlan& other) {
  const GemmPlacement& a = one.placement;
  const GemmPlacement& b = other.placement;
  return one.mapping == other.mapping && is_same(a.input, b.input) && is_same(a.output, b.output) &&
         is_same(a.addend, b.addend) && a.weights_base == b.weights_base &&
         a.parameters_base == b.parameters_base && a.sums_base == b.sums_base;
}

bool is_same(const VectorPlan& one, const VectorPlan& other) {
  return one.mapping == other.mapping && is_same(one.placement.output, other.placement.output) &&
         std::ranges::equal(one.placement.inputs, other.placement.inputs,
                            [](const Placement& a, const Placement& b) { return is_same(a, b); });
}

bool is_same(const NestPlan& one, const NestPlan& other) {
  if (one.index() != other.index()) return false;
  if (const auto* gemm = std::get_if<GemmPlan>(&one)) return is_same(*gemm, std::get<GemmPlan>(other));
  if (const auto* vector = std::get_if<VectorPlan>(&one))
    return is_same(*vector, std::get<VectorPlan>(other));
  return true;
}

bool is_same(const WeightBufferPlan& one, const WeightBufferPlan& other) {
  return one.stays == other.stays && one.slots_begin == other.slots_begin && one.slots == other.slots &&
         one.parameter_slot_bytes == other.parameter_slot_bytes &&
         one.weight_slot_bytes == other.weight_slot_bytes;
}

bool is_same(const std::vector<ChainLayout>& one, const std::vector<ChainLayout>& other) {
  return std::ranges::equal(one, other,
                            [](const ChainLayout& a, const ChainLayout& b) { return a.chain == b.chain; });
}

}  // namespace

bool are_executed_alike(const MemoryPlan& one, const MemoryPlan& other) {
  const auto same_row = [](const std::vector<NestPlan>& a, const std::vector<NestPlan>& b) {
    return std::ranges::equal(a, b, [](const NestPlan& x, const NestPlan& y) { return is_same(x, y); });
  };
  return one.stays == other.stays && one.address == other.address && is_same(one.weights, other.weights) &&
         is_same(one.chains, other.chains) && std::ranges::equal(one.nests, other.nests, same_row);
}

}  // namespace qsim
