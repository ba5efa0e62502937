#include "hw_models/core/requantizer_run.h"

#include <algorithm>
#include <optional>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/arithmetic/requantize.h"
#include "hw_models/core/parameters.h"

namespace qsim {

namespace {

std::int64_t group_channels_of(const DrainCommand& command) {
  return command.columns.columns() / command.columns.groups();
}

}  // namespace

std::int64_t output_bytes(const DrainCommand& command) {
  if (command.sums) return outputs_of(command) * command.sums->bytes_each;
  const bool pools = command.nest->problem().pooling() != nullptr;
  return (pools ? pooled(command).completed : command.pixels()) *
         arithmetic::packed_bytes(command.nest->problem().stored_channels(command.columns.columns()),
                                  command.nest->placement().output.buffer.format.bits);
}

PoolRun pooled(const DrainCommand& command) {
  const VectorProblem* pooling = command.nest->problem().pooling();
  if (pooling == nullptr) return {};
  const std::int64_t begin = command.output.begin[kRow] * command.output.extent(kColumn);
  return pool_run(*pooling, begin + command.pixel_begin, begin + command.pixel_end);
}

std::int64_t addend_bytes(const DrainCommand& command) {
  const TensorView* addend = command.nest->problem().addend();
  if (addend == nullptr || command.sums) return 0;
  return command.pixels() * arithmetic::packed_bytes(command.columns.columns(), addend->layout.format.bits);
}

std::int64_t outputs_of(const DrainCommand& command) {
  return command.pixels() * command.columns.columns();
}

std::int64_t RequantizerTiming::entries_used(const DrainCommand& command) {
  const std::int64_t channels = group_channels_of(command);
  return dataflow_of(command.nest->mapping())
      .accumulator_order(command.pixels(), channels)
      .entries(command.pixels(), channels);
}

std::int64_t RequantizerTiming::row_cycles(const DrainCommand& command) const {
  return config_.row_read_cycles +
         ceil_div(columns_ * command.nest->problem().requantizer_operations(), config_.lanes);
}

std::int64_t RequantizerTiming::gap_cycles(const DrainCommand& command, std::int64_t entries_before,
                                           std::int64_t port_cycles) const {
  if (config_.turnaround_cycles == 0) return 0;
  const std::int64_t entries = entries_used(command);
  const std::int64_t entry_cycles = config_.row_read_cycles > 0
                                        ? row_cycles(command)
                                        : ceil_div(lane_cycles(command, port_cycles), entries);
  const std::int64_t hidden =
      std::max<std::int64_t>(0, std::min(entries_before, entries_ - entries)) * entry_cycles;
  return std::max<std::int64_t>(0, config_.turnaround_cycles - hidden);
}

std::int64_t RequantizerTiming::lane_cycles(const DrainCommand& command, std::int64_t port_cycles) const {
  if (command.sums)
    return std::max({entries_used(command) * config_.row_read_cycles, read_out_cycles(command), port_cycles});
  if (command.nest->problem().in_blocks && config_.row_read_cycles == 0) {
    const std::int64_t lanes = command.pixels() * config_.block_lane_cycles(command.columns.columns());
    return std::max({lanes, read_out_cycles(command), port_cycles});
  }
  const std::int64_t lanes =
      config_.row_read_cycles > 0
          ? entries_used(command) * row_cycles(command)
          : ceil_div(outputs_of(command) * command.nest->problem().requantizer_operations(), config_.lanes);
  return std::max({lanes, read_out_cycles(command), port_cycles});
}

std::int64_t RequantizerTiming::latency_cycles(const DrainCommand& command) const {
  if (command.sums) return 0;
  const auto operations = static_cast<std::int64_t>(command.nest->problem().way_out.size());
  const bool in_blocks = command.nest->problem().in_blocks;
  return (1 + operations) * config_.latency_cycles + (in_blocks ? config_.block_latency_cycles() : 0);
}

/// Columns are read side by side, each entry after entry.
std::int64_t RequantizerTiming::read_out_cycles(const DrainCommand& command) const {
  if (read_out_entries_ == 0) return 0;
  return ceil_div(entries_used(command), read_out_entries_);
}

namespace {

/// Bit address of an element in a tile, or in the whole tensor, whose base holds element `origin`.
std::int64_t bit_address(const TensorLayout& layout, const Dims& origin, const Dims& at) {
  return layout.bit_address(at[kBatch] - origin[kBatch], at[kRow] - origin[kRow],
                            at[kColumn] - origin[kColumn], at[kChannel] - origin[kChannel]);
}

/// The operations behind the requantizer, and where what they give is written.
class WayOut {
 public:
  WayOut(const DrainCommand& command, BufferStorage& activations, PassedTensors& passed, Pooler& pooler)
      : command_(command),
        activations_(activations),
        pooler_(pooler),
        pooling_(command.nest->problem().pooling()) {
    const GemmNest& nest = *command.nest;
    const Dims& dims = nest.problem().geometry.output;
    for (std::size_t i = 0; i < nest.problem().way_out.size(); ++i) {
      std::vector<std::int64_t>& values = passed[nest.row + static_cast<std::int32_t>(i)];
      values.resize(static_cast<std::size_t>(dims[0] * dims[1] * dims[2] * dims[3]));
      passed_.push_back(&values);
    }
    if (pooling_ != nullptr) lines_ = pool_lines(nest.problem(), nest.mapping(), GemmCursor(nest));
  }

