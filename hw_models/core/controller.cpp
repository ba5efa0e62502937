#include "hw_models/core/controller.h"

#include <algorithm>
#include <utility>

#include "hw_models/core/tile_slots.h"
#include "hw_models/cycle.h"

namespace qsim {

namespace {

std::int32_t row_of(const Nest& nest) {
  return std::visit([](const auto& n) { return n.row; }, nest);
}

RowWindow window_of(const Nest& nest) {
  return std::visit([](const auto& n) { return n.window; }, nest);
}

bool holds_weights(const Nest& nest) {
  return std::visit([](const auto& n) { return n.holds_weights; }, nest);
}

bool sums_leave(const GemmNest& nest) {
  return GemmCursor(nest).sums_leave();
}

/// Rows that are complete with a product because they run on its way out.
std::int32_t rows_on_way_out(const Nest& nest) {
  const auto* gemm = std::get_if<GemmNest>(&nest);
  return gemm == nullptr ? 0 : static_cast<std::int32_t>(gemm->problem().way_out.size());
}

std::int64_t slots_of(const Placement& placement) {
  return static_cast<std::int64_t>(placement.slots.size());
}

/// Tiles that the loads may be ahead: all inputs of a vector nest that pass through slots have as many.
std::int64_t input_slots(const VectorNest& nest) {
  const std::vector<Placement>& inputs = nest.placement().inputs;
  if (!streams_inputs(nest)) return 0;
  return slots_of(*std::ranges::find_if(inputs, [](const Placement& input) { return !input.resident; }));
}

}  // namespace

Controller::Controller(sc_core::sc_module_name name, const HardwareConfig& hardware, const Program& program,
                       std::vector<Nest> nests, HeldTiles& held, Recorder& recorder, Processes& processes)
    : sc_module(name),
      tiles("tiles"),
      drains("drains"),
      vector_tiles("vector_tiles"),
      weight_loads("weight_loads"),
      input_loads("input_loads"),
      stores("stores"),
      reloads("reloads"),
      host("host"),
      program_(program),
      nests_(std::move(nests)),
      config_(hardware.controller),
      accumulator_slots_(hardware.accumulators.slots()),
      held_(held),
      recorder_(recorder),
      expander_(program_, hardware.accumulators, tokens_) {
  tokens_.retired.on_release = [this] { retire(); };
  watch(tokens_.weights_free, Held::weights);
  watch(tokens_.parameters_free, Held::parameters);
  watch(tokens_.inputs_free, Held::inputs);
  watch(tokens_.addends_free, Held::addends);
  tokens_.weights_free.reset(program.weight_credits);
  tokens_.parameters_free.reset(program.parameter_credits);
  processes.spawn("computes", [this] { run_computes(); });
  processes.spawn("drains", [this] { run_drains(); });
  if (hardware.accumulators.spill) processes.spawn("reloads", [this] { run_reloads(); });
  if (hardware.dram.kind != DramKind::none) {
    processes.spawn("weight_loads", [this] { run_weight_loads(); });
    processes.spawn("input_loads", [this] { run_input_loads(); });
    processes.spawn("stores", [this] { run_stores(); });
  }
  if (!nests_.empty()) start(0);
  let_inputs_load();
}

std::string Controller::state() const {
  return std::to_string(retired_) + " of " + std::to_string(nests_.size()) + " nests retired";
}

/// A tile leaves its buffer with the credit of its slot.
void Controller::watch(Token& token, Held held) {
  token.on_release = [this, held] { held_.release(held, now_cycle()); };
}

void Controller::start(std::size_t nest) {
  tokens_.compute_may_start.release();
  if (holds_weights(nests_[nest])) tokens_.weights_may_load.release();
  const auto* gemm = std::get_if<GemmNest>(&nests_[nest]);
  if (gemm == nullptr) return;
  if (gemm->problem().activation_weights) tokens_.weights_may_load.release();
  if (sums_leave(*gemm)) tokens_.sums_may_reload.release();
}

void Controller::retire() {
  const std::int32_t row = row_of(nests_[retired_]);
  const std::int32_t last_row = row + rows_on_way_out(nests_[retired_]);
  ++retired_;
  const RowWindow window = window_of(nests_[retired_ - 1]);
  if (retired_ == nests_.size() || row_of(nests_[retired_]) != row || !window.is_all()) {
    for (std::int32_t complete = row; complete <= last_row; ++complete) {
      recorder_.timeline.complete(complete, row_begin_, now_cycle());
      if (on_row_complete) on_row_complete(complete, window);
    }
    row_begin_ = now_cycle();
  }
  if (retired_ < nests_.size()) start(retired_);
  let_inputs_load();
}

/// In the order of the nests, each as far ahead as it says.
void Controller::let_inputs_load() {
  const auto lead = [](const Nest& nest) {
    return std::visit([](const auto& n) { return n.inputs_lead; }, nest);
  };
  for (; inputs_ < nests_.size() && inputs_ <= retired_ + lead(nests_[inputs_]); ++inputs_) {
    if (needs_loads(nests_[inputs_])) tokens_.inputs_may_load.release();
  }
}

void Controller::run_computes() {
  SharedSlots slots;
  const auto issue = [this](MacTile& tile) {
    tile.issue_cycle = now_cycle();
    tiles->write(tile);
  };
  tokens_.accumulators_free.reset(accumulator_slots_);
  for (const Nest& nest : nests_) {
    tokens_.compute_may_start.acquire();
    if (const auto* gemm = std::get_if<GemmNest>(&nest)) {
      tokens_.outputs_free.reset(slots_of(gemm->placement().output));
      expander_.compute(*gemm, slots, issue);
    } else if (const auto* vector = std::get_if<VectorNest>(&nest)) {
      tokens_.outputs_free.reset(slots_of(vector->placement().output));
      expander_.compute(*vector, [this](VectorTile& tile) { vector_tiles->write(tile); });
    } else {
      HostCommand command;
      command.nest = &std::get<HostNest>(nest);
      command.done.add({&tokens_.retired});
      host->write(command);
    }
  }
  if (host.size() > 0) host->write(HostCommand{});
  tiles->write(MacTile{});
  vector_tiles->write(VectorTile{});
}

void Controller::run_drains() {
  SharedSlots slots;
  const auto issue = [this](DrainCommand& command) { drains->write(command); };
  for (const Nest& nest : nests_) {
    if (const auto* gemm = std::get_if<GemmNest>(&nest)) expander_.drain(*gemm, slots, issue);
  }
  drains->write(DrainCommand{});
}

/// Entries are taken nest after nest, as the computes take them.
void Controller::run_reloads() {
  const auto issue = [this](ReloadCommand& command) { reloads->write(command); };
  for (const Nest& nest : nests_) {
    const auto* gemm = std::get_if<GemmNest>(&nest);
    if (gemm == nullptr || !sums_leave(*gemm)) continue;
    tokens_.sums_may_reload.acquire();
    expander_.reload(*gemm, issue);
  }
  reloads->write(ReloadCommand{});
}

void Controller::wait_for_layer_start() const {
  if (config_.layer_start_cycles > 0) sc_core::wait(cycles_to_time(config_.layer_start_cycles));
}

/// Counts as a command of the program's first row.
TransferCommand Controller::end_of_stream() const {
  TransferCommand command;
  command.ends_stream = true;
  if (!nests_.empty()) command.row = row_of(nests_.front());
  return command;
}

void Controller::run_weight_loads() {
  SharedSlots slots;
  const auto issue = [this](TransferCommand& command) { weight_loads->write(command); };
  wait_for_layer_start();  // later layers' weights are loaded ahead
  for (const Nest& nest : nests_) {
    if (holds_weights(nest)) {
      tokens_.weights_may_load.acquire();
      wait_for_layer_start();
    }
    const auto* gemm = std::get_if<GemmNest>(&nest);
    if (gemm == nullptr) continue;
    // What an earlier nest computes is not there yet.
    if (gemm->problem().activation_weights) tokens_.weights_may_load.acquire();
    expander_.load_weights(*gemm, slots, issue);
  }
  weight_loads->write(end_of_stream());
}

/// Inputs that stay may be loaded ahead, while tiles of an earlier nest still pass through slots.
void Controller::reset_input_slots(std::int64_t slots) {
  if (slots > 0) tokens_.inputs_free.reset(slots);
}

void Controller::run_input_loads() {
  const auto issue = [this](TransferCommand& command) { input_loads->write(command); };
  for (const Nest& nest : nests_) {
    if (!needs_loads(nest)) continue;
    tokens_.inputs_may_load.acquire();
    wait_for_layer_start();
    if (const auto* gemm = std::get_if<GemmNest>(&nest)) {
      reset_input_slots(slots_of(gemm->placement().input));
      tokens_.addends_free.reset(slots_of(gemm->placement().addend));
      expander_.load_inputs(*gemm, issue);
    } else if (const auto* vector = std::get_if<VectorNest>(&nest)) {
      reset_input_slots(input_slots(*vector));
      expander_.load_inputs(*vector, issue);
    }
  }
  input_loads->write(end_of_stream());
}

void Controller::run_stores() {
  const auto issue = [this](TransferCommand& command) { stores->write(command); };
  for (const Nest& nest : nests_) {
    if (const auto* gemm = std::get_if<GemmNest>(&nest)) {
      expander_.store(*gemm, issue);
    } else if (const auto* vector = std::get_if<VectorNest>(&nest)) {
      expander_.store(*vector, issue);
    }
  }
  stores->write(end_of_stream());
}

}  // namespace qsim
