#include "tests/fuzz/bounded_run.h"

#include <cstdio>
#include <cstdlib>
#include <future>

#include "sim/energy/energy_model.h"
#include "sim/report/accounting.h"
#include "sim/report/report_json.h"
#include "sim/report/text_report.h"
#include "sim/simulate.h"
#include "tests/fuzz/expect_input_error.h"
#include "workloads/graph/generator.h"

namespace {

using namespace qsim;

constexpr std::int64_t kMostElements = 1 << 12;
constexpr std::int64_t kMostMacs = 1 << 14;
constexpr std::size_t kMostNodes = 12;

bool is_small(const Graph& graph) {
  if (graph.nodes.size() > kMostNodes) return false;
  std::int64_t elements = 0;
  for (const Tensor& tensor : graph.tensors) elements += element_count(tensor.shape);
  std::int64_t macs = 0;
  for (const Node& node : graph.nodes) macs += mac_count(graph, node);
  return elements <= kMostElements && macs <= kMostMacs;
}

std::vector<TensorData> make_inputs(const Graph& graph) {
  std::vector<TensorData> inputs;
  for (const TensorId id : graph.inputs) {
    const Tensor& tensor = graph.tensor(id);
    const arithmetic::IntegerFormat format =
        tensor.quantization ? tensor.quantization->format() : arithmetic::IntegerFormat{};
    inputs.push_back(tensor.required_value
                         ? *tensor.required_value
                         : generate_input(tensor.name, 1, tensor.type, format, tensor.shape));
  }
  return inputs;
}

/// A run in a thread, and so on a stack, of its own: AddressSanitizer does not see SystemC's coroutines
/// switch stacks, and takes exceptions that are thrown on a stack where they did for faults.
RunResult simulate_apart(const HardwareConfig& hardware, const Graph& graph,
                         const std::vector<TensorData>& inputs, const SimulateOptions& options) {
  return std::async(std::launch::async, [&] { return simulate(hardware, graph, inputs, options); }).get();
}

/// A chip on which tiles are small, so that little work still has many of them.
HardwareConfig small_chip() {
  HardwareConfig hardware;
  hardware.mac_array.rows = hardware.mac_array.columns = 4;
  hardware.weight_buffer.capacity_kib = 4;
  hardware.activation_buffer.capacity_kib = 4;
  hardware.accumulators.entries = 32;
  return hardware;
}

const EnergyTable& energy_table() {
  static const EnergyTable table =
      load_energy_table("45nm", {std::string(QSIM_SOURCE_FOLDER) + "/configs/energy"}, "");
  return table;
}

void demand_equal(const RunResult& layer, const RunResult& tile) {
  for (std::size_t i = 0; i < layer.outputs.size(); ++i) {
    if (layer.outputs[i].data.bytes == tile.outputs[i].data.bytes) continue;
    std::fprintf(stderr, "output %s differs between layer and tile values\n", layer.outputs[i].name.c_str());
    std::abort();
  }
}

}  // namespace

void run_if_small(const Graph& graph) {
  if (!is_small(graph)) return;
  accepts([&] {
    const HardwareConfig hardware = small_chip();
    const std::vector<TensorData> inputs = make_inputs(graph);
    SimulateOptions options;
    const RunResult by_layer = simulate_apart(hardware, graph, inputs, options);
    const EnergyModel model(hardware, energy_table());
    const RunSummary summary = summarize(by_layer, model, 1);
    check_accounting(by_layer, summary, graph);
    // Without a handler: names have to be UTF-8 by now.
    static_cast<void>(report_json(by_layer, summary, {}).dump());
    static_cast<void>(text_report(by_layer, summary, {}));
    options.values = Values::tile;
    demand_equal(by_layer, simulate_apart(hardware, graph, inputs, options));
  });
}
