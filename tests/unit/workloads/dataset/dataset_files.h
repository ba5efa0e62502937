// Files of a test, and what was wrong with them.
#pragma once

#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"

using Bytes = std::vector<std::uint8_t>;

inline std::string write_bytes(const ScratchFolder& folder, const std::string& name, const Bytes& bytes) {
  std::ofstream stream(folder.path(name), std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return folder.path(name);
}

inline std::string write_text(const ScratchFolder& folder, const std::string& name, const std::string& text) {
  return write_bytes(folder, name, Bytes(text.begin(), text.end()));
}

inline std::vector<qsim::Problem> problems_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const qsim::InputError& error) {
    return error.problems();
  }
  return {};
}
