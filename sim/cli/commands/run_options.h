// What a run was asked for, before any file is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/cli/cost_options.h"
#include "sim/simulate.h"

namespace qsim::cli {

struct RunOptions {
  CostOptions cost;
  std::uint64_t seed = 1;
  Values values = Values::layer;
  Fidelity fidelity = Fidelity::tile;
  int threads = 0;             ///< 0: one a processor.
  std::optional<double> rate;  ///< Inferences a second.
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
