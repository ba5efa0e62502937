#include "sim/cli/commands/memory_map_command.h"

#include <memory>

#include "base/atomic_file.h"
#include "sim/cli/network_options.h"
#include "sim/cli/output_files.h"
#include "sim/cli/prepare_graph.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/mapping_file.h"
#include "sim/config/load_hardware.h"
#include "sim/energy/energy_model.h"
#include "sim/explain/memory_map_json.h"
#include "sim/explain/memory_map_svg.h"
#include "sim/explain/memory_map_text.h"

namespace qsim::cli {
namespace {

struct MemoryMapOptions {
  ChipOptions chip;
  NetworkOptions network;
  std::string mapping_path;
  bool json = false;
  std::string svg_path;
};

CompiledProgram compiled(const HardwareConfig& hardware, const Graph& graph,
                         const std::string& mapping_path) {
  if (mapping_path.empty()) return compile(graph, hardware, false);
  const PinnedMapper mapper(read_mapping_file(mapping_path), std::make_unique<CostMapper>());
  return compile(graph, hardware, mapper, false);
}

int run_memory_map(const MemoryMapOptions& options, const ShippedFiles& files) {
  const HardwareConfig hardware = load_hardware(options.chip.hardware, options.chip.sets, files.hardware);
  // A run would refuse a chip without its energies.
  static_cast<void>(
      EnergyModel(hardware, load_energy_table(hardware.energy, files.energy, options.chip.hardware)));
  const Graph graph = prepare_graph(options.network, files);
  const MemoryMap map = compiled(hardware, graph, options.mapping_path).memory_map;
  const MemoryMapOf of{hardware.name, graph.name};
  if (!options.svg_path.empty()) write_file_atomically(options.svg_path, memory_map_svg(map, of));
  write_standard_output(options.json
                            ? memory_map_json(map, of, QSIM_VERSION)
                                      .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
                                  "\n"
                            : memory_map_text(map, of));
  return 0;
}

}  // namespace

Command memory_map_command() {
  CommandTable<MemoryMapOptions> table(
      {.name = "memory-map",
       .summary = "Shows where tensors, tiles and weights lie in the buffers, row by row",
       .usage = {"--workload FILE|NAME [options]"},
       .notes = {"Of a batch in parts the map is that of a part, which all are alike."},
       .examples = {"qsim memory-map --hw npu --workload resnet50 --svg resnet50.svg"}});
  add_chip_and_workload(table, &MemoryMapOptions::chip, &MemoryMapOptions::network, "what to place");
  add_sets(table, &MemoryMapOptions::chip, "what to place");
  table.add(batch_option("what to place"), store_in(&MemoryMapOptions::network, &NetworkOptions::batch));
  add_precision(table, &MemoryMapOptions::network, "what to place");
  return table
      .add({.name = "mapping",
            .kind = ValueKind::input_file,
            .value = "FILE.json",
            .extensions = {".json"},
            .group = "what to place",
            .help = "mappings by layer or operation; a report has its own"},
           &MemoryMapOptions::mapping_path)
      .add({.name = "json", .group = "result", .help = "the result as JSON (docs/explain.md)"},
           &MemoryMapOptions::json)
      .add({.name = "svg",
            .kind = ValueKind::output_file,
            .value = "FILE.svg",
            .extensions = {".svg"},
            .group = "result",
            .help = "picture of the buffers: rows by addresses"},
           &MemoryMapOptions::svg_path)
      .runs(run_memory_map);
}

}  // namespace qsim::cli
