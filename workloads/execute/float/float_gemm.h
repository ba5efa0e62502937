// Matrix product of float32: y[r][n] = preload[n] + sum_k a[r][k] * w[n][k].
//
// Every output is one chain of separately rounded products and sums, k ascending from the preload, whatever
// the instruction set, the tile or the number of threads: results are the same on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qsim {

/// Columns of a panel: a multiple of every vector length in use.
inline constexpr std::int64_t kFloatPanelColumns = 16;

/// The right operand, rearranged for the kernel: panels of 16 columns, [panel][k][column], zeros behind the
/// last column.
class FloatPanels {
 public:
  /// `weights` is [columns][depth], row-major.
  FloatPanels(std::span<const float> weights, std::int64_t columns, std::int64_t depth);
  /// `matrix` is [depth][columns], row-major.
  [[nodiscard]] static FloatPanels from_transposed(std::span<const float> matrix, std::int64_t columns,
                                                   std::int64_t depth);

  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] std::int64_t depth() const { return depth_; }
  [[nodiscard]] std::int64_t panels() const {
    return (columns_ + kFloatPanelColumns - 1) / kFloatPanelColumns;
  }
  [[nodiscard]] std::int64_t padded_columns() const { return panels() * kFloatPanelColumns; }
  [[nodiscard]] const float* data() const { return values_.data(); }

 private:
  FloatPanels(std::int64_t columns, std::int64_t depth);
  /// Element (n, k) of w.
  [[nodiscard]] float& at(std::int64_t n, std::int64_t k) {
    const std::int64_t panel = n / kFloatPanelColumns;
    return values_[static_cast<std::size_t>((panel * depth_ + k) * kFloatPanelColumns +
                                            n % kFloatPanelColumns)];
  }

  std::int64_t columns_, depth_;
  std::vector<float> values_;
};

/// A block of rows times all panels.
struct FloatBlock {
  const float* rows = nullptr;  ///< Row r at rows + r * row_stride.
  std::int64_t row_stride = 0;
  std::int64_t row_count = 0;
  const float* preload = nullptr;  ///< padded_columns() elements.
  float* out = nullptr;            ///< (r, n) at out[r * out_stride + n]; padded_columns() are written.
  std::int64_t out_stride = 0;
};

void multiply(const FloatPanels& panels, const FloatBlock& block);

}  // namespace qsim
