#include "sim/cli/commands/roofline_command.h"

#include "sim/cli/cost_options.h"
#include "sim/cli/picture_options.h"
#include "sim/explain/roofline.h"
#include "sim/explain/roofline_json.h"
#include "sim/explain/roofline_svg.h"
#include "sim/explain/roofline_text.h"
#include "sim/simulate.h"

namespace qsim::cli {
namespace {

struct RooflineOptions {
  CostOptions cost;
  PictureOptions pictures;
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
  write_forms(
      options.pictures,
      {roofline.workload + " on " + roofline.hardware, [&] { return roofline_json(roofline, QSIM_VERSION); },
       [&] { return roofline_text(roofline); }, [&] { return roofline_svg(roofline); }});
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
  add_pictures(table, &RooflineOptions::pictures, "picture of layers and ceilings");
  return table.runs(run_roofline);
}

}  // namespace qsim::cli
