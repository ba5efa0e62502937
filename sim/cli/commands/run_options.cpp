// The option table of a run.
#include "sim/cli/commands/run_options.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "sim/cli/commands/run_command.h"

namespace qsim::cli {
namespace {

void set_values(RunOptions& options, const std::string& text) {
  options.values = text == "tile" ? Values::tile : Values::layer;
}

void set_fidelity(RunOptions& options, const std::string& text) {
  options.fidelity = text == "pe" ? Fidelity::pe : Fidelity::tile;
}

/// Without values in the modelled memory all operands would be zero.
void set_vcd(RunOptions& options, const std::string& text) {
  options.vcd_path = text;
  options.values = Values::tile;
}

void set_vcd_cycles(RunOptions& options, const std::string& text) {
  const auto number = [](std::string_view digits, std::int64_t& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size() && value >= 0;
  };
  const std::string_view view = text;
  const std::size_t colon = view.find(':');
  const bool is_range = colon != std::string_view::npos && number(view.substr(0, colon), options.vcd_from) &&
                        number(view.substr(colon + 1), options.vcd_to) && options.vcd_from < options.vcd_to;
  if (is_range) return;
  throw InputError({"command line", "--vcd-cycles", '"' + text + '"',
                    "FROM:TO, two cycles, the first one less", "for example --vcd-cycles 1000:2000"});
}

void set_rate(RunOptions& options, const std::string& text) {
  double rate = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (error == std::errc{} && end == text.data() + text.size() && std::isfinite(rate) && rate > 0.0) {
    options.rate = rate;
    return;
  }
  throw InputError({"command line", "--rate", '"' + text + '"', "inferences a second, a number above 0",
                    "for example --rate 30"});
}

void set_cost_only(RunOptions& options, const std::string& /*text*/) {
  options.values = Values::none;
}

using Table = CommandTable<RunOptions>;
using Kind = ValueKind;

void add_network_and_chip(Table& table) {
  const std::string group = "Network and chip";
  add_cost_options(table, &RunOptions::cost, group);
  add_inferences(table, &RunOptions::cost, group);
  table.add(
      {.name = "rate",
       .kind = Kind::text,
       .value = "N",
       .group = group,
       .joins_previous = true,
       .help = "energy at N inferences a second",
       .detail = "The chip waits until the next one is due: leakage, controller and pads go on, the clock "
                 "without clock_gating, and the memory refreshes itself. N may be a fraction."},
      set_rate);
  table.add(rows::seed(group), &RunOptions::seed)
      .add({.name = "values",
            .kind = Kind::choice,
            .value = "layer|tile",
            .choices = {"layer", "tile"},
            .group = group,
            .default_text = "layer",
            .help = "values by layer, or read from the modelled memory",
            .detail = "With tile each operand is read at its modelled address in DRAM, buffers and "
                      "accumulators, and each "
                      "result written there: the same values, more slowly."},
           set_values)
      .add({.name = "fidelity",
            .kind = Kind::choice,
            .value = "tile|pe",
            .choices = {"tile", "pe"},
            .group = group,
            .default_text = "tile",
            .help = "MAC array by tiles, or every PE in every cycle",
            .detail = "Outputs, cycles and counts are equal; pe is slow."},
           set_fidelity)
      .add({.name = "cost-only",
            .excludes = {"values", "outputs", "dump-tensors", "input"},
            .excludes_because = "no values are computed",
            .group = group,
            .help = "no values: the same cycles, energy and traffic"},
           set_cost_only)
      .add({.name = "threads",
            .kind = Kind::integer,
            .value = "N",
            .min = 1,
            .max = 1024,
            .group = group,
            .default_text = "one a processor",
            .help = "of the value computation"},
           &RunOptions::threads);
}

void add_results(Table& table) {
  const std::string group = "Results";
  add_report(table, &RunOptions::report_path, group);
  table
      .add({.name = "layers",
            .kind = Kind::output_file,
            .value = "FILE.csv",
            .extensions = {".csv"},
            .group = group,
            .help = "its rows",
            .detail = "One row a layer, with a heading."},
           &RunOptions::layers_path)
      .add({.name = "outputs",
            .kind = Kind::output_file,
            .value = "FILE.safetensors",
            .extensions = {".safetensors"},
            .group = group,
            .help = "the network's outputs",
            .detail = "Names, shapes and layout are the model's; stored integers are unscaled."},
           &RunOptions::outputs_path)
      .add({.name = "dump-tensors",
            .kind = Kind::output_file,
            .value = "FILE.safetensors",
            .extensions = {".safetensors"},
            .group = group,
            .help = "every activation tensor"},
           &RunOptions::dump_path)
      .add({.name = "trace",
            .kind = Kind::output_file,
            .value = "FILE.json",
            .extensions = {".json"},
            .group = group,
            .help = "who did what when, for Perfetto or speedscope",
            .detail =
                "Chrome trace format: a track a unit, tiles and stalls named by layer, counters of bandwidth "
                "and buffer fill. A microsecond in the viewer is a cycle."},
           &RunOptions::trace_path)
      .add(
          {.name = "vcd",
           .kind = Kind::output_file,
           .value = "FILE.vcd",
           .extensions = {".vcd"},
           .excludes = {"values", "cost-only"},
           .excludes_because = "the PEs show values as with --values tile",
           .group = group,
           .help = "waveform of the PEs (with --fidelity pe)",
           .detail =
               "Value Change Dump, as GTKWave opens it; one time step is one cycle. The PEs are shown one by "
               "one in arrays of up to 1,024. The PEs compute: values are those of --values tile."},
          set_vcd)
      .add({.name = "vcd-cycles",
            .kind = Kind::text,
            .value = "FROM:TO",
            .needs = "vcd",
            .group = group,
            .default_text = "0:10000",
            .help = "cycles that it shows"},
           set_vcd_cycles)
      .add({.name = "json", .group = group, .help = "the report on standard output instead of the table"},
           &RunOptions::json)
      .add({.name = "quiet", .group = group, .help = "no table"}, &RunOptions::quiet);
}

}  // namespace

Command run_command() {
  Table table({.summary = "Runs a quantized network on a modelled NPU: values, cycles, energy, data movement",
               .usage = {"--workload FILE|NAME [options]"},
               .examples = {"qsim --hw npu --workload resnet8 --set dram.bandwidth_gb_per_s=6.4 "
                            "--report resnet8.json"},
               .exit_1 = "accumulators trapped"});
  add_network_and_chip(table);
  add_results(table);
  return table.add({.name = "version", .help = "version of qsim"}).runs(run);
}

}  // namespace qsim::cli
