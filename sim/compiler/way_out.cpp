#include "sim/compiler/way_out.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "hw_models/core/pooling.h"
#include "hw_models/dataflow/dataflow_table.h"

namespace qsim {

namespace {

/// The problem of a row of the vector unit that has one; nullptr for others.
std::shared_ptr<const VectorProblem> vector_problem(const LoweredRow& row) {
  if (row.problems.size() != 1) return nullptr;
  const auto* problem = std::get_if<std::shared_ptr<const VectorProblem>>(row.problems.data());
  return problem == nullptr ? nullptr : *problem;
}

/// Element i of the input is element i of the output.
bool is_elementwise(const VectorProblem& problem, const VectorInput& input) {
  return input.tensor.dims == problem.extent && input.source == VectorInput{}.source &&
         input.stride == VectorInput{}.stride && input.offset == Dims{};
}

bool is_elementwise(const VectorProblem& problem) {
  return problem.window == Dims{1, 1, 1, 1} && problem.output_offset == Dims{} &&
         problem.output.dims == problem.extent &&
         std::ranges::all_of(problem.inputs,
                             [&](const VectorInput& input) { return is_elementwise(problem, input); });
}

bool is_addition(const VectorFunction& function) {
  const auto* binary = std::get_if<arithmetic::BinaryFunction>(&function);
  return binary != nullptr && (std::holds_alternative<arithmetic::TfliteAddFunction>(*binary) ||
                               std::holds_alternative<arithmetic::OnnxAddFunction>(*binary));
}

/// Of integers: floats are made for the host, by the vector unit.
bool is_function_of_element(const VectorFunction& function) {
  const auto* unary = std::get_if<arithmetic::UnaryFunction>(&function);
  return unary != nullptr && (std::holds_alternative<arithmetic::TableFunction>(*unary) ||
                              std::holds_alternative<arithmetic::CopyFunction>(*unary));
}

/// Maxima, and averages that are a sum of integers, rounded once.
bool is_pooling_function(const VectorFunction& function) {
  const auto* window = std::get_if<arithmetic::WindowFunction>(&function);
  return window != nullptr && !std::holds_alternative<arithmetic::OnnxAveragePoolFunction>(*window) &&
         !std::holds_alternative<arithmetic::OnnxMeanFunction>(*window);
}

/// A sum of a window's elements fits its entry of the pooler's lines.
bool sums_fit(const VectorProblem& problem) {
  constexpr std::int64_t kMostElements = std::int64_t{1} << 31U;
  return problem.window[kRow] * problem.window[kColumn] <= kMostElements >>
         static_cast<unsigned>(problem.inputs[0].tensor.layout.format.bits);
}

/// Each window, in rows or columns, has an element.
bool has_no_empty_window(const PoolWindows& windows) {
  return windows.offset <= 0 && windows.end(0) > 0 && windows.first(windows.count - 1) < windows.size;
}

/// Windows over rows and columns of a tensor of `dims`.
bool is_pooling(const VectorProblem& problem, const Dims& dims) {
  if (!is_pooling_function(problem.function) || problem.inputs.size() != 1) return false;
  const VectorInput& input = problem.inputs[0];
  return input.tensor.dims == dims && input.tensor.pixel_granule == 1 && problem.output.pixel_granule == 1 &&
         input.source == VectorInput{}.source && problem.output_offset == Dims{} &&
         problem.output.dims == problem.extent && problem.extent[kBatch] == dims[kBatch] &&
         problem.extent[kChannel] == dims[kChannel] && problem.window[kBatch] == 1 &&
         problem.window[kChannel] == 1 && has_no_empty_window(pool_windows(problem, kRow)) &&
         has_no_empty_window(pool_windows(problem, kColumn)) && sums_fit(problem);
}

/// In one of the array's dataflows the requantizer gets a channel's pixels one after the other.
bool has_pixels_in_turn(const MacArrayConfig& array) {
  return std::ranges::any_of(array.offered_dataflows(), [&](Dataflow dataflow) {
    return dataflow_model(dataflow, array.organization).streams_inputs();
  });
}

std::int64_t elements_of(const Dims& dims) {
  return dims[0] * dims[1] * dims[2] * dims[3];
}

/// The same pixels in other dimensions; without granules they lie one behind the other whatever these are.
TensorView viewed_as(const TensorView& tensor, const Dims& dims) {
  return {dims, dense_layout(dims, tensor.layout.format, 0), 1};
}

/// The problem in the dimensions of the product's output, where these are the same pixels.
std::shared_ptr<const VectorProblem> viewed_as(const VectorProblem& problem, const Dims& dims) {
  const auto is_dense = [](const TensorView& tensor) { return tensor.pixel_granule == 1; };
  if (problem.extent[kChannel] != dims[kChannel] || elements_of(problem.extent) != elements_of(dims) ||
      !is_dense(problem.output))
    return nullptr;
  auto viewed = std::make_shared<VectorProblem>(problem);
  viewed->extent = dims;
  viewed->output = viewed_as(problem.output, dims);
  for (VectorInput& input : viewed->inputs) {
    if (!is_dense(input.tensor)) return nullptr;
    input.tensor = viewed_as(input.tensor, dims);
  }
  return viewed;
}

class Finder {
 public:
  Finder(const Schedule& schedule, const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware)
      : schedule_(schedule),
        lowered_(lowered),
        adds_(hardware.requantizer.fused_add),
        pools_(hardware.requantizer.fused_pool && has_pixels_in_turn(hardware.mac_array)) {}

