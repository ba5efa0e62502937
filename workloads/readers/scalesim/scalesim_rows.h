// Rows of a SCALE-Sim topology file (github.com/scalesim-project/SCALE-Sim, topology_utils.py): one layer a
// line, integers with commas between them, usually one more comma at the end.
//
//   convolution  name, ifmap height, width, filter height, width, channels, filters, stride [, stride width]
//   GEMM         name, M, N, K            (M x K times K x N)
//
// Both may end with a sparsity N:M, of which only dense filters (1:1) are known here. A name with "DP" in it
// is a depthwise convolution: `filters` filters for each channel by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace qsim {

enum class ScalesimForm { convolution, gemm };

/// A layer as a convolution; a product of M x K by K x N has an ifmap of M x 1, K channels and N filters.
struct ScalesimLayer {
  ScalesimForm form = ScalesimForm::convolution;
  std::int64_t ifmap_height = 1, ifmap_width = 1;
  std::int64_t filter_height = 1, filter_width = 1;
  std::int64_t channels = 1, filters = 1;  ///< Depthwise: filters of each channel.
  std::int64_t stride_height = 1, stride_width = 1;
  bool is_depthwise = false;

  /// ceil((ifmap - filter + stride) / stride); what a last window lacks is padding at the bottom and right.
  [[nodiscard]] std::int64_t output_height() const {
    return (ifmap_height - filter_height + stride_height - 1) / stride_height + 1;
  }
  [[nodiscard]] std::int64_t output_width() const {
    return (ifmap_width - filter_width + stride_width - 1) / stride_width + 1;
  }
};

struct ScalesimRow {
  std::int64_t line = 0;  ///< From 1.
  std::string name;
  ScalesimForm form = ScalesimForm::convolution;  ///< As far as the number of its fields tells.
  std::optional<ScalesimLayer> layer;             ///< Absent where there are problems.
  std::vector<Problem> problems;
};

/// All layers of a topology file. The first line is a heading where no field behind the name begins as a
/// number does; all rows have the form of the first. Throws InputError where the file cannot be read or has
/// no rows at all.
[[nodiscard]] std::vector<ScalesimRow> read_scalesim_rows(const std::string& path);

}  // namespace qsim
