#include "hw_models/core/vector_work.h"

#include <algorithm>
#include <vector>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

namespace {

constexpr std::int64_t kRowPasses = 4;
constexpr std::int64_t kBlended = 4;  ///< Elements that one element of a linear resize comes from.

/// Calls `visit` for every position of a box, channels fastest.
template <typename Visit>
void for_each_position(const Box& box, Visit visit) {
  for (std::int64_t b = box.begin[0]; b < box.end[0]; ++b)
    for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y)
      for (std::int64_t x = box.begin[2]; x < box.end[2]; ++x)
        for (std::int64_t c = box.begin[3]; c < box.end[3]; ++c) visit(Dims{b, y, x, c});
}

struct CostOf {
  std::int64_t elements, window;

  VectorCost operator()(const arithmetic::UnaryFunction& function) const {
    VectorCost cost;
    cost.lane_operations = elements;
    if (std::holds_alternative<arithmetic::TableFunction>(function)) {
      cost.lookups = elements;
    } else if (std::holds_alternative<arithmetic::CopyFunction>(function)) {
      cost.adds = elements;
    } else {
      cost.multiplies = elements;
    }
    return cost;
  }
  VectorCost operator()(const arithmetic::BinaryFunction& function) const {
    VectorCost cost;
    cost.lane_operations = elements;
    if (std::holds_alternative<arithmetic::TfliteExtremumFunction>(function)) {
      cost.adds = elements;  // a comparison
      return cost;
    }
    const bool product = std::holds_alternative<arithmetic::TfliteMulFunction>(function) ||
                         std::holds_alternative<arithmetic::OnnxMulFunction>(function) ||
                         std::holds_alternative<arithmetic::TflitePReluFunction>(function);
    cost.adds = product ? 0 : elements;
    cost.multiplies =
        product ? 2 * elements : 3 * elements;  // product: operands, then scale; sum: three scales
    return cost;
  }
  VectorCost operator()(const arithmetic::WindowFunction& function) const {
    VectorCost cost;
    cost.adds = elements * window;
    cost.lane_operations = elements * window;
    if (!std::holds_alternative<arithmetic::MaxPoolFunction>(function)) {
      cost.multiplies = elements;
      cost.lane_operations += elements;
    }
    return cost;
  }
  VectorCost operator()(const arithmetic::RowFunction& function) const {
    VectorCost cost;
    cost.lane_operations = (kRowPasses + window - 1) * elements;
    const arithmetic::RowWork work = function.work();
    cost.adds = work.adds * elements;
    cost.multiplies = work.multiplies * elements;
    cost.lookups = work.lookups * elements;
    return cost;
  }
  VectorCost operator()(const arithmetic::ResizeFunction& function) const {
    VectorCost cost;
    const bool moves = function.arithmetic == arithmetic::ResizeArithmetic::nearest;
    cost.adds = (moves ? 1 : kBlended - 1) * elements;
    cost.multiplies = moves ? 0 : kBlended * elements;
    cost.lane_operations = (moves ? 1 : kBlended) * elements;
    return cost;
  }
};

/// Computes one tile, element by element or row by row.
class TileComputation {
 public:
  TileComputation(const VectorTile& tile, BufferStorage& storage) : tile_(tile), storage_(storage) {}

  void compute();

 private:
  void compute_rows();
  /// One row of an input, of an element of the window; padding has none. The constants of a row function are
  /// the same for every row.
  [[nodiscard]] std::vector<std::int64_t> read_row(std::size_t input, Dims at, const Dims& window = {}) const;
  /// What an output row is made of: the rows of the inputs that are no constants, one behind the other.
  [[nodiscard]] std::vector<std::int64_t> read_rows(const Dims& at) const;
  [[nodiscard]] std::int64_t compute_mean(const arithmetic::OnnxMeanFunction& function,
                                          const Dims& position) const;
  [[nodiscard]] std::int64_t compute_resized(const arithmetic::ResizeFunction& function,
                                             const Dims& position) const;
  [[nodiscard]] std::int64_t compute_element(const Dims& position) const;
  [[nodiscard]] std::int64_t read_input(std::size_t input, const Dims& position, const Dims& window,
                                        bool& inside) const;
  void write_output(const Dims& position, std::int64_t value);

