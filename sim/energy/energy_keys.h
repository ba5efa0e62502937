// Which entries an energy table has: keys, units, and which of them are curves over capacity.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qsim {

/// A key of the model with the form that its entry must have.
struct EnergyKey {
  std::string key;
  std::string_view unit;
  bool is_curve = false;
};

/// Every key that a table must have.
[[nodiscard]] const std::vector<EnergyKey>& required_energy_keys();

/// A fusion unit of 8 x 8 bits: a cycle, and its area a bit2. A table has them where a chip needs them.
inline constexpr const char* kFusionMultiplyKey = "fusion_multiply";
inline constexpr const char* kFusionAreaKey = "fusion_area_bit2";

/// Form of a key: a required one, <device>_self_refresh, or a curve under a name of the user's own
/// (<name>_read_64bit, <name>_write_64bit, <name>_area). Nothing where the key is neither.
[[nodiscard]] std::optional<EnergyKey> energy_key(const std::string& key);

/// Key of a curve that a buffer names: curve_key("sram", "read_64bit").
[[nodiscard]] std::string curve_key(const std::string& curve, std::string_view what);
/// The three things that a curve is known for.
[[nodiscard]] const std::vector<std::string_view>& curve_parts();

/// Kinds of entries: measured, published, computed, derived, interpolated, extrapolated, assumed.
[[nodiscard]] const std::vector<std::string>& energy_entry_kinds();

}  // namespace qsim
