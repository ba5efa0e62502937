#include "sim/cli/commands/roofline_command.h"

#include "base/atomic_file.h"
#include "sim/cli/cost_options.h"
#include "sim/cli/output_files.h"
#include "sim/explain/roofline.h"
#include "sim/explain/roofline_json.h"
#include "sim/explain/roofline_svg.h"
#include "sim/explain/roofline_text.h"
#include "sim/simulate.h"

namespace qsim::cli {
namespace {

struct RooflineOptions {
  CostOptions cost;
  bool json = false;
  std::string svg_path;
};

int run_roofline(const RooflineOptions& options, const ShippedFiles& files) {
  const HardwareConfig hardware = hardware_of(options.cost, files);
  // A run would refuse a chip without its energies.
  const std::unique_ptr<const Mapper> mapper =
      mapper_of(options.cost, energy_model_of(options.cost, hardware, files));
  SimulateOptions how;
  how.values = Values::none;
  how.mapper = mapper.get();
  const Roofline roofline = roofline_of(simulate(hardware, graph_of(options.cost, files), {}, how));
  if (!options.svg_path.empty()) write_file_atomically(options.svg_path, roofline_svg(roofline));
  write_standard_output(options.json
                            ? roofline_json(roofline, QSIM_VERSION)
                                      .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
                                  "\n"
                            : roofline_text(roofline));
  return 0;
}

}  // namespace

Command roofline_command() {
  CommandTable<RooflineOptions> table(
      {.name = "roofline",
       .summary = "Shows a network's layers against the ceilings of its machine",
       .usage = {"--workload FILE|NAME [options]"},
       .notes = {"Ceilings are the array's peak at a layer's precision and the DRAM's bandwidth."},
       .examples = {"qsim roofline --hw npu --workload resnet50 --svg resnet50.svg"}});
  add_cost_options(table, &RooflineOptions::cost, "what to run");
  return table
      .add({.name = "json", .group = "result", .help = "the result as JSON (docs/explain.md)"},
           &RooflineOptions::json)
      .add({.name = "svg",
            .kind = ValueKind::output_file,
            .value = "FILE.svg",
            .extensions = {".svg"},
            .group = "result",
            .help = "picture of layers and ceilings"},
           &RooflineOptions::svg_path)
      .runs(run_roofline);
}

}  // namespace qsim::cli
