#include "hw_models/core/spilled_sums.h"

namespace qsim {

namespace {

/// Calls `move(cell, bit address, format)` for each sum of a pass.
template <typename Command, typename Move>
void for_each_sum(const Command& command, const Move& move) {
  const std::int64_t channels = command.columns.columns();
  const std::int64_t group_channels = channels / command.columns.groups();
  const AccumulatorOrder order =
      dataflow_of(command.nest->mapping()).accumulator_order(command.pixels(), group_channels);
  const int bits = static_cast<int>(8 * command.sums->bytes_each);
  std::int64_t bit_address = 8 * command.sums->address;
  for (std::int64_t pixel = 0; pixel < command.pixels(); ++pixel) {
    for (std::int64_t c = 0; c < channels; ++c, bit_address += bits) {
      AccumulatorCell cell = order.cell(pixel, c / group_channels, c % group_channels);
      cell.entry += command.accumulator_base;
      move(cell, bit_address, arithmetic::IntegerFormat{bits, true});
    }
  }
}

}  // namespace

void spill_sums(const DrainCommand& command, const AccumulatorBank& accumulators,
                BufferStorage& activations) {
  for_each_sum(command, [&](const AccumulatorCell& cell, std::int64_t address,
                            const arithmetic::IntegerFormat& format) {
    activations.write(address, format, accumulators.read(cell.entry, cell.column));
  });
}

void reload_sums(const ReloadCommand& command, AccumulatorBank& accumulators,
                 const BufferStorage& activations) {
  for_each_sum(command, [&](const AccumulatorCell& cell, std::int64_t address,
                            const arithmetic::IntegerFormat& format) {
    accumulators.restore(cell.entry, cell.column, activations.read(address, format));
  });
}

}  // namespace qsim
