// Reads a hardware configuration: strict JSON, `extends` chains, overrides, one validation.
#pragma once

#include <string>
#include <vector>

#include "hw_models/hardware_config.h"

namespace qsim {

/// Reads the chip named by a path or a shipped name.
///
/// `extends` names another file (relative to the file that says so, or a shipped name); its fields come
/// first, then the file's own, then `sets`, each "PATH=VALUE" with a JSON value or a bare word, in their
/// order. `search_dirs` are the folders that hold the shipped configurations. A relative path in `energy`
/// becomes one relative to the working folder. Throws InputError with every problem of all files and
/// overrides together: unknown keys, types, ranges, then the rules between fields whose values were read.
[[nodiscard]] HardwareConfig load_hardware(const std::string& name_or_path,
                                           const std::vector<std::string>& sets,
                                           const std::vector<std::string>& search_dirs);

/// Paths of every field and section, in the order of the file: "name", "mac_array", "mac_array.rows", ...
[[nodiscard]] std::vector<std::string> hardware_field_paths();

}  // namespace qsim