  const VectorTile& tile_;
  BufferStorage& storage_;
};

std::int64_t TileComputation::read_input(std::size_t input, const Dims& position, const Dims& window,
                                         bool& inside) const {
  const VectorInput& source = tile_.nest->problem().inputs[input];
  Dims at{};
  for (std::size_t d = 0; d < kDims; ++d) {
    at[d] = position[source.source[d]] * source.stride[d] + source.offset[d] + window[d];
    if (at[d] < 0 || at[d] >= source.tensor.dims[d]) {
      inside = false;
      return source.pad;
    }
    at[d] -= tile_.input_origins[input][d];
  }
  inside = true;
  const TensorLayout& layout = tile_.inputs[input];
  return storage_.read(layout.bit_address(at[0], at[1], at[2], at[3]), layout.format);
}

std::int64_t TileComputation::compute_element(const Dims& position) const {
  const VectorProblem& problem = tile_.nest->problem();
  bool inside = true;
  if (const auto* unary = std::get_if<arithmetic::UnaryFunction>(&problem.function)) {
    const std::int64_t x = read_input(0, position, {}, inside);
    return inside ? arithmetic::evaluate(*unary, x) : x;
  }
  if (const auto* binary = std::get_if<arithmetic::BinaryFunction>(&problem.function)) {
    const std::int64_t a = read_input(0, position, {}, inside);
    const std::int64_t b = read_input(1, position, {}, inside);
    return arithmetic::evaluate(*binary, a, b);
  }
  if (const auto* resize = std::get_if<arithmetic::ResizeFunction>(&problem.function)) {
    return compute_resized(*resize, position);
  }
  const auto& function = std::get<arithmetic::WindowFunction>(problem.function);
  if (const auto* mean = std::get_if<arithmetic::OnnxMeanFunction>(&function)) {
    return compute_mean(*mean, position);
  }
  arithmetic::WindowState state;
  for_each_position({{}, problem.window}, [&](const Dims& offset) {
    bool is_element = true;
    const std::int64_t x = read_input(0, position, offset, is_element);
    if (is_element) arithmetic::accumulate(function, state, x);
  });
  return arithmetic::evaluate(function, state);
}

std::int64_t TileComputation::compute_mean(const arithmetic::OnnxMeanFunction& function,
                                           const Dims& position) const {
  std::vector<std::int64_t> elements;
  for_each_position({{}, tile_.nest->problem().window}, [&](const Dims& offset) {
    bool inside = true;
    elements.push_back(read_input(0, position, offset, inside));
  });
  std::int64_t start = 0;
  for (std::size_t d = 0; d < std::min(kDims, function.position_strides.size()); ++d) {
    start += position[kDims - 1 - d] * function.position_strides[d];
  }
  return arithmetic::evaluate(function, elements, start % 4);
}

std::int64_t TileComputation::compute_resized(const arithmetic::ResizeFunction& function,
                                              const Dims& position) const {
  const arithmetic::ResizeTap& row = function.rows[static_cast<std::size_t>(position[kRow])];
  const arithmetic::ResizeTap& column = function.columns[static_cast<std::size_t>(position[kColumn])];
  const auto read = [&](std::int64_t y, std::int64_t x) {
    bool inside = true;
    return read_input(0, {position[kBatch], y, x, position[kChannel]}, {}, inside);
  };
  arithmetic::ResizeNeighbours x;
  x.first_first = read(row.first, column.first);
  if (function.arithmetic != arithmetic::ResizeArithmetic::nearest) {
    x.first_second = read(row.first, column.second);
    x.second_first = read(row.second, column.first);
    x.second_second = read(row.second, column.second);
  }
  return arithmetic::evaluate(function, static_cast<std::size_t>(position[kRow]),
                              static_cast<std::size_t>(position[kColumn]), position[kChannel], x);
}

