#include "sim/compiler/gemm_pins.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "hw_models/core/pooling.h"
#include "sim/compiler/gemm_cuts.h"
#include "sim/compiler/mapping_fields.h"

namespace qsim {

void GemmPins::reject(Level level, std::string key, std::string value, std::string expected) {
  if (rejection_ && level < deepest_) return;
  deepest_ = level;
  rejection_ = PinRejection{std::move(key), std::move(value), std::move(expected)};
}

bool GemmPins::are_of(const HardwareConfig& hardware) {
  const std::vector<Dataflow> offered = hardware.mac_array.offered_dataflows();
  if (gives(mapping_keys::kDataflow) && std::ranges::find(offered, value().dataflow) == offered.end()) {
    std::string expected;
    for (const Dataflow dataflow : offered)
      expected += (expected.empty() ? "" : " or ") + value_text(dataflow);
    reject(Level::array, mapping_keys::kDataflow, value_text(value().dataflow),
           expected + ", the dataflow" + (offered.size() > 1 ? "s" : "") + " of this chip's array");
    return false;
  }
  const PassOrder order = hardware.controller.pass_order;
  if (gives(mapping_keys::kPassOrder) && value().pass_order != order) {
    reject(Level::array, mapping_keys::kPassOrder, value_text(value().pass_order),
           value_text(order) + ", the order of this chip's controller");
    return false;
  }
  return true;
}

std::vector<std::int64_t> GemmPins::given_or(Level level, const char* key, std::int64_t GemmMapping::*field,
                                             std::int64_t low, std::int64_t high,
                                             std::vector<std::int64_t> candidates, const char* why) {
  if (!gives(key)) return candidates;
  assert(pin_ != nullptr);
  const std::int64_t value = pin_->value.*field;
  if (value >= low && value <= high) return {value};
  reject(level, key, std::to_string(value), fmt::format("{} to {}, {}", low, high, why));
  return {};
}

std::vector<PartSize> GemmPins::given_parts(const GemmProblem& problem, const GemmMapping& mapping,
                                            std::vector<PartSize> parts) {
  const bool h = gives(mapping_keys::kPartKernelH);
  const bool w = gives(mapping_keys::kPartKernelW);
  const bool c = gives(mapping_keys::kPartChannels);
  if (!h && !w && !c) return parts;
  const GemmMapping& given = value();
  std::erase_if(parts, [&](const PartSize& part) {
    return (h && part.kernel_h != given.part_kernel_h) || (w && part.kernel_w != given.part_kernel_w) ||
           (c && part.channels != given.part_channels);
  });
  const PartSize all{given.part_kernel_h, given.part_kernel_w, given.part_channels};
  if (parts.empty() && h && w && c && is_legal_part(problem, mapping, all)) parts.push_back(all);
  if (parts.empty()) reject_part(problem, mapping);
  return parts;
}

void GemmPins::reject_part(const GemmProblem& problem, const GemmMapping& mapping) {
  const ConvolutionGeometry& g = problem.geometry;
  const GemmMapping& given = value();
  const auto text = [&](const char* key, std::int64_t number) {
    return gives(key) ? std::to_string(number) : std::string("any");
  };
  std::string expected = fmt::format("{} x {} x {}", g.kernel_h, g.kernel_w, g.group_channels());
  if (mapping.groups_per_tile == 1) {
    expected += fmt::format(
        " (kernel rows x kernel columns x channels), or fewer kernel rows, or 1 row of fewer columns, or "
        "1 x 1{} of a multiple of {} channels",
        problem.is_order_free ? " or all taps" : "", channel_granule(problem, mapping));
  }
  reject(Level::part,
         gives(mapping_keys::kPartKernelH)   ? mapping_keys::kPartKernelH
         : gives(mapping_keys::kPartKernelW) ? mapping_keys::kPartKernelW
                                             : mapping_keys::kPartChannels,
         fmt::format("{} x {} x {}", text(mapping_keys::kPartKernelH, given.part_kernel_h),
                     text(mapping_keys::kPartKernelW, given.part_kernel_w),
                     text(mapping_keys::kPartChannels, given.part_channels)),
         std::move(expected));
}

std::vector<std::int64_t> GemmPins::given_block(const GemmProblem& problem, const GemmMapping& mapping,
                                                std::int64_t tiles, std::int64_t most) {
  const std::int64_t size = value().column_tiles_per_block;
  std::string expected;
  if (size < 1 || size > tiles) {
    expected = fmt::format("1 to {}, the column tiles", tiles);
  } else if (size > most) {
    expected = fmt::format("1 to {}, whose sums the accumulators hold where the reduction is cut", most);
  } else if (!cuts_fall_on_bytes(problem, mapping, size, tiles)) {
    expected = "blocks that begin at a byte of the output and of the input";
  } else {
    return {size};
  }
  reject(Level::block, mapping_keys::kColumnTilesPerBlock, std::to_string(size), std::move(expected));
  return {};
}

std::vector<std::int64_t> GemmPins::pooled_rows(const GemmProblem& problem,
                                                const std::vector<std::int64_t>& sizes) {
  const PoolWindows windows = pool_windows(*problem.pooling(), kRow);
  const std::int64_t columns = problem.geometry.output[kColumn];
  if (gives(mapping_keys::kTileColumns) && value().tile_columns != columns) {
    reject(Level::rows, mapping_keys::kTileColumns, std::to_string(value().tile_columns),
           fmt::format("{}, all columns where a pooling is on the way out", columns));
    return {};
  }
  std::vector<std::int64_t> found;
  for (const std::int64_t size : sizes) {
    const std::int64_t rows = std::min(windows.size, ceil_div(size, windows.stride) * windows.stride);
    if (gives(mapping_keys::kTileRows) && rows != size) {
      reject(Level::rows, mapping_keys::kTileRows, std::to_string(size),
             fmt::format("a multiple of {}, the rows between windows of the pooling on the way out, or {}",
                         windows.stride, windows.size));
    } else if (found.empty() || found.back() != rows) {
      found.push_back(rows);
    }
  }
  return found;
}

}  // namespace qsim
