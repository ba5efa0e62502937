// How multipliers take operands of other widths than their own: an object a style, which timing, PEs, mapper
// and energy model ask (docs/dataflows.md). Objects have no state and know no energy figure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hw_models/hardware_config.h"

namespace qsim {

/// What a MAC uses, and what a PE is made of, in what energy tables price. W, A: widths of the array's
/// multipliers.
struct MacWork {
  /// Of a multiplier that is built in one piece: weight bits x activation bits that work.
  double multiplier_bits2 = 0.0;
  /// Cycles of a fusion unit of 8 x 8 bits that the MAC takes, or such units that a PE has.
  double fusion_units = 0.0;
  /// Additions to the PE's sum.
  double sums = 1.0;
  /// Register bits beside operands and sum: a bit-serial multiplier's product as it shifts.
  double serial_bits = 0.0;
};

/// Bits of the registers that hold a PE's operands.
struct OperandBits {
  int weight = 0, activation = 0;
};

class PrecisionModel {
 public:
  constexpr PrecisionModel() = default;
  virtual ~PrecisionModel() = default;
  PrecisionModel(const PrecisionModel&) = delete;
  PrecisionModel& operator=(const PrecisionModel&) = delete;

  /// Cycles of one product: operands wider than the multipliers are cut into pieces, a cycle each pair
  /// (16-bit activations on an 8x8 multiplier: 2).
  [[nodiscard]] virtual std::int64_t cycles_per_mac(const MacArrayConfig& array, int weight_bits,
                                                    int activation_bits) const;
  /// Products of neighbouring elements of the reduction that a PE makes side by side and adds to one sum.
  [[nodiscard]] virtual std::int64_t macs_a_pe(const MacArrayConfig& array, int weight_bits,
                                               int activation_bits) const;
  /// Of one MAC of operands of these widths.
  [[nodiscard]] virtual MacWork work(const MacArrayConfig& array, int weight_bits, int activation_bits) const;
  /// What a PE is built of.
  [[nodiscard]] virtual MacWork built(const MacArrayConfig& array) const;
  [[nodiscard]] virtual OperandBits operand_bits(const MacArrayConfig& array) const;
  /// The array is clocked as though it were built for each layer by itself.
  [[nodiscard]] virtual bool is_built_for_layer() const { return false; }
  /// Clock-gated operand registers are as wide as what is written; otherwise as the multipliers.
  [[nodiscard]] virtual bool registers_fit_operands() const { return false; }
  /// The widths of multipliers that there are; empty: any.
  [[nodiscard]] virtual std::vector<std::int64_t> multiplier_widths() const { return {}; }
};

struct PrecisionRow {
  PrecisionStyle style{};
  const char* name = nullptr;  ///< In the hardware JSON: precision.style.
  const PrecisionModel& model;
};

/// In the order of the enumerators.
[[nodiscard]] std::span<const PrecisionRow> precision_table();
[[nodiscard]] std::vector<std::string> precision_style_names();

/// The object of the array's style; it lives as long as the program.
[[nodiscard]] const PrecisionModel& precision_model(const MacArrayConfig& array);

}  // namespace qsim
