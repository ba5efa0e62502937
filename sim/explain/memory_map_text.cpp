#include "sim/explain/memory_map_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/check/text_layout.h"

namespace qsim {
namespace {

constexpr std::size_t kMapNameColumns = 24;
constexpr std::size_t kMapRowsColumns = 27;

std::string at_most(const std::string& text, std::size_t columns) {
  return columns_of(text) > columns ? to_columns(text, columns) : text;
}

std::string rows_text(const MemoryRange& range, const std::vector<std::string>& rows) {
  if (range.first_row == 0 && range.last_row + 1 == rows.size() && rows.size() > 1) return "all rows";
  const std::string& first = rows[range.first_row];
  if (range.first_row == range.last_row) return first;
  return first + " .. " + rows[range.last_row];
}

std::string buffer_text(const char* name, const BufferMap& buffer, const std::vector<std::string>& rows) {
  std::string text = fmt::format("{}: {} bytes, at most {} in use ({:.0f} %)", name, buffer.capacity_bytes,
                                 buffer.peak_bytes,
                                 100.0 * static_cast<double>(buffer.peak_bytes) /
                                     static_cast<double>(std::max<std::int64_t>(1, buffer.capacity_bytes)));
  if (buffer.peak_bytes > 0) text += ", first in " + rows[buffer.peak_row];
  text += fmt::format("\n{:>10} {:>10}  {:<15} {:<{}}  {}\n", "address", "bytes", "use", "tensor",
                      kMapNameColumns, "rows");
  for (const MemoryRange& range : buffer.ranges) {
    text += fmt::format("{:>10} {:>10}  {:<15} {}  {}\n", range.address, range.bytes,
                        memory_use_name(range.use), to_columns(range.name, kMapNameColumns),
                        at_most(rows_text(range, rows), kMapRowsColumns));
  }
  return text;
}

}  // namespace

std::string memory_map_text(const MemoryMap& map, const MemoryMapOf& of) {
  return fmt::format("{} on {}\n\n", of.workload, of.hardware) +
         buffer_text("activation buffer", map.activation_buffer, map.rows) + "\n" +
         buffer_text("weight buffer", map.weight_buffer, map.rows);
}

}  // namespace qsim
