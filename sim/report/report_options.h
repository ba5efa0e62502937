// What a report says about how the run was asked for. Nothing here names a host, a folder, a time or a
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qsim {

/// Where the value of one graph input came from.
struct InputOrigin {
  std::string name;
  std::string shape;   ///< "1x32x32x3"
  std::string dtype;   ///< As stored: "I8".
  std::string origin;  ///< "seed 1", or a file's base name.
};

struct ReportOptions {
  std::string version;
  std::string values = "layer";   ///< layer, tile or none
  std::string fidelity = "tile";  ///< tile or pe
  std::int64_t batch = 1;
  std::int64_t inferences = 1;
  std::uint64_t seed = 1;
  std::optional<int> weight_bits;      ///< --weight-bits
  std::optional<int> activation_bits;  ///< --activation-bits
  std::string bits_file;               ///< Base name of --bits; empty without.
  std::string scheme;                  ///< --scheme as typed, of a file its base name; empty without.
  std::string until;                   ///< Node of --until; empty without.
  std::string objective = "latency";   ///< --objective
  std::optional<double> rate;          ///< --rate
  std::vector<std::string> sets;       ///< --set arguments in their order.
  std::vector<InputOrigin> inputs;
  std::string energy_table;  ///< Name in the table's file.
};

}  // namespace qsim
