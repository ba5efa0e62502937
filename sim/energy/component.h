// What energy and area are told apart by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace qsim {

/// Components, in the order of the report.
enum class Component : std::uint8_t {
  mac_array,
  weight_buffer,
  activation_buffer,
  accumulators,
  requantizer,
  zero_point_correction,
  vector_unit,
  dma,
  dram,
  control,
  clock,
  wires,
  static_power,  ///< JSON: "static"
  count_
};
inline constexpr std::size_t kComponentCount = static_cast<std::size_t>(Component::count_);
[[nodiscard]] const char* component_name(Component component);

using AreaBreakdown = std::array<double, kComponentCount>;  ///< mm2; 0 of what has none of its own.

}  // namespace qsim
