#include "sim/compiler/buffer_placement.h"

#include <utility>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/schedule.h"
#include "sim/compiler/vector_space.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {
namespace {

/// Where a tensor is that stays.
struct Resident {
  std::int64_t address = 0, ring_rows = 0;
};

Resident resident_of(const ActivationMap& map, int storage) {
  return {map.address(storage), map.ring_rows(storage, map.stay(storage))};
}

/// As a resident, or in slots from `address` on, which moves behind the last.
Placement place_tensor(const TensorView& tensor, bool is_resident, const Dims& tile, std::int64_t slots,
                       const Resident& resident, std::int64_t& address) {
  Placement placement = unplaced(tensor);
  placement.resident = is_resident;
  if (placement.resident) {
    placement.buffer.base = resident.address;
    placement.buffer.ring_rows = resident.ring_rows;
    if (resident.ring_rows > 0) placement.buffer.strides[0] = resident.ring_rows * tensor.layout.strides[1];
    return placement;
  }
  placement.buffer = dense_layout(tile, tensor.layout.format, 0, tensor.pixel_granule);
  for (std::int64_t s = 0; s < slots; ++s) {
    placement.slots.push_back(address);
    address += dense_bytes(tile, tensor.layout.format, tensor.pixel_granule);
  }
  return placement;
}

}  // namespace

GemmPlacement place_in_buffers(const GemmProblem& problem, const GemmMapping& mapping, const LoweredRow& row,
                               std::size_t n, const ActivationMap& map, std::int64_t slots_begin) {
  GemmPlacement placement;
  std::int64_t address = slots_begin;
  placement.input = place_tensor(problem.input, mapping.input_resident, gemm_input_tile(problem, mapping),
                                 mapping.input_slots, resident_of(map, row.inputs[n][0]), address);
  placement.output = place_tensor(problem.output, mapping.output_resident,
                                  gemm_written_tile(problem, mapping, GemmCursor(problem, mapping)),
                                  mapping.output_slots, resident_of(map, row.output), address);
  if (const TensorView* addend = problem.addend())
    placement.addend = place_tensor(*addend, mapping.addend_resident, gemm_output_tile(problem, mapping),
                                    mapping.addend_slots, resident_of(map, row.inputs[n].back()), address);
  placement.sums_base = address;
  return placement;
}

VectorPlacement place_in_buffers(const VectorProblem& problem, const VectorMapping& mapping,
                                 const LoweredRow& row, std::size_t n, const ActivationMap& map,
                                 std::int64_t slots_begin) {
  VectorPlacement placement;
  std::int64_t address = slots_begin;
  for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
    placement.inputs.push_back(place_tensor(problem.inputs[i].tensor, mapping.inputs_resident[i],
                                            vector_input_tile(problem, mapping, i), mapping.slots,
                                            resident_of(map, row.inputs[n][i]), address));
  }
  placement.output = place_tensor(problem.output, mapping.output_resident, mapping.tile, mapping.slots,
                                  resident_of(map, row.output), address);
  return placement;
}

std::int64_t place_resident_weights(const std::vector<LoweredRow>& lowered,
                                    std::vector<std::vector<NestPlan>>& nests) {
  std::int64_t address = 0;
  for (std::size_t row = 0; row < nests.size(); ++row) {
    const GemmProblem* gemm = lowered[row].gemm();
    if (gemm == nullptr) continue;
    auto& [mapping, placement] = std::get<GemmPlan>(nests[row][0]);
    if (!mapping.weights_resident) continue;
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
    address = placement.weights_base + aligned_bytes(weights);
  }
  return address;
}

}  // namespace qsim