  /// Output `at` of the requantizer.
  void leave(const Dims& at, std::int64_t value) {
    const GemmProblem& problem = command_.nest->problem();
    const Dims& dims = problem.geometry.output;
    const std::int64_t index =
        ((at[kBatch] * dims[kRow] + at[kRow]) * dims[kColumn] + at[kColumn]) * dims[kChannel] + at[kChannel];
    for (std::size_t i = 0; i < problem.way_out.size(); ++i) {
      const WayOutOperation& operation = problem.way_out[i];
      (*passed_[i])[static_cast<std::size_t>(index)] = value;
      if (operation.problem.get() != pooling_) value = apply(operation, value, at);
    }
    const auto write = [this](const Dims& place, std::int64_t result) {
      activations_.write(bit_address(command_.destination, command_.destination_origin, place),
                         command_.destination.format, result);
    };
    if (pooling_ == nullptr) return write(at, value);
    pooler_.take(command_, lines_, at, value, write);
  }

 private:
  [[nodiscard]] std::int64_t apply(const WayOutOperation& operation, std::int64_t value,
                                   const Dims& at) const {
    const VectorFunction& function = operation.problem->function;
    if (const auto* unary = std::get_if<arithmetic::UnaryFunction>(&function))
      return arithmetic::evaluate(*unary, value);
    const std::int64_t other =
        activations_.read(bit_address(command_.addend, command_.addend_origin, at), command_.addend.format);
    const bool is_second = operation.chained == 1;
    return arithmetic::evaluate(std::get<arithmetic::BinaryFunction>(function), is_second ? other : value,
                                is_second ? value : other);
  }

  const DrainCommand& command_;
  BufferStorage& activations_;
  Pooler& pooler_;
  const VectorProblem* pooling_;
  PoolLines lines_;
  std::vector<std::vector<std::int64_t>*> passed_;
};

/// What a channel's sums become.
class OutputFunction {
 public:
  OutputFunction(const ParameterReader& parameters, const GemmProblem& problem, std::int64_t channel)
      : problem_(problem) {
    if (problem.rounding_profile == arithmetic::RoundingProfile::thresholds) {
      thresholds_ = parameters.thresholds(channel);
    } else {
      scale_ = parameters.scale(channel);
    }
  }

  [[nodiscard]] std::int32_t operator()(std::int64_t sum) const {
    return thresholds_ ? thresholds_->output(problem_.output_range, sum)
                       : arithmetic::requantize(problem_.rounding(), scale_, problem_.output_range, sum);
  }

