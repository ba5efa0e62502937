#include "hw_models/core/pooling.h"

#include <variant>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

PoolWindows pool_windows(const VectorProblem& pooling, Dim dimension) {
  const VectorInput& input = pooling.inputs[0];
  return {pooling.window[dimension], input.stride[dimension], input.offset[dimension],
          input.tensor.dims[dimension], pooling.extent[dimension]};
}

PoolRun pool_run(const VectorProblem& pooling, std::int64_t begin, std::int64_t end) {
  const PoolWindows rows = pool_windows(pooling, kRow);
  const PoolWindows columns = pool_windows(pooling, kColumn);
  PoolRun run;
  for (std::int64_t pixel = begin; pixel < end;) {
    const std::int64_t row = pixel / columns.size;
    const std::int64_t row_begin = row * columns.size;
    const std::int64_t row_end = std::min(end, row_begin + columns.size);
    const std::int64_t gathered =
        columns.completed(row_end - row_begin) - columns.completed(pixel - row_begin);
    const std::int64_t complete = rows.completed(row + 1);
    run.completed += gathered * (complete - rows.completed(row));
    run.line_reads += gathered * (rows.begun(row) - rows.completed(row));
    run.line_writes += gathered * (rows.begun(row + 1) - complete);
    pixel = row_end;
  }
  return run;
}

std::int64_t pool_entry_bytes(const VectorProblem& pooling) {
  constexpr std::int64_t kSumBytes = 4;
  const auto& function = std::get<arithmetic::WindowFunction>(pooling.function);
  return std::holds_alternative<arithmetic::MaxPoolFunction>(function)
             ? arithmetic::packed_bytes(1, pooling.inputs[0].tensor.layout.format.bits)
             : kSumBytes;
}

PoolLines pool_lines(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor) {
  const VectorProblem& pooling = *problem.pooling();
  const PoolWindows rows = pool_windows(pooling, kRow);
  PoolLines lines;
  lines.lines = rows.most_open();
  lines.columns = pooling.extent[kColumn];
  lines.entry_bytes = pool_entry_bytes(pooling);
  bool stay_open = false;
  for (std::int64_t row = mapping.tile_rows; row < rows.size; row += mapping.tile_rows)
    stay_open |= rows.begun(row) > rows.completed(row);
  if (!stay_open) {
    lines.channels = std::min(mapping.column_tile, problem.geometry.output[kChannel]);
    return lines;
  }
  lines.scope = mapping.order == LoopOrder::weights_outer ? PoolLines::Scope::block : PoolLines::Scope::all;
  lines.channels = problem.geometry.output[kChannel];
  if (lines.scope == PoolLines::Scope::block) {
    lines.channels = 0;
    cursor.visit_blocks([&](std::int64_t block, std::int64_t /*alike*/) {
      const auto [begin, end] = cursor.block_channels(block);
      lines.channels = std::max(lines.channels, end - begin);
    });
  }
  return lines;
}

Box written_box(const GemmProblem& problem, Box box) {
  const VectorProblem* pooling = problem.pooling();
  if (pooling == nullptr) return problem.stored_box(box);
  const PoolWindows rows = pool_windows(*pooling, kRow);
  box.begin[kRow] = rows.completed(box.begin[kRow]);
  box.end[kRow] = rows.completed(box.end[kRow]);
  box.begin[kColumn] = 0;
  box.end[kColumn] = pooling->extent[kColumn];
  return box;
}

}  // namespace qsim
