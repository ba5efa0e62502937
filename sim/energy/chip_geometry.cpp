#include "sim/energy/chip_geometry.h"

#include <cmath>

#include "hw_models/dataflow/precision_style.h"
#include "sim/energy/energy_keys.h"

namespace qsim {
namespace {

constexpr double kMm2PerUm2 = 1e-6;
constexpr double kMmPerUm = 1e-3;

/// Reads areas in mm2.
class Areas {
 public:
  Areas(const HardwareConfig& hardware, const EnergyTable& table) : hardware_(hardware), table_(table) {}

  /// A multiplier grows with both widths, the rest of a PE hardly.
  [[nodiscard]] double pe() const {
    const MacWork built = precision_model(hardware_.mac_array).built(hardware_.mac_array);
    const double fusion = built.fusion_units > 0.0 ? um2(kFusionAreaKey) * 64.0 * built.fusion_units : 0.0;
    return um2("pe_area") + um2("pe_area_bit2") * built.multiplier_bits2 + fusion +
           registers(built.serial_bits);
  }
  [[nodiscard]] double buffer(const BufferConfig& config) const {
    const EnergyEntry& curve = table_.at(curve_key(config.curve, "area"));
    return static_cast<double>(config.banks) * curve_value(curve, bank_capacity_bytes(config));
  }
  /// A macro, an adder and, where groups have multipliers, one of these a column.
  [[nodiscard]] double accumulators() const {
    const EnergyEntry& curve = table_.at(curve_key(hardware_.accumulators.curve, "area"));
    const double multiplier = multiply(hardware_.requantizer.group_multiplier_bits, width());
    return columns() * (curve_value(curve, accumulator_column_bytes(hardware_)) + add(width()) + multiplier);
  }
  /// A lane: multiplier, three adders, a shifter and two comparators, in four stages of registers.
  [[nodiscard]] double requantizer() const {
    const RequantizerConfig& config = hardware_.requantizer;
    const double lane = multiply(config.multiplier_bits, width()) + 3.0 * um2("int32_add_area") +
                        um2("shift_area") + 2.0 * um2("int32_compare_area") + registers(4.0 * width());
    const EnergyEntry& curve = table_.at("sram_area");
    const double lines =
        config.fused_pool ? curve_value(curve, static_cast<double>(config.pool_line_bytes)) : 0.0;
    return static_cast<double>(config.lanes) * lane + lines;
  }
  /// Sums of inputs beside the columns, a multiplier and an adder a lane of the requantizer.
  [[nodiscard]] double zero_point_correction() const {
    const double lane = multiply(hardware_.mac_array.weight_bits, width()) + add(width());
    return columns() * (add(width()) + registers(width())) +
           static_cast<double>(hardware_.requantizer.lanes) * lane;
  }
  /// A lane: multiplier, adder, shifter and two comparators of 32 bits in four stages; a table of 256 bytes.
  [[nodiscard]] double vector_unit() const {
    const double lane = multiply(32, 32) + um2("int32_add_area") + um2("shift_area") +
                        2.0 * um2("int32_compare_area") + registers(4.0 * 32.0) +
                        curve_value(table_.at("sram_area"), 256.0);
    return static_cast<double>(hardware_.vector_unit.lanes) * lane;
  }
  /// Tracks of the ports, from the banks of each buffer to half a side away.
  [[nodiscard]] double wires(double side_mm) const {
    const double pitch_mm = table_.at("wire_pitch").value * kMmPerUm;
    const auto port = [&](const BufferConfig& buffer) {
      const auto bytes = static_cast<double>(buffer.read_ports * buffer.read_port_bytes +
                                             buffer.write_ports * buffer.write_port_bytes);
      return 8.0 * bytes * (bank_wire_mm(buffer, table_) + side_mm / 2.0) * pitch_mm;
    };
    return port(hardware_.weight_buffer) + port(hardware_.activation_buffer);
  }

 private:
  [[nodiscard]] double um2(const std::string& key) const { return table_.at(key).value * kMm2PerUm2; }
  [[nodiscard]] double width() const { return hardware_.accumulators.width_bits; }
  [[nodiscard]] double columns() const { return static_cast<double>(hardware_.mac_array.columns); }
  [[nodiscard]] double add(double bits) const { return um2("int32_add_area") * bits / 32.0; }
  [[nodiscard]] double registers(double bits) const { return um2("register_bit_area") * bits; }
  [[nodiscard]] double multiply(double left_bits, double right_bits) const {
    return um2("int32_multiply_area") * left_bits * right_bits / 1024.0;
  }

  const HardwareConfig& hardware_;
  const EnergyTable& table_;
};

}  // namespace

double ChipGeometry::side_mm() const {
  return std::sqrt(cell_mm2);
}

ChipGeometry chip_geometry(const HardwareConfig& hardware, const EnergyTable& table) {
  const Areas areas(hardware, table);
  ChipGeometry geometry;
  const auto of = [&](Component component) -> double& {
    return geometry.area_mm2[static_cast<std::size_t>(component)];
  };
  of(Component::mac_array) =
      static_cast<double>(hardware.mac_array.rows * hardware.mac_array.columns) * areas.pe();
  of(Component::weight_buffer) = areas.buffer(hardware.weight_buffer);
  of(Component::activation_buffer) = areas.buffer(hardware.activation_buffer);
  of(Component::accumulators) = areas.accumulators();
  of(Component::requantizer) = areas.requantizer();
  of(Component::zero_point_correction) = areas.zero_point_correction();
  of(Component::vector_unit) = areas.vector_unit();
  of(Component::control) = table.at("control_area").value;
  for (const double mm2 : geometry.area_mm2) geometry.cell_mm2 += mm2;
  geometry.pe_pitch_mm = std::sqrt(areas.pe());
  of(Component::wires) = areas.wires(geometry.side_mm());
  return geometry;
}

double bank_capacity_bytes(const BufferConfig& buffer) {
  return static_cast<double>(buffer.capacity_bytes()) / static_cast<double>(buffer.banks);
}

double accumulator_column_bytes(const HardwareConfig& hardware) {
  return static_cast<double>(hardware.accumulators.entries) * hardware.accumulators.width_bits / 8.0;
}

double bank_wire_mm(const BufferConfig& buffer, const EnergyTable& table) {
  const auto banks = static_cast<double>(buffer.banks);
  const double bank_mm2 = curve_value(table.at(curve_key(buffer.curve, "area")), bank_capacity_bytes(buffer));
  return 1.5 * std::sqrt(banks * bank_mm2) * (1.0 - 1.0 / std::sqrt(banks));
}

}  // namespace qsim
