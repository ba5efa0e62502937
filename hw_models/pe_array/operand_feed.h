// What the edges of the array feed into it: the operands of each step, read from the buffers.
#pragma once

#include <cstdint>

#include "hw_models/core/sram_buffer.h"
#include "hw_models/hardware_config.h"
#include "hw_models/pe_array/pass.h"

namespace qsim {

/// Rows and columns that a tile does not use get lanes that are not useful. Element `k` of group `g` is on
/// row g * chunk + k, channel c of the group in column g * group_channels + c, pixel p where pixels have rows
/// or columns of their own at g * pixels + p.
class OperandFeed {
 public:
  OperandFeed(const MacArrayConfig& config, const SramBuffer& weight_buffer,
              const SramBuffer& activation_buffer, bool moves_values)
      : config_(config),
        weight_buffer_(weight_buffer),
        activation_buffer_(activation_buffer),
        moves_values_(moves_values) {}

  /// Step `step` of a pass; counts the elements read.
  [[nodiscard]] StepOperands step(const std::shared_ptr<Pass>& pass, std::int64_t step) const;
  /// Row (systolic) or column (dot_product) `index` of what stays during a pass; counts the elements read.
  [[nodiscard]] LoadLine line(const std::shared_ptr<Pass>& pass, std::int64_t index) const;
  /// Elements of what stays that are read for it.
  [[nodiscard]] static std::int64_t line_elements(const MacTile& tile, std::int64_t index);

 private:
  [[nodiscard]] Lane activation(Pass& pass, std::int64_t pixel, std::int64_t group, std::int64_t k) const;
  [[nodiscard]] Lane weight(Pass& pass, std::int64_t group, std::int64_t k, std::int64_t channel) const;
  [[nodiscard]] Lane stationary(Pass& pass, std::int64_t row, std::int64_t column) const;
  void feed_sums_in_pes(Pass& pass, StepOperands& operands) const;
  void feed_dot_products(Pass& pass, StepOperands& operands) const;

  MacArrayConfig config_;
  const SramBuffer& weight_buffer_;
  const SramBuffer& activation_buffer_;
  bool moves_values_;
};

}  // namespace qsim
