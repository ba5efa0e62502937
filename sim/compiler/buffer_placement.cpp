#include "sim/compiler/buffer_placement.h"

#include <utility>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/schedule.h"
#include "sim/compiler/vector_space.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {
namespace {

Placement place_tensor(const TensorView& tensor, int storage, const Dims& tile, std::int64_t slots,
                       const ActivationMap& map, std::int64_t& address) {
  Placement placement = unplaced(tensor);
  placement.resident = map.is_resident(storage);
  if (placement.resident) {
    placement.buffer.base = map.address(storage);
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
  placement.input = place_tensor(problem.input, row.inputs[n][0], gemm_input_tile(problem, mapping),
                                 mapping.input_slots, map, address);
  placement.output = place_tensor(problem.output, row.output, gemm_output_tile(problem, mapping),
                                  mapping.output_slots, map, address);
  return placement;
}

VectorPlacement place_in_buffers(const VectorProblem& problem, const VectorMapping& mapping,
                                 const LoweredRow& row, std::size_t n, const ActivationMap& map,
                                 std::int64_t slots_begin) {
  VectorPlacement placement;
  std::int64_t address = slots_begin;
  for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
    placement.inputs.push_back(place_tensor(problem.inputs[i].tensor, row.inputs[n][i],
                                            vector_input_tile(problem, mapping, i), mapping.slots, map,
                                            address));
  }
  placement.output = place_tensor(problem.output, row.output, mapping.tile, mapping.slots, map, address);
  return placement;
}

std::int64_t place_resident_weights(const std::vector<LoweredRow>& lowered,
                                    std::vector<std::vector<NestPlan>>& nests, std::int64_t& payload_bytes) {
  std::int64_t address = 0;
  for (std::size_t row = 0; row < nests.size(); ++row) {
    const GemmProblem* gemm = lowered[row].gemm();
    if (gemm == nullptr) continue;
    auto& [mapping, placement] = std::get<GemmPlan>(nests[row][0]);
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
    payload_bytes += parameters + weights;
    address = placement.weights_base + aligned_bytes(weights);
  }
  return address;
}

}  // namespace qsim
