#include "hw_models/core/pooler.h"

#include <algorithm>
#include <stdexcept>
#include <variant>

namespace qsim {

namespace {

/// Of the channels that have entries, the first.
std::int64_t first_channel(const DrainCommand& command, PoolLines::Scope scope) {
  switch (scope) {
    case PoolLines::Scope::column_tile:
      return command.columns.channel_begin;
    case PoolLines::Scope::block:
      return command.block_channel_begin;
    case PoolLines::Scope::all:
      break;
  }
  return 0;
}

/// Two parts of a window, neither of them empty; not of functions that sum real values.
arithmetic::WindowState joined(const arithmetic::WindowState& a, const arithmetic::WindowState& b) {
  arithmetic::WindowState both = a;
  both.maximum = std::max(a.maximum, b.maximum);
  both.sum += b.sum;
  both.count += b.count;
  return both;
}

}  // namespace

void Pooler::take(const DrainCommand& command, const PoolLines& lines, const Dims& at, std::int64_t value,
                  const Give& give) {
  if (lines.bytes() > line_bytes_) throw std::logic_error("the lines of a pooling do not fit");
  const VectorProblem& pooling = *command.nest->problem().pooling();
  const auto& function = std::get<arithmetic::WindowFunction>(pooling.function);
  const PoolWindows rows = pool_windows(pooling, kRow);
  const PoolWindows columns = pool_windows(pooling, kColumn);
  const std::int64_t row = at[kRow];
  const std::int64_t column = at[kColumn];
  for (std::int64_t q = columns.completed(column); q < columns.begun(column + 1); ++q) {
    const std::pair key(at[kChannel], q);
    arithmetic::accumulate(function, registers_[key], value);
    if (columns.end(q) > column + 1) continue;
    const arithmetic::WindowState row_state = registers_[key];
    registers_.erase(key);
    for (std::int64_t p = rows.completed(row); p < rows.begun(row + 1); ++p)
      join_row(pooling, lines, at[kChannel] - first_channel(command, lines.scope),
               {at[kBatch], p, q, at[kChannel]}, row, row_state, give);
  }
}

void Pooler::join_row(const VectorProblem& pooling, const PoolLines& lines, std::int64_t channel,
                      const Dims& window, std::int64_t row, arithmetic::WindowState row_state,
                      const Give& give) {
  const PoolWindows rows = pool_windows(pooling, kRow);
  const bool is_first = row == rows.first(window[kRow]);
  const bool is_last = row + 1 == rows.end(window[kRow]);
  if (!is_first) {
    Entry& before = entry(lines.index(window[kRow], window[kColumn], channel));
    if (!before.is_taken || before.window != window)
      throw std::logic_error("a line of a pooling has another window");
    row_state = joined(row_state, before.state);
    before.is_taken = false;
  }
  if (is_last)
    return give(window,
                arithmetic::evaluate(std::get<arithmetic::WindowFunction>(pooling.function), row_state));
  Entry& after = entry(lines.index(window[kRow], window[kColumn], channel));
  if (after.is_taken) throw std::logic_error("a line of a pooling is written before it has been read");
  after = {row_state, window, true};
}

Pooler::Entry& Pooler::entry(std::int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  if (entries_.size() <= i) entries_.resize(i + 1);
  return entries_[i];
}

}  // namespace qsim