  /// The rows behind a product that may run on its way out.
  [[nodiscard]] WayOut way_out(std::size_t product) const {
    WayOut found{product, 0, false};
    std::size_t row = product + 1;
    bool has_addend = false;
    while (adds_ && row < lowered_.size() && may_join(product, row, has_addend)) ++row;
    found.pools = pools_ && row < lowered_.size() && may_pool(product, row);
    found.length = row - product - (found.pools ? 0 : 1);
    return found;
  }

 private:
  [[nodiscard]] bool may_join(std::size_t product, std::size_t row, bool& has_addend) const {
    const std::shared_ptr<const VectorProblem> problem = vector_problem(lowered_[row]);
    if (problem == nullptr || !is_elementwise(*problem)) return false;
    if (viewed_as(*problem, lowered_[product].gemm()->geometry.output) == nullptr) return false;
    const int chained = lowered_[row - 1].output;
    if (!ends_here(chained, row)) return false;
    const std::vector<int>& inputs = lowered_[row].inputs[0];
    if (std::ranges::count(inputs, chained) != 1) return false;
    if (inputs.size() == 1) return is_function_of_element(problem->function);
    if (!is_addition(problem->function) || has_addend) return false;
    const int addend = inputs[0] == chained ? inputs[1] : inputs[0];
    has_addend = true;
    return storage(addend).first_row < static_cast<int>(product);
  }

  [[nodiscard]] bool may_pool(std::size_t product, std::size_t row) const {
    const std::shared_ptr<const VectorProblem> problem = vector_problem(lowered_[row]);
    const GemmProblem& gemm = *lowered_[product].gemm();
    const int chained = lowered_[row - 1].output;
    return problem != nullptr && !gemm.activation_weights && is_pooling(*problem, gemm.geometry.output) &&
           lowered_[row].inputs[0][0] == chained && ends_here(chained, row);
  }

  /// No other row reads what the row before makes, and nobody else wants it.
  [[nodiscard]] bool ends_here(int chained, std::size_t row) const {
    const Storage& s = storage(chained);
    return s.last_row == static_cast<int>(row) && s.first_reader == static_cast<int>(row) &&
           !s.is_graph_output && !s.is_host_visible && !s.is_weights;
  }
  [[nodiscard]] const Storage& storage(int index) const {
    return schedule_.storages[static_cast<std::size_t>(index)];
  }

  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  bool adds_, pools_;
};

/// Moves the rows of one way out into their product.
void join(JoinedRows& rows, const WayOut& way_out) {
  LoweredRow& product = rows.lowered[way_out.product];
  auto joined = std::make_shared<GemmProblem>(*product.gemm());
  const auto storage = [&](int index) -> Storage& {
    return rows.schedule.storages[static_cast<std::size_t>(index)];
  };
  const auto product_row = static_cast<int>(way_out.product);
  for (std::size_t row = way_out.product + 1; row <= way_out.product + way_out.length; ++row) {
    LoweredRow& own = rows.lowered[row];
    WayOutOperation operation;
    const bool pools = way_out.pools && row == way_out.product + way_out.length;
    operation.problem =
        pools ? vector_problem(own) : viewed_as(*vector_problem(own), joined->geometry.output);
    const std::vector<int>& inputs = own.inputs[0];
    operation.chained = inputs[0] == product.output ? 0 : 1;
    if (inputs.size() > 1) {
      const int addend = inputs[1 - operation.chained];
      product.inputs[0].push_back(addend);
      Storage& read = storage(addend);
      if (read.last_row == static_cast<int>(row)) read.last_row = product_row;
      if (read.first_reader == static_cast<int>(row)) {
        read.first_reader = product_row;
        read.may_be_fetched = false;  // tiles of an addend come as they are used, or it was there before
      }
    }
    joined->output = operation.problem->output;
    joined->way_out.push_back(std::move(operation));
    storage(product.output).is_passed = true;
    product.output = own.output;
    storage(own.output).first_row = product_row;
    own.problems.clear();
    own.inputs.clear();
  }
  product.problems[0] = std::shared_ptr<const GemmProblem>(std::move(joined));
}

}  // namespace

std::vector<WayOut> find_ways_out(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                                  const HardwareConfig& hardware) {
  std::vector<WayOut> found;
  const Finder finder(schedule, lowered, hardware);
  for (std::size_t row = 0; row < lowered.size(); ++row) {
    if (lowered[row].gemm() == nullptr) continue;
    if (const WayOut way_out = finder.way_out(row); way_out.length > 0) found.push_back(way_out);
  }
  return found;
}

JoinedRows join_rows(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                     const std::vector<WayOut>& ways_out) {
  JoinedRows rows{schedule, lowered};
  for (const WayOut& way_out : ways_out) {
    if (way_out.length > 0) join(rows, way_out);
  }
  return rows;
}

}  // namespace qsim
