#include "workloads/graph/strided_copy.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace qsim {
namespace {

/// Elements along each side of a block of a transposition.
constexpr std::int64_t kBlock = 64;

/// A dimension of the copy, with the distance of its elements in the source and in the copy.
struct Axis {
  std::int64_t size, from, to;
};

/// The dimensions of more than one element, neighbours that are one run in the source joined.
std::vector<Axis> joined_axes(const Shape& shape, const std::vector<std::int64_t>& strides) {
  const std::vector<std::int64_t> own = row_major_strides(shape);
  std::vector<Axis> axes;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    const bool continues = !axes.empty() && axes.back().from == strides[d] * shape[d];
    if (continues) {
      axes.back() = {axes.back().size * shape[d], strides[d], own[d]};
    } else {
      axes.push_back({shape[d], strides[d], own[d]});
    }
  }
  return axes;
}

/// Calls `visit` with the offsets in source and copy of every combination of the axes' indices.
template <typename Visit>
void for_each_offset(const std::vector<Axis>& axes, std::int64_t from, std::int64_t to, const Visit& visit,
                     std::size_t depth = 0) {
  if (depth == axes.size()) return visit(from, to);
  const Axis& axis = axes[depth];
  for (std::int64_t i = 0; i < axis.size; ++i)
    for_each_offset(axes, from + i * axis.from, to + i * axis.to, visit, depth + 1);
}

template <std::size_t kBytes>
void copy_block(const std::byte* from, std::byte* to, const Axis& row, const Axis& column) {
  constexpr auto kSize = static_cast<std::int64_t>(kBytes);
  for (std::int64_t r = 0; r < row.size; ++r) {
    const std::byte* source = from + r * row.from * kSize;
    std::byte* target = to + r * row.to * kSize;
    for (std::int64_t c = 0; c < column.size; ++c)
      std::memcpy(target + c * kSize, source + c * column.from * kSize, kBytes);
  }
}

/// The columns follow each other in the copy; of the other dimensions the one whose elements lie closest in
/// the source is the rows'.
template <std::size_t kBytes>
void copy_transposed(const std::byte* from, std::byte* to, std::vector<Axis> axes, std::int64_t base) {
  constexpr auto kSize = static_cast<std::int64_t>(kBytes);
  const Axis column = axes.back();
  axes.pop_back();
  Axis row{1, 0, 0};
  if (!axes.empty()) {
    const auto closest = std::ranges::min_element(
        axes, [](const Axis& a, const Axis& b) { return std::abs(a.from) < std::abs(b.from); });
    row = *closest;
    axes.erase(closest);
  }
  for_each_offset(axes, base, 0, [&](std::int64_t source, std::int64_t target) {
    for (std::int64_t r = 0; r < row.size; r += kBlock) {
      for (std::int64_t c = 0; c < column.size; c += kBlock) {
        copy_block<kBytes>(from + (source + r * row.from + c * column.from) * kSize,
                           to + (target + r * row.to + c) * kSize,
                           {std::min(kBlock, row.size - r), row.from, row.to},
                           {std::min(kBlock, column.size - c), column.from, 1});
      }
    }
  });
}

}  // namespace

std::vector<std::int64_t> row_major_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

void copy_strided(std::span<std::byte> out, const Shape& shape, std::size_t element_bytes,
                  const StridedSource& source) {
  if (out.empty()) return;
  std::vector<Axis> axes = joined_axes(shape, source.strides);
  if (axes.empty() || axes.back().from == 1) {
    const std::int64_t run = axes.empty() ? 1 : axes.back().size;
    if (!axes.empty()) axes.pop_back();
    const auto bytes = static_cast<std::int64_t>(element_bytes);
    for_each_offset(axes, source.base, 0, [&](std::int64_t from, std::int64_t to) {
      std::memcpy(out.data() + to * bytes, source.bytes.data() + from * bytes,
                  static_cast<std::size_t>(run * bytes));
    });
    return;
  }
  const auto copy = [&] {
    switch (element_bytes) {
      case 1:
        return copy_transposed<1>;
      case 2:
        return copy_transposed<2>;
      case 4:
        return copy_transposed<4>;
      default:
        assert(element_bytes == 8);
        return copy_transposed<8>;
    }
  }();
  copy(source.bytes.data(), out.data(), std::move(axes), source.base);
}

}  // namespace qsim
