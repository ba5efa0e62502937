#include "sim/compiler/in_place.h"

#include <cstddef>
#include <memory>
#include <variant>

namespace qsim {

namespace {

/// Every output element comes from the input element of the same place alone (of a row function: from the row
/// of channels that it is in), and both lie at the same place in tensors of equal layout.
bool is_read_in_place(const VectorProblem& problem, const VectorInput& input) {
  constexpr Dims kOnes{1, 1, 1, 1};
  return problem.window == kOnes && problem.output_offset == Dims{} &&
         problem.extent == problem.output.dims && input.source == VectorInput{}.source &&
         input.stride == kOnes && input.offset == Dims{} && input.tensor.dims == problem.output.dims &&
         input.tensor.layout.format.bits == problem.output.layout.format.bits &&
         input.tensor.pixel_granule == problem.output.pixel_granule;
}

}  // namespace

std::vector<int> replaceable_inputs(const LoweredRow& row) {
  if (row.problems.size() != 1) return {};
  const auto* held = std::get_if<std::shared_ptr<const VectorProblem>>(row.problems.data());
  if (held == nullptr) return {};
  const VectorProblem& problem = **held;
  // A resize reads neighbours; the constants of a row function are read for every row.
  if (std::holds_alternative<arithmetic::ResizeFunction>(problem.function)) return {};
  const std::size_t count =
      std::holds_alternative<arithmetic::RowFunction>(problem.function) ? 1 : problem.inputs.size();
  std::vector<int> found;
  for (std::size_t i = 0; i < count; ++i) {
    if (is_read_in_place(problem, problem.inputs[i])) found.push_back(row.inputs[0][i]);
  }
  return found;
}

}  // namespace qsim