void TileComputation::write_output(const Dims& position, std::int64_t value) {
  Dims at{};
  for (std::size_t d = 0; d < kDims; ++d) {
    at[d] = position[d] + tile_.nest->problem().output_offset[d] - tile_.destination_origin[d];
  }
  storage_.write(tile_.destination.bit_address(at[0], at[1], at[2], at[3]), tile_.destination.format, value);
}

void TileComputation::compute() {
  if (std::holds_alternative<arithmetic::RowFunction>(tile_.nest->problem().function)) {
    compute_rows();
    return;
  }
  for_each_position(tile_.output, [&](const Dims& at) { write_output(at, compute_element(at)); });
}

void TileComputation::compute_rows() {
  const VectorProblem& problem = tile_.nest->problem();
  const auto& function = std::get<arithmetic::RowFunction>(problem.function);
  std::vector<std::int64_t> gamma;
  std::vector<std::int64_t> beta;
  if (problem.has_gamma) gamma = read_row(1, {});
  if (problem.has_beta) beta = read_row(problem.has_gamma ? 2 : 1, {});
  std::vector<std::int64_t> out(static_cast<std::size_t>(tile_.output.extent(kChannel)));
  Box rows = tile_.output;
  rows.end[kChannel] = rows.begin[kChannel] + 1;
  for_each_position(rows, [&](Dims at) {
    arithmetic::evaluate(function, read_rows(at), out, {gamma, beta});
    for (const std::int64_t y : out) {
      write_output(at, y);
      ++at[kChannel];
    }
  });
}

std::vector<std::int64_t> TileComputation::read_row(std::size_t input, Dims at, const Dims& window) const {
  std::vector<std::int64_t> row;
  for (at[kChannel] = tile_.output.begin[kChannel]; at[kChannel] < tile_.output.end[kChannel];
       ++at[kChannel]) {
    bool inside = true;
    row.push_back(read_input(input, at, window, inside));
    if (!inside) return {};
  }
  return row;
}

std::vector<std::int64_t> TileComputation::read_rows(const Dims& at) const {
  const VectorProblem& problem = tile_.nest->problem();
  const std::size_t constants = (problem.has_gamma ? 1U : 0U) + (problem.has_beta ? 1U : 0U);
  std::vector<std::int64_t> rows;
  for (std::size_t input = 0; input < problem.inputs.size() - constants; ++input) {
    for_each_position({{}, problem.window}, [&](const Dims& window) {
      const std::vector<std::int64_t> row = read_row(input, at, window);
      rows.insert(rows.end(), row.begin(), row.end());
    });
  }
  return rows;
}

}  // namespace

VectorCost vector_cost(const VectorTile& tile) {
  return vector_cost(tile.nest->problem(), tile.output.elements());
}

VectorCost vector_cost(const VectorProblem& problem, std::int64_t elements) {
  const auto* resize = std::get_if<arithmetic::ResizeFunction>(&problem.function);
  const bool blends = resize != nullptr && resize->arithmetic != arithmetic::ResizeArithmetic::nearest;
  const std::int64_t window =
      blends ? kBlended : problem.window[0] * problem.window[1] * problem.window[2] * problem.window[3];
  VectorCost cost = std::visit(CostOf{elements, window}, problem.function);
  for (const VectorInput& input : problem.inputs) {
    cost.read_bytes += arithmetic::packed_bytes(elements * window, input.tensor.layout.format.bits);
  }
  cost.write_bytes = arithmetic::packed_bytes(elements, problem.output.layout.format.bits);
  return cost;
}

std::int64_t VectorCycles::total() const {
  return latency + std::max({lanes, reads, writes});
}

VectorCycles vector_cycles(const VectorCost& work, const VectorUnitConfig& unit, const BufferConfig& buffer) {
  return {ceil_div(work.lane_operations, std::max<std::int64_t>(1, unit.lanes)),
          buffer.read_cycles(work.read_bytes), buffer.write_cycles(work.write_bytes), unit.latency_cycles};
}

void compute_vector_tile(const VectorTile& tile, BufferStorage& storage) {
  TileComputation(tile, storage).compute();
}

}  // namespace qsim
