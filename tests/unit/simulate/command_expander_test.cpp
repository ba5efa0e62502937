// The commands of a program balance: what one queue waits for another one signals.
#include <catch2/catch.hpp>

#include <map>

#include "hw_models/core/command_expander.h"
#include "hw_models/core/tile_slots.h"
#include "sim/compiler/compile.h"
#include "tests/unit/simulate/random_network.h"

namespace qsim {
namespace {

/// Credits of each token that commands take and give.
struct Balance {
  std::map<const Token*, std::int64_t> taken, given;

  void take(const auto& waits) {
    for (const Wait& wait : waits) taken[wait.token] += wait.credits;
  }
  void give(const auto& signals) {
    for (const Signal& signal : signals) given[signal.token] += signal.credits;
  }
};

void expand(const CommandExpander& expander, const Nest& nest, Balance& balance, SharedSlots& computes,
            SharedSlots& drains, SharedSlots& loads) {
  const auto transfer = [&](TransferCommand& command) {
    balance.take(command.waits);
    balance.give(command.arrived);
  };
  if (const auto* gemm = std::get_if<GemmNest>(&nest)) {
    expander.load_weights(*gemm, loads, transfer);
    if (needs_loads(nest)) expander.load_inputs(*gemm, transfer);
    expander.compute(*gemm, computes, [&](MacTile& tile) {
      balance.take(tile.load_waits);
      balance.take(tile.stream_waits);
      balance.give(tile.loaded);
      balance.give(tile.streamed);
      balance.give(tile.accumulated);
    });
    if (GemmCursor(*gemm).sums_leave()) {
      expander.reload(*gemm, [&](ReloadCommand& command) {
        balance.take(command.waits);
        balance.give(command.arrived);
      });
    }
    expander.drain(*gemm, drains, [&](DrainCommand& command) {
      balance.take(command.waits);
      balance.give(command.read_out);
      balance.give(command.written);
    });
    expander.store(*gemm, transfer);
  } else if (const auto* vector = std::get_if<VectorNest>(&nest)) {
    if (needs_loads(nest)) expander.load_inputs(*vector, transfer);
    expander.compute(*vector, [&](VectorTile& tile) {
      balance.take(tile.waits);
      balance.give(tile.done);
    });
    expander.store(*vector, transfer);
  }
}

TEST_CASE("every credit that a command of a nest takes is given by another one, and a nest retires once") {
  for (const auto& [seed, network, chip] : test::random_pairs(60, 3000)) {
    INFO("seed " << seed);
    const CompiledProgram compiled = compile(network.graph, chip, false);
    Tokens tokens;
    const CommandExpander expander(compiled.program, chip.accumulators, tokens);
    SharedSlots computes;
    SharedSlots drains;
    SharedSlots loads;
    for (const Nest& nest : compiled.program.nests) {
      if (std::holds_alternative<HostNest>(nest)) continue;
      Balance balance;
      expand(expander, nest, balance, computes, drains, loads);
      CHECK(balance.given[&tokens.retired] == 1);
      for (const Token* ready :
           {&tokens.weights_ready, &tokens.parameters_ready, &tokens.inputs_ready, &tokens.accumulators_ready,
            &tokens.outputs_ready, &tokens.sums_ready, &tokens.sums_spilled}) {
        CHECK(balance.taken[ready] == balance.given[ready]);
      }
      for (const Token* free : {&tokens.inputs_free, &tokens.accumulators_free, &tokens.outputs_free,
                                &tokens.weights_free, &tokens.parameters_free}) {
        CHECK(balance.taken[free] == balance.given[free]);
      }
      CHECK(computes.weights == drains.weights);
      CHECK(computes.parameters == drains.parameters);
    }
  }
}

}  // namespace
}  // namespace qsim
