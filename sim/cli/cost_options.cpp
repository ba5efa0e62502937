#include "sim/cli/cost_options.h"

#include <utility>

#include "sim/cli/inputs.h"
#include "sim/cli/prepare_graph.h"
#include "sim/compiler/mapping_file.h"
#include "sim/config/load_hardware.h"
#include "sim/energy/event_rates.h"

namespace qsim::cli {

HardwareConfig hardware_of(const CostOptions& options, const ShippedFiles& files,
                           const std::vector<std::string>& sets) {
  std::vector<std::string> all = options.chip.sets;
  all.insert(all.end(), sets.begin(), sets.end());
  return load_hardware(options.chip.hardware, all, files.hardware);
}

EnergyModel energy_model_of(const CostOptions& options, const HardwareConfig& hardware,
                            const ShippedFiles& files) {
  return {hardware, chip_energy_table(hardware, files.energy, options.chip.hardware)};
}

std::unique_ptr<const Mapper> mapper_of(const CostOptions& options, const EnergyModel& model) {
  std::unique_ptr<const Mapper> mapper = cost_mapper(objective_of(options.chip.objective), model);
  if (options.mapping_path.empty()) return mapper;
  return std::make_unique<PinnedMapper>(read_mapping_file(options.mapping_path), std::move(mapper));
}

Graph graph_of(const CostOptions& options, const ShippedFiles& files) {
  Graph graph = prepare_graph(options.network, files, named_arrays(options.inputs));
  check_input_names(graph, options.inputs);
  return graph;
}

namespace rows {

Option input(const std::string& group) {
  return {.name = "input",
          .kind = ValueKind::input_file,
          .value = "[NAME=]FILE.npy",
          .extensions = {".npy"},
          .named = true,
          .repeatable = true,
          .group = group,
          .help = "value of an input, repeatable; without it a seeded one",
          .detail =
              "C order. An integer array is taken as already quantized and must have the input's "
              "type; a float array is quantized with the input's own parameters. NAME may be left "
              "out where the network has one input."};
}

Option inferences(const std::string& group) {
  return {.name = "inferences",
          .kind = ValueKind::integer,
          .value = "N",
          .min = 1,
          .max = 1'000'000,
          .group = group,
          .default_text = "1",
          .help = "N inferences in sequence",
          .detail = "The first is cold: inputs, weights and parameters lie in DRAM."};
}

Option preprocess(const std::string& group) {
  return {.name = "preprocess",
          .kind = ValueKind::input_file,
          .value = "FILE|NAME",
          .extensions = {".json"},
          .group = group,
          .default_text = "pixels as they are",
          .help = "of calibration images: size, mean, scale"};
}

Option mapping(const std::string& group) {
  return {.name = "mapping",
          .kind = ValueKind::input_file,
          .value = "FILE.json",
          .extensions = {".json"},
          .group = group,
          .help = "mappings by layer or operation; a report repeats its own",
          .detail = "What the file leaves open the compiler chooses. docs/mapping.md has the keys."};
}

Option until(const std::string& group) {
  return {.name = "until",
          .kind = ValueKind::text,
          .value = "NODE",
          .group = group,
          .help = "stop after this node"};
}

Option seed(const std::string& group) {
  return {.name = "seed",
          .kind = ValueKind::integer,
          .value = "N",
          .group = group,
          .default_text = "1",
          .help = "of the seeded inputs",
          .detail = "The same seed yields the same values on every computer."};
}

}  // namespace rows
}  // namespace qsim::cli
