// What the cycles and the energy of a run depend on: rows that its table shares with those of the commands
// that run or compile without values, and what these read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/cli/network_options.h"
#include "sim/compiler/mapper.h"
#include "sim/energy/energy_model.h"
#include "workloads/graph/graph.h"

namespace qsim::cli {

/// `--input [NAME=]FILE`
struct InputArgument {
  std::string name;  ///< Empty: the graph's only input.
  std::string path;
};

/// "NAME=FILE" or "FILE".
[[nodiscard]] InputArgument input_argument(const std::string& text);

/// Which network on which chip, and how it is mapped.
struct CostOptions {
  ChipOptions chip;
  NetworkOptions network;
  std::vector<InputArgument> inputs;  ///< An ONNX model may need some as constants.
  std::int64_t inferences = 1;        ///< In sequence.
  std::string mapping_path;           ///< File of mappings; empty: the compiler's own.
};

/// The chip, with `sets` behind those of the options. Throws InputError.
[[nodiscard]] HardwareConfig hardware_of(const CostOptions& options, const ShippedFiles& files,
                                         const std::vector<std::string>& sets = {});
[[nodiscard]] EnergyModel energy_model_of(const CostOptions& options, const HardwareConfig& hardware,
                                          const ShippedFiles& files);
/// What chooses the mappings among those that the file leaves open.
[[nodiscard]] std::unique_ptr<const Mapper> mapper_of(const CostOptions& options, const EnergyModel& model);
[[nodiscard]] Graph graph_of(const CostOptions& options, const ShippedFiles& files);

namespace rows {
[[nodiscard]] Option input(const std::string& group);
[[nodiscard]] Option inferences(const std::string& group);
[[nodiscard]] Option preprocess(const std::string& group);
[[nodiscard]] Option mapping(const std::string& group);
[[nodiscard]] Option until(const std::string& group);
[[nodiscard]] Option seed(const std::string& group);
}  // namespace rows

/// --hw, --workload, --shape, --input, --batch, --set, --mapping, --objective, --until, bit widths, and how a
/// float network is quantized.
template <typename Options>
void add_cost_options(CommandTable<Options>& table, CostOptions Options::*cost, const std::string& group) {
  const auto chip = [cost](Options& options) -> ChipOptions& { return (options.*cost).chip; };
  const auto network = [cost](Options& options) -> NetworkOptions& { return (options.*cost).network; };
  const auto calibration = [cost](Options& options) -> CalibrationOptions& {
    return (options.*cost).network.calibration;
  };
  add_chip_and_workload(table, chip, network, group);
  table.add(rows::input(group), [cost](Options& options, const std::string& text) {
    (options.*cost).inputs.push_back(input_argument(text));
  });
  table.add(batch_option(group), store_in(network, &NetworkOptions::batch));
  add_sets(table, chip, group);
  add_precision(table, network, group);
  add_calibration(table, network, group);
  table.add(rows::preprocess(group), store_in(calibration, &CalibrationOptions::preprocess));
  table.add(rows::mapping(group), store_in(cost, &CostOptions::mapping_path));
  add_objective(table, chip, group);
  table.add(rows::until(group), store_in(network, &NetworkOptions::until));
}

/// --inferences
template <typename Options>
void add_inferences(CommandTable<Options>& table, CostOptions Options::*cost, const std::string& group) {
  table.add(rows::inferences(group), store_in(cost, &CostOptions::inferences));
}

}  // namespace qsim::cli