 private:
  const GemmProblem& problem_;
  arithmetic::ChannelScale scale_;
  std::optional<arithmetic::ChannelThresholds> thresholds_;
};

/// Blocks of 32 neighbouring channels of a pixel, each with its exponent behind it. A column tile begins with
/// a block.
void requantize_blocks(const DrainCommand& command, const AccumulatorBank& accumulators,
                       BufferStorage& activations) {
  const GemmProblem& problem = command.nest->problem();
  const std::int64_t width = command.output.extent(kColumn);
  const std::int64_t columns = command.columns.columns();
  const std::int64_t channels = problem.geometry.output[kChannel];
  const AccumulatorOrder order =
      dataflow_of(command.nest->mapping()).accumulator_order(command.pixels(), columns);
  for (std::int64_t pixel = command.pixel_begin; pixel < command.pixel_end; ++pixel) {
    Dims at = {command.output.begin[kBatch], command.output.begin[kRow] + pixel / width,
               command.output.begin[kColumn] + pixel % width, 0};
    const auto write = [&](std::int64_t stored, std::int64_t value) {
      at[kChannel] = stored;
      activations.write(bit_address(command.destination, command.destination_origin, at),
                        command.destination.format, value);
    };
    for (std::int64_t begin = 0; begin < columns; begin += arithmetic::kMxBlock) {
      const std::int64_t end = std::min(columns, begin + arithmetic::kMxBlock);
      std::vector<std::int64_t> sums;
      std::uint64_t largest = 0;
      for (std::int64_t c = begin; c < end; ++c) {
        AccumulatorCell cell = order.cell(pixel - command.pixel_begin, 0, c);
        cell.entry += command.accumulator_base;
        sums.push_back(std::clamp(accumulators.read(cell.entry, cell.column), problem.block_clamp.low,
                                  problem.block_clamp.high));
        largest = std::max(largest, arithmetic::magnitude(sums.back()));
      }
      const arithmetic::MxScale scale = arithmetic::mx_scale(largest, problem.block_reference);
      std::int64_t channel = command.columns.channel_begin + begin;
      write(arithmetic::mx_exponent(channel, channels), scale.exponent);
      for (const std::int64_t sum : sums)
        write(arithmetic::mx_element(channel++),
              arithmetic::mx_element_of(sum, scale, problem.shift_rounding));
    }
  }
}

}  // namespace

void requantize_run(const DrainCommand& command, const AccumulatorBank& accumulators,
                    const BufferStorage& weights, BufferStorage& activations, PassedTensors& passed,
                    Pooler& pooler) {
  const GemmNest& nest = *command.nest;
  if (nest.problem().in_blocks) return requantize_blocks(command, accumulators, activations);
  const ParameterReader parameters(weights, nest, command.parameters_address, command.block_channel_begin);
  WayOut way_out(command, activations, passed, pooler);
  const std::int64_t width = command.output.extent(kColumn);
  const std::int64_t group_channels = group_channels_of(command);
  const AccumulatorOrder order =
      dataflow_of(nest.mapping()).accumulator_order(command.pixels(), group_channels);
  for (std::int64_t c = 0; c < command.columns.columns(); ++c) {
    const std::int64_t channel = command.columns.channel_begin + c;
    const std::int64_t group = c / group_channels;
    const std::int64_t in_group = c % group_channels;
    const OutputFunction function(parameters, nest.problem(), channel);
    // The sums of groups have their factors already.
    const bool is_asymmetric = nest.problem().parameters.asymmetric_weights;
    const std::int64_t weight_zero_point = !is_asymmetric ? 0
                                           : nest.problem().scale_group > 0
                                               ? 1
                                               : parameters.weight_zero_point(channel);
    for (std::int64_t pixel = command.pixel_begin; pixel < command.pixel_end; ++pixel) {
      AccumulatorCell cell = order.cell(pixel - command.pixel_begin, group, in_group);
      cell.entry += command.accumulator_base;
      std::int64_t sum = accumulators.read(cell.entry, cell.column);
      if (weight_zero_point != 0) sum -= weight_zero_point * accumulators.input_sum(cell.entry, cell.column);
      if (nest.problem().sums_weights) {
        sum -= nest.problem().geometry.input_zero_point * accumulators.weight_sum(cell.entry, cell.column);
      }
      const std::int32_t value = function(sum);
      const Dims at = {command.output.begin[kBatch], command.output.begin[kRow] + pixel / width,
                       command.output.begin[kColumn] + pixel % width, channel};
      way_out.leave(at, value);
    }
  }
}

}  // namespace qsim
