#include "sim/check/remarks.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/compiler/lower.h"
#include "workloads/execute/execute.h"

namespace qsim {
namespace {

using arithmetic::RoundingProfile;

const char* overflow_name(arithmetic::Overflow overflow) {
  switch (overflow) {
    case arithmetic::Overflow::wrap:
      return "wrap";
    case arithmetic::Overflow::saturate:
      return "saturate";
    case arithmetic::Overflow::trap:
      break;
  }
  return "trap";
}

void add_operand_remark(const GemmProblem& problem, const MacArrayConfig& array,
                        std::vector<std::string>& remarks) {
  const int weight_bits = problem.weight_format.bits;
  const int activation_bits = problem.activation_format.bits;
  const std::int64_t cycles = array.cycles_per_mac(weight_bits, activation_bits);
  if (cycles == 1) return;
  remarks.push_back(
      fmt::format("{}-bit weights by {}-bit activations take {} cycles a product on {}x{}-bit "
                  "multipliers",
                  weight_bits, activation_bits, cycles, array.weight_bits, array.activation_bits));
}

void add_accumulator_remarks(const GemmProblem& problem, const std::vector<std::int64_t>& preload,
                             const AccumulatorConfig& accumulators, std::vector<std::string>& remarks) {
  constexpr int kInt16Bits = 48;
  const int needed = worst_case_accumulator_bits(problem, preload);
  if (needed > accumulators.width_bits) {
    remarks.push_back(
        fmt::format("sums could {} in {}-bit accumulators: the worst case needs "
                    "accumulators.width_bits of {}",
                    overflow_name(accumulators.overflow), accumulators.width_bits, needed));
  }
  if (problem.rounding_profile == RoundingProfile::fixed_point_16bit_multiplier &&
      accumulators.width_bits <= 32) {
    remarks.push_back(
        fmt::format("TFLite sums INT16 layers in 64 bits: accumulators.width_bits of {} or more "
                    "gives its values for certain",
                    std::max(kInt16Bits, needed)));
  }
}

void add_rounding_remark(const Graph& graph, const Node& node, RoundingProfile in_effect,
                         std::vector<std::string>& remarks) {
  const RoundingProfile own = graph.rounding_profile.value_or(automatic_rounding_profile(graph, node));
  if (own == in_effect || in_effect == RoundingProfile::thresholds)
    return;  // Thresholds give the same values.
  remarks.push_back(
      fmt::format("the chip rounds as {}, the model as {}: values may differ from its runtime's",
                  arithmetic::rounding_profile_name(in_effect), arithmetic::rounding_profile_name(own)));
}

}  // namespace

namespace {

void add_group_remark(const Quantization& weights, std::vector<std::string>& remarks) {
  if (!weights.has_groups() || weights.group_scale_error == 0.0) return;
  remarks.push_back(fmt::format(
      "scales of groups of {} are approximated by integer multiples, by {:.2g} % at most, so that "
      "outputs are not bit-exact",
      weights.group_size, 100.0 * weights.group_scale_error));
}

}  // namespace

std::vector<std::string> remarks_of_row(const Graph& graph, const Schedule& schedule, std::size_t row,
                                        const HardwareConfig& hardware) {
  std::vector<std::string> remarks;
  if (!schedule.rows[row].on_mac_array) return remarks;
  const LoweredRow lowered = lower_to_mac_array(graph, schedule, static_cast<std::int32_t>(row), hardware);
  const GemmProblem& problem = *lowered.gemm();
  add_operand_remark(problem, hardware.mac_array, remarks);
  add_accumulator_remarks(problem, lowered.preload, hardware.accumulators, remarks);
  add_group_remark(*graph.tensor(graph.nodes[schedule.rows[row].node].inputs[1]).quantization, remarks);
  add_rounding_remark(graph, graph.nodes[schedule.rows[row].node], problem.rounding_profile, remarks);
  return remarks;
}

}  // namespace qsim
