// Cycles in which the MAC array waits for the ports of a buffer, counted by hand.
#include <catch2/catch.hpp>

#include "sim/simulate.h"
#include "tests/unit/simulate/layer_graph.h"

namespace qsim {
namespace {

/// One pass: 8 x 8 weights stay, 16 pixels of 8 bytes stream.
const test::LayerSize kOnePass{4, 4, 8, 8, 1};

HardwareConfig one_pass_chip() {
  HardwareConfig chip;
  chip.mac_array.rows = chip.mac_array.columns = 8;
  chip.accumulators.entries = 32;
  chip.dram.kind = DramKind::none;
  return chip;
}

/// Cycles of a class, the same at both fidelities.
std::int64_t cycles(const HardwareConfig& chip, const test::LayerSize& size, CycleClass cycle_class) {
  const Graph graph = test::layer_graph(size);
  SimulateOptions options;
  options.values = Values::none;
  const RunResult tile = simulate(chip, graph, {}, options);
  options.fidelity = Fidelity::pe;
  CHECK(simulate(chip, graph, {}, options).cycles == tile.cycles);
  return tile.cycles[static_cast<std::size_t>(cycle_class)];
}

std::int64_t waits(const HardwareConfig& chip, const test::LayerSize& size = kOnePass) {
  return cycles(chip, size, CycleClass::wait_ports);
}

TEST_CASE(
    "between S steps that could follow each other after p cycles and do after I are (S - 1) (I - p) cycles") {
  HardwareConfig chip = one_pass_chip();
  chip.activation_buffer.read_port_bytes = 8;  // a step a cycle
  CHECK(waits(chip) == 0);
  chip.activation_buffer.read_port_bytes = 7;  // I = 2
  CHECK(waits(chip) == 15 * (2 - 1));
  chip.activation_buffer.read_port_bytes = 2;  // I = 4
  CHECK(waits(chip) == 15 * (4 - 1));
  chip.activation_buffer.read_ports = 2;
  CHECK(waits(chip) == 15 * (2 - 1));
  chip.activation_buffer.read_ports = 1;
  chip.mac_array.activation_bits = 4;  // p = 2
  CHECK(waits(chip) == 15 * (4 - 2));
  chip.mac_array.activation_bits = 2;  // p = 4: the port keeps pace
  CHECK(waits(chip) == 0);
}

TEST_CASE("a pass that follows another one at once waits for the reads of its last step") {
  // Two blocks of 8 channels.
  const test::LayerSize two_passes{4, 4, 8, 16, 1};
  HardwareConfig chip = one_pass_chip();
  chip.activation_buffer.read_port_bytes = 2;
  CHECK(waits(chip, two_passes) == (16 + 15) * (4 - 1));
}

TEST_CASE("ports that are too slow cost a pass what it waits for them") {
  HardwareConfig chip = one_pass_chip();
  chip.activation_buffer.read_port_bytes = 8;
  const std::int64_t fast = simulate(chip, test::layer_graph(kOnePass), {}, {Values::none}).total_cycles;
  chip.activation_buffer.read_port_bytes = 1;
  CHECK(simulate(chip, test::layer_graph(kOnePass), {}, {Values::none}).total_cycles == fast + waits(chip));
}

TEST_CASE("computing, draining and waiting for ports share a pass") {
  HardwareConfig chip = one_pass_chip();
  chip.activation_buffer.read_port_bytes = 2;
  // 16 steps and the way of the last one to the last PE, 8 + 8 - 2.
  CHECK(cycles(chip, kOnePass, CycleClass::compute) == 16 + 14);
  CHECK(cycles(chip, kOnePass, CycleClass::fill_drain) == 0);
  CHECK(cycles(chip, kOnePass, CycleClass::weight_load) == 8);
}

TEST_CASE("what a load takes beyond a line a cycle is waiting for ports") {
  HardwareConfig chip = one_pass_chip();
  chip.weight_buffer.read_port_bytes = 8;  // 64 weights in 8 cycles
  CHECK(waits(chip) == 0);
  chip.weight_buffer.read_port_bytes = 7;  // in 10
  CHECK(waits(chip) == 10 - 8);
  chip.weight_buffer.read_port_bytes = 1;
  CHECK(waits(chip) == 64 - 8);
  CHECK(cycles(chip, kOnePass, CycleClass::weight_load) == 8);
}

TEST_CASE("a slow load behind a pass that streams longer waits for nothing") {
  // Two blocks of 8 channels; the second one's weights are loaded while 16 pixels pass the first one's.
  const test::LayerSize two_passes{4, 4, 8, 16, 1};
  HardwareConfig chip = one_pass_chip();
  chip.weight_buffer.read_port_bytes = 4;  // 64 weights in 16 cycles: the first pass alone waits
  CHECK(waits(chip, two_passes) == 16 - 8);
  chip.weight_buffer.read_port_bytes = 2;  // in 32: the second one does while the first one drains
  CHECK(waits(chip, two_passes) > 32 - 8);
}

TEST_CASE("an operand that conflicts with itself in a bank waits for ports") {
  HardwareConfig chip = one_pass_chip();
  chip.activation_buffer.bank_conflicts = true;
  chip.activation_buffer.read_port_bytes = 4;  // a step reads two neighbouring words
  chip.activation_buffer.read_ports = 2;
  chip.activation_buffer.banks = 2;
  CHECK(waits(chip) == 0);
  chip.activation_buffer.read_ports = chip.activation_buffer.banks = 1;
  CHECK(waits(chip) == 15);
}

TEST_CASE("what bursts in single-ported banks cost a layer that the array binds is waiting for ports") {
  // Outputs and, of the first tiles, inputs are written while others are read.
  const test::LayerSize size{32, 32, 16, 16, 3};
  HardwareConfig chip;
  chip.mapper = {FixedLoopOrder::weights_outer, true, false};
  const std::int64_t fixed = simulate(chip, test::layer_graph(size), {}, {Values::none}).total_cycles;
  chip.activation_buffer.arbitration = Arbitration::write_first;
  const RunResult run = simulate(chip, test::layer_graph(size), {}, {Values::none});
  const std::int64_t waiting = run.cycles[static_cast<std::size_t>(CycleClass::wait_ports)];
  CHECK(waiting > 0);
  CHECK(run.total_cycles == fixed + waiting);
}

}  // namespace
}  // namespace qsim
