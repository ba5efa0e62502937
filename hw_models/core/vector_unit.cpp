#include "hw_models/core/vector_unit.h"

#include <algorithm>
#include <vector>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/cycle.h"

namespace qsim {

namespace {

constexpr int kTileQueueDepth = 2;
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
    cost.lane_operations = kRowPasses * elements;
    if (std::holds_alternative<arithmetic::OnnxLayerNormFunction>(function)) {
      cost.adds = 4 * elements;        // sum, difference, sum of squares, beta
      cost.multiplies = 4 * elements;  // dequantize, square, scale, gamma
    } else {
      cost.adds = 2 * elements;
      cost.lookups = elements;
      cost.multiplies = elements;
    }
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

}  // namespace

VectorUnit::VectorUnit(sc_core::sc_module_name name, const VectorUnitConfig& config,
                       SramBuffer& activation_buffer, Completions& completions, ChipContext& context)
    : sc_module(name),
      tiles("tiles", kTileQueueDepth),
      config_(config),
      activation_buffer_(activation_buffer),
      completions_(completions),
      context_(context) {
  sc_core::sc_spawn([this] { context_.guard([this] { run(); }); }, sc_core::sc_gen_unique_name("lanes"));
}

VectorCost VectorUnit::cost(const VectorTile& tile) const {
  const VectorProblem& problem = tile.nest->problem();
  const VectorPlacement& placement = tile.nest->placement();
  const std::int64_t elements = tile.output.elements();
  const auto* resize = std::get_if<arithmetic::ResizeFunction>(&problem.function);
  const bool blends = resize != nullptr && resize->arithmetic != arithmetic::ResizeArithmetic::nearest;
  const std::int64_t window =
      blends ? kBlended : problem.window[0] * problem.window[1] * problem.window[2] * problem.window[3];
  VectorCost cost = std::visit(CostOf{elements, window}, problem.function);
  for (const Placement& input : placement.inputs) {
    cost.read_bytes += arithmetic::packed_bytes(elements * window, input.buffer.format.bits);
  }
  cost.write_bytes = arithmetic::packed_bytes(elements, placement.output.buffer.format.bits);
  return cost;
}

void VectorUnit::run() {
  while (true) {
    const VectorTile tile = tiles.read();
    if (tile.nest == nullptr) return;
    take_dependencies(tile);
    const VectorCost work = cost(tile);
    const Cycle begin = now_cycle();
    const Cycle end = begin + config_.latency_cycles +
                      std::max({ceil_div(work.lane_operations, config_.lanes),
                                activation_buffer_.read_cycles(work.read_bytes),
                                activation_buffer_.write_cycles(work.write_bytes)});
    count(tile, work);
    context_.timeline.record(Span::vector, tile.nest->row, begin, end);
    wait_until(end);
    if (context_.moves_values) compute(tile);
    if (tile.gives_input) context_.tokens.inputs_free.release();
    if (tile.gives_outputs) context_.tokens.outputs_ready.release();
    if (tile.retires) context_.on_retire();
  }
}

void VectorUnit::take_dependencies(const VectorTile& tile) {
  const Cycle since = now_cycle();
  if (tile.takes_input) context_.tokens.inputs_ready.acquire();
  context_.timeline.record(Span::wait_activations, tile.nest->row, since, now_cycle());
  const Cycle then = now_cycle();
  if (tile.takes_output_space) context_.tokens.outputs_free.acquire();
  context_.timeline.record(Span::wait_output_space, tile.nest->row, then, now_cycle());
}

void VectorUnit::count(const VectorTile& tile, const VectorCost& cost) {
  Activity& events = context_.events(tile.nest->row);
  ++events[Event::commands];
  events[Event::vector_adds] += cost.adds;
  events[Event::vector_multiplies] += cost.multiplies;
  events[Event::vector_lookups] += cost.lookups;
  activation_buffer_.count_read(tile.nest->row, cost.read_bytes);
  activation_buffer_.count_write(tile.nest->row, cost.write_bytes);
}

std::int64_t VectorUnit::read_input(const VectorTile& tile, std::size_t input, const Dims& position,
                                    const Dims& window, bool& inside) const {
  const VectorInput& source = tile.nest->problem().inputs[input];
  Dims at{};
  for (std::size_t d = 0; d < kDims; ++d) {
    at[d] = position[source.source[d]] * source.stride[d] + source.offset[d] + window[d];
    if (at[d] < 0 || at[d] >= source.tensor.dims[d]) {
      inside = false;
      return source.pad;
    }
    at[d] -= tile.input_origins[input][d];
  }
  inside = true;
  const TensorLayout& layout = tile.inputs[input];
  return activation_buffer_.read(layout.bit_address(at[0], at[1], at[2], at[3]), layout.format);
}

std::int64_t VectorUnit::compute_element(const VectorTile& tile, const Dims& position) const {
  const VectorNest& nest = *tile.nest;
  bool inside = true;
  if (const auto* unary = std::get_if<arithmetic::UnaryFunction>(&nest.problem().function)) {
    const std::int64_t x = read_input(tile, 0, position, {}, inside);
    return inside ? arithmetic::evaluate(*unary, x) : x;
  }
  if (const auto* binary = std::get_if<arithmetic::BinaryFunction>(&nest.problem().function)) {
    const std::int64_t a = read_input(tile, 0, position, {}, inside);
    const std::int64_t b = read_input(tile, 1, position, {}, inside);
    return arithmetic::evaluate(*binary, a, b);
  }
  if (const auto* resize = std::get_if<arithmetic::ResizeFunction>(&nest.problem().function)) {
    return compute_resized(tile, *resize, position);
  }
  const auto& function = std::get<arithmetic::WindowFunction>(nest.problem().function);
  if (const auto* mean = std::get_if<arithmetic::OnnxMeanFunction>(&function)) {
    return compute_mean(tile, *mean, position);
  }
  arithmetic::WindowState state;
  for_each_position({{}, nest.problem().window}, [&](const Dims& offset) {
    bool is_element = true;
    const std::int64_t x = read_input(tile, 0, position, offset, is_element);
    if (is_element) arithmetic::accumulate(function, state, x);
  });
  return arithmetic::evaluate(function, state);
}

std::int64_t VectorUnit::compute_mean(const VectorTile& tile, const arithmetic::OnnxMeanFunction& function,
                                      const Dims& position) const {
  std::vector<std::int64_t> elements;
  for_each_position({{}, tile.nest->problem().window}, [&](const Dims& offset) {
    bool inside = true;
    elements.push_back(read_input(tile, 0, position, offset, inside));
  });
  std::int64_t start = 0;
  for (std::size_t d = 0; d < std::min(kDims, function.position_strides.size()); ++d) {
    start += position[kDims - 1 - d] * function.position_strides[d];
  }
  return arithmetic::evaluate(function, elements, start % 4);
}

std::int64_t VectorUnit::compute_resized(const VectorTile& tile, const arithmetic::ResizeFunction& function,
                                         const Dims& position) const {
  const arithmetic::ResizeTap& row = function.rows[static_cast<std::size_t>(position[kRow])];
  const arithmetic::ResizeTap& column = function.columns[static_cast<std::size_t>(position[kColumn])];
  const auto read = [&](std::int64_t y, std::int64_t x) {
    bool inside = true;
    return read_input(tile, 0, {position[kBatch], y, x, position[kChannel]}, {}, inside);
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

void VectorUnit::write_output(const VectorTile& tile, const Dims& position, std::int64_t value) {
  Dims at{};
  for (std::size_t d = 0; d < kDims; ++d) {
    at[d] = position[d] + tile.nest->problem().output_offset[d] - tile.destination_origin[d];
  }
  activation_buffer_.write(tile.destination.bit_address(at[0], at[1], at[2], at[3]), tile.destination.format,
                           value);
}

void VectorUnit::compute(const VectorTile& tile) {
  if (std::holds_alternative<arithmetic::RowFunction>(tile.nest->problem().function)) {
    compute_rows(tile);
    return;
  }
  for_each_position(tile.output, [&](const Dims& at) { write_output(tile, at, compute_element(tile, at)); });
}

void VectorUnit::compute_rows(const VectorTile& tile) {
  const VectorNest& nest = *tile.nest;
  const auto& function = std::get<arithmetic::RowFunction>(nest.problem().function);
  std::vector<std::int64_t> gamma;
  std::vector<std::int64_t> beta;
  if (nest.problem().has_gamma) gamma = read_row(tile, 1, {});
  if (nest.problem().has_beta) beta = read_row(tile, nest.problem().has_gamma ? 2 : 1, {});
  std::vector<std::int64_t> out(static_cast<std::size_t>(tile.output.extent(kChannel)));
  Box rows = tile.output;
  rows.end[kChannel] = rows.begin[kChannel] + 1;
  for_each_position(rows, [&](Dims at) {
    arithmetic::evaluate(function, read_row(tile, 0, at), out, {gamma, beta});
    for (const std::int64_t y : out) {
      write_output(tile, at, y);
      ++at[kChannel];
    }
  });
}

std::vector<std::int64_t> VectorUnit::read_row(const VectorTile& tile, std::size_t input, Dims at) const {
  std::vector<std::int64_t> row;
  bool inside = true;
  for (at[kChannel] = tile.output.begin[kChannel]; at[kChannel] < tile.output.end[kChannel]; ++at[kChannel]) {
    row.push_back(read_input(tile, input, at, {}, inside));
  }
  return row;
}

}  // namespace qsim
