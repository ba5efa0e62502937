// Hardware files of a test, and what was wrong with them.
#pragma once

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "sim/config/load_hardware.h"
#include "tests/unit/base/scratch_folder.h"

/// The configurations that ship.
inline std::vector<std::string> shipped_configs() {
  return {QSIM_SOURCE_FOLDER "/configs"};
}
inline std::vector<std::string> shipped_energy_tables() {
  return {QSIM_SOURCE_FOLDER "/configs/energy"};
}

inline std::string write_file(const ScratchFolder& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder.path(name)) << text;
  return folder.path(name);
}

inline std::vector<qsim::Problem> problems_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const qsim::InputError& error) {
    return error.problems();
  }
  return {};
}

/// Problems of one file with this text.
inline std::vector<qsim::Problem> hardware_problems(const std::string& text,
                                                    const std::vector<std::string>& sets = {}) {
  const ScratchFolder folder;
  const std::string path = write_file(folder, "chip.json", text);
  return problems_of([&] { static_cast<void>(qsim::load_hardware(path, sets, shipped_configs())); });
}
