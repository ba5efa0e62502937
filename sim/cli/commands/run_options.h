// What a run was asked for, before any file is read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/cli/network_options.h"
#include "sim/simulate.h"

namespace qsim::cli {

/// `--input [NAME=]FILE`
struct InputArgument {
  std::string name;  ///< Empty: the graph's only input.
  std::string path;
};

struct RunOptions {
  ChipOptions chip;
  NetworkOptions network;
  std::vector<InputArgument> inputs;
  std::uint64_t seed = 1;
  std::int64_t inferences = 1;
  Values values = Values::layer;
  Fidelity fidelity = Fidelity::tile;
  int threads = 0;           ///< 0: one a processor.
  std::string mapping_path;  ///< File of mappings; empty: the compiler's own.
  std::string report_path;
  std::string trace_path;
  std::string layers_path;
  std::string outputs_path;
  std::string dump_path;
  std::string vcd_path;
  std::int64_t vcd_from = 0, vcd_to = 10'000;  ///< Cycles [from, to) of the waveform.
  bool json = false;
  bool quiet = false;
};

}  // namespace qsim::cli
