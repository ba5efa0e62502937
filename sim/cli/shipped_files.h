// Where the configurations and workloads lie that ship with the program.
#pragma once

#include <string>
#include <vector>

namespace qsim::cli {

/// Folders to search, first match first.
struct ShippedFiles {
  std::vector<std::string> hardware;    ///< .../configs
  std::vector<std::string> energy;      ///< .../configs/energy
  std::vector<std::string> preprocess;  ///< .../configs/preprocess
  std::vector<std::string> workloads;   ///< .../workloads/models
};

/// Roots are each folder of the environment's QSIM_PATH (separated by ':'), share/qsim beside the folder of
/// the running program, and for a program in its build folder the source tree. Folders that are not there are
/// left out.
[[nodiscard]] ShippedFiles find_shipped_files();

}  // namespace qsim::cli
