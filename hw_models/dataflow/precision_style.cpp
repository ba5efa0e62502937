#include "hw_models/dataflow/precision_style.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "hw_models/dataflow/cuts.h"

namespace qsim {

std::int64_t PrecisionModel::cycles_per_mac(const MacArrayConfig& array, int weight_bits,
                                            int activation_bits) const {
  return ceil_div(weight_bits, array.weight_bits) * ceil_div(activation_bits, array.activation_bits);
}

std::int64_t PrecisionModel::macs_a_pe(const MacArrayConfig& /*array*/, int /*weight_bits*/,
                                       int /*activation_bits*/) const {
  return 1;
}

MacWork PrecisionModel::work(const MacArrayConfig& /*array*/, int weight_bits, int activation_bits) const {
  return {.multiplier_bits2 = static_cast<double>(weight_bits * activation_bits)};
}

MacWork PrecisionModel::built(const MacArrayConfig& array) const {
  return {.multiplier_bits2 = static_cast<double>(array.weight_bits * array.activation_bits)};
}

OperandBits PrecisionModel::operand_bits(const MacArrayConfig& array) const {
  return {array.weight_bits, array.activation_bits};
}

namespace {

/// Narrow operands ride on the wide multiplier.
class Fixed final : public PrecisionModel {};

/// A multiplier as wide as the layer's operands, as though the array were built for it: what is narrower has
/// narrower registers too. The array's widths are those of the widest.
class Native final : public PrecisionModel {
 public:
  [[nodiscard]] bool is_built_for_layer() const override { return true; }
  [[nodiscard]] bool registers_fit_operands() const override { return true; }
};

/// Bricks of 2 x 2 bits fuse into multipliers of 2, 4, 8 or 16 bits a side, and the products of all that a PE
/// has are added in it (H. Sharma et al., Bit Fusion, ISCA 2018, section 3: spatial fusion).
class BitFusion final : public PrecisionModel {
 public:
  [[nodiscard]] std::int64_t macs_a_pe(const MacArrayConfig& array, int weight_bits,
                                       int activation_bits) const override {
    return pieces(weight_bits, array.weight_bits) * pieces(activation_bits, array.activation_bits);
  }
  /// The whole unit works in every cycle, however its bricks are fused.
  [[nodiscard]] MacWork work(const MacArrayConfig& array, int weight_bits,
                             int activation_bits) const override {
    const auto macs = static_cast<double>(macs_a_pe(array, weight_bits, activation_bits));
    const auto cycles = static_cast<double>(cycles_per_mac(array, weight_bits, activation_bits));
    return {.fusion_units = built(array).fusion_units * cycles / macs, .sums = 1.0 / macs};
  }
  [[nodiscard]] MacWork built(const MacArrayConfig& array) const override {
    return {.fusion_units = array.weight_bits * array.activation_bits / 64.0};
  }
  /// Most with operands of 2 bits: W/2 * A/2 of either.
  [[nodiscard]] OperandBits operand_bits(const MacArrayConfig& array) const override {
    const int bits = array.weight_bits * array.activation_bits / 2;
    return {bits, bits};
  }
  [[nodiscard]] bool registers_fit_operands() const override { return true; }
  [[nodiscard]] std::vector<std::int64_t> multiplier_widths() const override { return {2, 4, 8, 16}; }

 private:
  /// Multipliers that a side of the bricks makes: an operand takes 2, 4, 8 or 16 bits of it.
  static std::int64_t pieces(int operand, int side) {
    const auto taken = static_cast<int>(std::bit_ceil(static_cast<unsigned>(std::max(2, operand))));
    return std::max(1, side / taken);
  }
};

/// An operand enters bit by bit and adds the other one to a product that shifts: a cycle a bit. The register
/// of the product holds the serial operand too (shift and add).
class BitSerial final : public PrecisionModel {
 public:
  explicit constexpr BitSerial(bool serial_weights) : serial_weights_(serial_weights) {}

  [[nodiscard]] std::int64_t cycles_per_mac(const MacArrayConfig& array, int weight_bits,
                                            int activation_bits) const override {
    return serial_weights_ ? weight_bits * ceil_div(activation_bits, array.activation_bits)
                           : activation_bits * ceil_div(weight_bits, array.weight_bits);
  }
  /// The rows of the product, one after the other, are those of a multiplier in one piece.
  [[nodiscard]] MacWork work(const MacArrayConfig& array, int weight_bits,
                             int activation_bits) const override {
    const auto cycles = static_cast<double>(cycles_per_mac(array, weight_bits, activation_bits));
    return {.multiplier_bits2 = static_cast<double>(weight_bits * activation_bits),
            .serial_bits = cycles * (weight_bits + activation_bits)};
  }
  [[nodiscard]] MacWork built(const MacArrayConfig& array) const override {
    return {
        .multiplier_bits2 = static_cast<double>(serial_weights_ ? array.activation_bits : array.weight_bits),
        .serial_bits = static_cast<double>(array.weight_bits + array.activation_bits)};
  }

 private:
  bool serial_weights_;
};

const Fixed kFixed;
const BitFusion kBitFusion;
const BitSerial kSerialWeights(true);
const BitSerial kSerialActivations(false);
const Native kNative;

const std::array kStyles = {
    PrecisionRow{PrecisionStyle::fixed, "fixed", kFixed},
    PrecisionRow{PrecisionStyle::bit_fusion, "bit_fusion", kBitFusion},
    PrecisionRow{PrecisionStyle::bit_serial_weights, "bit_serial_weights", kSerialWeights},
    PrecisionRow{PrecisionStyle::bit_serial_activations, "bit_serial_activations", kSerialActivations},
    PrecisionRow{PrecisionStyle::native, "native", kNative},
};

}  // namespace

std::span<const PrecisionRow> precision_table() {
  return kStyles;
}

std::vector<std::string> precision_style_names() {
  std::vector<std::string> names;
  for (const PrecisionRow& row : kStyles) names.emplace_back(row.name);
  return names;
}

const PrecisionModel& precision_model(const MacArrayConfig& array) {
  return kStyles[static_cast<std::size_t>(array.precision_style)].model;
}

std::int64_t MacArrayConfig::cycles_per_mac(int weight_operand_bits, int activation_operand_bits) const {
  return precision_model(*this).cycles_per_mac(*this, weight_operand_bits, activation_operand_bits);
}

std::int64_t MacArrayConfig::macs_a_pe(int weight_operand_bits, int activation_operand_bits) const {
  return precision_model(*this).macs_a_pe(*this, weight_operand_bits, activation_operand_bits);
}

}  // namespace qsim
