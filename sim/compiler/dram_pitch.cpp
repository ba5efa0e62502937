#include "sim/compiler/dram_pitch.h"

#include <cstddef>
#include <variant>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/gemm_traffic.h"
#include "sim/compiler/mapping.h"

namespace qsim {

namespace {

/// Bytes in whole bursts that pitched pixels of a row's input and output save.
class PitchSavings {
 public:
  explicit PitchSavings(const HardwareConfig& hardware)
      : hardware_(hardware), limits_(mapping_limits(hardware, 0, 0)) {}

  [[nodiscard]] std::int64_t of_input(const GemmProblem& problem, const GemmMapping& mapping) const {
    return saved(problem, mapping, &GemmProblem::input, &RowCost::inputs);
  }
  [[nodiscard]] std::int64_t of_output(const GemmProblem& problem, const GemmMapping& mapping) const {
    return saved(problem, mapping, &GemmProblem::output, &RowCost::stores);
  }

 private:
  [[nodiscard]] std::int64_t saved(const GemmProblem& problem, const GemmMapping& mapping,
                                   TensorView GemmProblem::*tensor, ChannelTraffic RowCost::*channel) const {
    const auto bus_bytes = [&](const TensorLayout& layout) {
      GemmProblem placed = problem;
      placed.*tensor = TensorView{(problem.*tensor).dims, layout, 1, 0};
      const GemmCursor cursor(placed, mapping);
      return (gemm_traffic(placed, mapping, cursor, hardware_, limits_).*channel).bus_bytes;
    };
    const TensorLayout& dense = (problem.*tensor).layout;
    return bus_bytes(dense) -
           bus_bytes(dense_layout((problem.*tensor).dims, dense.format, 0, hardware_.dram.burst_bytes));
  }

  const HardwareConfig& hardware_;
  MappingLimits limits_;
};

}  // namespace

std::vector<std::int64_t> dram_pitches(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                                       const MemoryPlan& plan, const HardwareConfig& hardware) {
  std::vector<std::int64_t> pitches(schedule.storages.size(), 0);
  if (hardware.dram.kind == DramKind::none) return pitches;
  const PitchSavings savings(hardware);
  std::vector<std::int64_t> saved(pitches.size(), 0);
  const auto may_gain = [&](int storage, const TensorView& tensor) {
    const std::int64_t pitch = schedule.storages[static_cast<std::size_t>(storage)].pitch_bytes;
    return pitch > 0 && tensor.layout.strides[2] % pitch != 0;
  };
  for (std::size_t row = 0; row < lowered.size(); ++row) {
    const GemmProblem* problem = lowered[row].gemm();
    if (problem == nullptr) continue;
    const GemmMapping& mapping = std::get<GemmPlan>(plan.nests[row][0]).mapping;
    const int input = lowered[row].inputs[0][0];
    if (may_gain(input, problem->input) && (!mapping.input_resident || mapping.fetch_input))
      saved[static_cast<std::size_t>(input)] += savings.of_input(*problem, mapping);
    if (may_gain(lowered[row].output, problem->output) && mapping.store_output)
      saved[static_cast<std::size_t>(lowered[row].output)] += savings.of_output(*problem, mapping);
  }
  for (std::size_t s = 0; s < pitches.size(); ++s) {
    if (saved[s] > 0) pitches[s] = schedule.storages[s].pitch_bytes;
  }
  return pitches;
}

}  // namespace qsim
