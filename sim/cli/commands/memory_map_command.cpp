#include "sim/cli/commands/memory_map_command.h"

#include <memory>

#include "sim/cli/cost_options.h"
#include "sim/cli/picture_options.h"
#include "sim/compiler/compile.h"
#include "sim/explain/memory_map_svg.h"
#include "sim/explain/memory_map_text.h"
#include "sim/report/memory_map_json.h"

namespace qsim::cli {
namespace {

struct MemoryMapOptions {
  CostOptions cost;
  PictureOptions pictures;
};

int run_memory_map(const MemoryMapOptions& options, const ShippedFiles& files) {
  const HardwareConfig hardware = hardware_of(options.cost, files);
  // A run would refuse a chip without its energies.
  const std::unique_ptr<const Mapper> mapper =
      mapper_of(options.cost, energy_model_of(options.cost, hardware, files));
  const Graph graph = graph_of(options.cost, files);
  const MemoryMap map = compile(graph, hardware, *mapper, false).memory_map;
  const MemoryMapOf of{hardware.name, graph.name};
  write_forms(options.pictures,
              {graph.name + " on " + hardware.name, [&] { return memory_map_json(map, of, QSIM_VERSION); },
               [&] { return memory_map_text(map, of); }, [&] { return memory_map_svg(map, of); }});
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
  add_cost_options(table, &MemoryMapOptions::cost, "what to place");
  add_pictures(table, &MemoryMapOptions::pictures, "picture of the buffers: rows by addresses");
  return table.runs(run_memory_map);
}

}  // namespace qsim::cli
