#include "hw_models/arithmetic/weight_panels.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "hw_models/arithmetic/gemm_kernels.h"

namespace qsim::arithmetic {
namespace {

/// Column of plain panels whose elements are Element: its steps lie kGroupColumns * kStepBytes apart.
template <class Element>
struct PlainColumn {
  static constexpr std::int64_t kElements = kStepBytes / static_cast<std::int64_t>(sizeof(Element));
  const std::byte* first_step;

  PlainColumn(const WeightPanels& panels, std::int64_t column)
      : first_step(panels.bytes.data() + column / kGroupColumns * panels.panel_bytes +
                   column % kGroupColumns * kStepBytes) {}
  std::int32_t operator()(std::int64_t k) const {
    Element value = 0;
    std::memcpy(&value,
                first_step + k / kElements * kGroupColumns * kStepBytes +
                    k % kElements * static_cast<std::int64_t>(sizeof(Element)),
                sizeof value);
    return value;
  }
};

/// Stores weight_of(column)(k) in steps. `Element` has 32 / elements bits; 8-bit values keep their low bits.
template <class Element, class Column>
void fill(WeightPanels& panels, const StepLayout& layout, const Column& weight_of) {
  constexpr std::int64_t kElements = kStepBytes / static_cast<std::int64_t>(sizeof(Element));
  panels.groups = (panels.columns + kGroupColumns - 1) / kGroupColumns;
  panels.panel_bytes = layout.steps * kGroupColumns * kStepBytes;
  panels.bytes.assign(static_cast<std::size_t>(panels.groups * panels.panel_bytes), std::byte{0});
  for (std::int64_t n = 0; n < panels.groups * kGroupColumns; ++n) {
    const auto weight = weight_of(std::min(n, panels.columns - 1));
    std::byte* panel = panels.bytes.data() + n / kGroupColumns * panels.panel_bytes;
    panel += n % kGroupColumns * kStepBytes;
    std::int64_t k = 0;
    std::int64_t first_step = 0;
    for (std::size_t c = 0; c < layout.chunk_ends.size(); ++c) {
      for (std::int64_t in_chunk = 0; k < layout.chunk_ends[c]; ++k, ++in_chunk) {
        const auto value = static_cast<Element>(weight(k));
        const std::int64_t step = first_step + in_chunk / kElements;
        std::memcpy(panel + step * kGroupColumns * kStepBytes +
                        in_chunk % kElements * static_cast<std::int64_t>(sizeof(Element)),
                    &value, sizeof(Element));
      }
      first_step += layout.chunk_steps[c];
    }
  }
}

/// Plain steps from row-major [columns][depth].
template <class Element>
void pack(WeightPanels& panels, std::span<const std::int32_t> weights) {
  constexpr std::int64_t kElements = kStepBytes / static_cast<std::int64_t>(sizeof(Element));
  const std::int64_t steps = (panels.depth + kElements - 1) / kElements;
  panels.groups = (panels.columns + kGroupColumns - 1) / kGroupColumns;
  panels.panel_bytes = steps * kGroupColumns * kStepBytes;
  panels.bytes.resize(static_cast<std::size_t>(panels.groups * panels.panel_bytes));
  std::byte* out = panels.bytes.data();
  for (std::int64_t g = 0; g < panels.groups; ++g) {
    std::array<const std::int32_t*, kGroupColumns> rows{};
    for (std::int64_t n = 0; n < kGroupColumns; ++n) {
      rows[static_cast<std::size_t>(n)] =
          weights.data() + std::min(g * kGroupColumns + n, panels.columns - 1) * panels.depth;
    }
    for (std::int64_t k = 0; k < panels.depth; k += kElements) {
      const std::int64_t count = std::min(kElements, panels.depth - k);
      for (const std::int32_t*& row : rows) {
        std::array<Element, kElements> step{};
        if (count == kElements) {  // A loop of constant length.
          for (std::size_t e = 0; e < kElements; ++e) step[e] = static_cast<Element>(row[e]);
        } else {
          std::transform(row, row + count, step.begin(),
                         [](std::int32_t w) { return static_cast<Element>(w); });
        }
        std::memcpy(out, step.data(), sizeof step);
        out += kStepBytes;
        row += count;
      }
    }
  }
}

/// Plain steps of four bytes widened to pairs of plain steps of two int16: what fill() would store, in one
/// pass.
template <class Byte>
void widen(WeightPanels& panels, const WeightPanels& plain, std::int64_t steps) {
  panels.groups = plain.groups;
  panels.panel_bytes = steps * kGroupColumns * kStepBytes;
  panels.bytes.resize(static_cast<std::size_t>(panels.groups * panels.panel_bytes));
  for (std::int64_t g = 0; g < panels.groups; ++g) {
    for (std::int64_t step = 0; step < steps; ++step) {
      std::array<Byte, kGroupColumns * 4> in{};
      std::memcpy(in.data(),
                  plain.bytes.data() + g * plain.panel_bytes + step / 2 * kGroupColumns * kStepBytes,
                  sizeof in);
      std::array<std::int16_t, kGroupColumns * 2> out{};
      const auto first = static_cast<std::size_t>(step % 2 * 2);
      for (std::size_t column = 0; column < kGroupColumns; ++column) {
        out[column * 2] = static_cast<std::int16_t>(in[column * 4 + first]);
        out[column * 2 + 1] = static_cast<std::int16_t>(in[column * 4 + first + 1]);
      }
      std::memcpy(panels.bytes.data() + g * panels.panel_bytes + step * kGroupColumns * kStepBytes,
                  out.data(), sizeof out);
    }
  }
}

template <class Column>
void fill_steps(WeightPanels& panels, const StepLayout& layout, const Column& weight_of) {
  if (panels.elements == 2) {
    fill<std::int16_t>(panels, layout, weight_of);
  } else {
    fill<std::int8_t>(panels, layout, weight_of);
  }
}

}  // namespace

StepLayout::StepLayout(std::vector<std::int64_t> ends, int elements_per_step)
    : elements(elements_per_step), chunk_ends(std::move(ends)) {
  std::int64_t begin = 0;
  for (const std::int64_t end : chunk_ends) {
    plain = plain && begin % elements == 0;
    chunk_steps.push_back((end - begin + elements - 1) / elements);
    steps += chunk_steps.back();
    begin = end;
  }
}

WeightPanels::WeightPanels(std::span<const std::int32_t> weights, std::int64_t column_count,
                           std::int64_t reduction_depth, int elements_per_step)
    : elements(elements_per_step), columns(column_count), depth(reduction_depth) {
  if (elements == 2) {
    pack<std::int16_t>(*this, weights);
  } else {
    pack<std::int8_t>(*this, weights);
  }
}

WeightPanels::WeightPanels(const WeightPanels& plain, bool is_signed, const StepLayout& layout)
    : elements(layout.elements), columns(plain.columns), depth(plain.depth) {
  if (plain.elements == 4 && elements == 2 && layout.plain) {
    is_signed ? widen<std::int8_t>(*this, plain, layout.steps)
              : widen<std::uint8_t>(*this, plain, layout.steps);
  } else if (plain.elements == 2) {
    fill_steps(*this, layout, [&](std::int64_t n) { return PlainColumn<std::int16_t>(plain, n); });
  } else if (is_signed) {
    fill_steps(*this, layout, [&](std::int64_t n) { return PlainColumn<std::int8_t>(plain, n); });
  } else {
    fill_steps(*this, layout, [&](std::int64_t n) { return PlainColumn<std::uint8_t>(plain, n); });
  }
}

std::int32_t WeightPanels::at(std::int64_t column, std::int64_t k, bool is_signed) const {
  if (elements == 2) {
    return PlainColumn<std::int16_t>(*this, column)(k);
  }
  return is_signed ? PlainColumn<std::int8_t>(*this, column)(k) : PlainColumn<std::uint8_t>(*this, column)(k);
}

}  // namespace qsim::arithmetic
