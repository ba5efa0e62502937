#include "sim/compiler/program_parts.h"

#include <type_traits>
#include <utility>

namespace qsim {

namespace {

std::int32_t row_of(const Nest& nest) {
  return std::visit([](const auto& n) { return n.row; }, nest);
}

bool is_stripe(const Nest& nest) {
  return std::visit([](const auto& n) { return !n.window.is_all(); }, nest);
}

/// Moves the nests of the first part to another one.
class PartMover {
 public:
  PartMover(const Graph& graph, const Schedule& schedule, const std::vector<LoweredRow>& lowered,
            const std::vector<std::int64_t>& strides, std::int32_t part)
      : graph_(graph), schedule_(schedule), lowered_(lowered), strides_(strides), part_(part) {}

  /// Nest `n` of its row. Placements are shared with the first part where nothing in them moves. What stays
  /// in the weight buffer is there from the first part on; other weights are loaded whatever the flag says.
  void move(auto& nest, std::size_t n) const {
    auto placement = nest.placement();
    if (moves(placement, static_cast<std::size_t>(nest.row), n)) nest.place(std::move(placement));
    if constexpr (std::is_same_v<decltype(nest), GemmNest&>) nest.weights_loaded = false;
    nest.row += part_ * static_cast<std::int32_t>(lowered_.size());
  }

 private:
  [[nodiscard]] bool moves(std::int64_t& address, int storage) const {
    const std::int64_t offset = part_ * strides_[static_cast<std::size_t>(storage)];
    address += offset;
    return offset != 0;
  }
  [[nodiscard]] bool moves(GemmPlacement& placement, std::size_t row, std::size_t n) const {
    const std::vector<int>& inputs = lowered_[row].inputs[n];
    bool any = moves(placement.input.dram.base, inputs[0]);
    any |= moves(placement.output.dram.base, lowered_[row].output);
    const GemmProblem& problem = *lowered_[row].gemm();
    if (problem.activation_weights) any |= moves(placement.weights_dram_base, inputs[1]);
    if (problem.addend() != nullptr) any |= moves(placement.addend.dram.base, inputs.back());
    return any;
  }
  [[nodiscard]] bool moves(VectorPlacement& placement, std::size_t row, std::size_t n) const {
    bool any = moves(placement.output.dram.base, lowered_[row].output);
    for (std::size_t i = 0; i < placement.inputs.size(); ++i)
      any |= moves(placement.inputs[i].dram.base, lowered_[row].inputs[n][i]);
    return any;
  }
  /// Operands in the order of the node's inputs; constants stay where they are.
  [[nodiscard]] bool moves(HostPlacement& placement, std::size_t row, std::size_t /*n*/) const {
    bool any = moves(placement.write, lowered_[row].output);
    std::size_t operand = 0;
    for (const TensorId id : graph_.nodes[schedule_.rows[row].node].inputs) {
      if (id == kNoTensor) continue;
      std::int64_t& address = placement.reads[operand++];
      if (!graph_.tensor(id).is_constant())
        any |= moves(address, schedule_.storage_of[static_cast<std::size_t>(id)]);
    }
    return any;
  }

  const Graph& graph_;
  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const std::vector<std::int64_t>& strides_;
  std::int32_t part_;
};

}  // namespace

void repeat_for_parts(const Graph& graph, const std::vector<LoweredRow>& lowered,
                      const std::vector<std::int64_t>& part_strides, CompiledProgram& out) {
  const std::vector<Nest> first = out.program.nests;
  for (std::int32_t part = 1; part < out.program.parts; ++part) {
    const PartMover mover(graph, out.schedule, lowered, part_strides, part);
    std::size_t n = 0;  // of the nest's row
    for (std::size_t i = 0; i < first.size(); ++i) {
      n = i > 0 && row_of(first[i - 1]) == row_of(first[i]) && !is_stripe(first[i]) ? n + 1 : 0;
      std::visit([&](auto& nest) { mover.move(nest, n); }, out.program.nests.emplace_back(first[i]));
    }
  }
}

void hold_weights_between_parts(Program& program) {
  const std::size_t nests = program.nests.size() / static_cast<std::size_t>(program.parts);
  for (std::size_t first = nests; first < program.nests.size(); first += nests)
    std::visit([](auto& nest) { nest.holds_weights = true; }, program.nests[first]);
}

}  // namespace qsim
