// What the edges of the array feed into it: the operands of each step, read from the buffers.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "hw_models/core/buffer_storage.h"
#include "hw_models/hardware_config.h"
#include "hw_models/pe_array/pass.h"

namespace qsim {

/// Rows and columns that a tile does not use get lanes that are not useful. Of what enters together, the n
/// operands of group g are on lanes g*n .. g*n + n - 1, in the order of their box: by pixel, element of the
/// reduction, channel.
class OperandFeed {
 public:
  OperandFeed(const MacArrayConfig& config, const BufferStorage& weight_buffer,
              const BufferStorage& activation_buffer, bool moves_values)
      : config_(config),
        weight_buffer_(weight_buffer),
        activation_buffer_(activation_buffer),
        moves_values_(moves_values) {}

  /// Step `step` of a pass; counts the elements read.
  [[nodiscard]] StepOperands step(const std::shared_ptr<Pass>& pass, std::int64_t step) const;
  /// Line `index` of what stays during a pass (DataflowModel::line); counts the elements read.
  [[nodiscard]] LoadLine line(const std::shared_ptr<Pass>& pass, std::int64_t index) const;
  /// Of block formats: the exponents of the pass's pixels.
  void put_exponents(Pass& pass) const;

 private:
  /// From lane `offset` on.
  void put_activations(Pass& pass, const OperandBox& box, std::vector<Lane>& lanes,
                       std::size_t offset = 0) const;
  void put_weights(Pass& pass, const OperandBox& box, std::vector<Lane>& lanes, std::size_t offset = 0) const;
  /// Lanes [pixel or channel][product of a PE], of all groups.
  void put_products(Pass& pass, const OperandBox& box, StepOperands& operands) const;
  void put_weights_of_all_pes(Pass& pass, const OperandBox& box, std::vector<Lane>& lanes) const;

  MacArrayConfig config_;
  const BufferStorage& weight_buffer_;
  const BufferStorage& activation_buffer_;
  bool moves_values_;
};

}  // namespace qsim
