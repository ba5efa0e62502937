// The values of a pooling behind the requantizer: registers, and the line storage.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "hw_models/arithmetic/vector_functions.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/pooling.h"

namespace qsim {

/// Takes the outputs of one run of accumulators after the other, of each channel in raster order, and gives
/// windows when they are complete. What does not lie where it was put is an error of the program.
class Pooler {
 public:
  /// The line storage has so many bytes.
  explicit Pooler(std::int64_t line_bytes) : line_bytes_(line_bytes) {}

  /// Called with the place of a window in the pooling's output, and its value.
  using Give = std::function<void(const Dims&, std::int64_t)>;
  /// Output `at` of a product, of the run `command`, which has a pooling on its way out.
  void take(const DrainCommand& command, const PoolLines& lines, const Dims& at, std::int64_t value,
            const Give& give);

 private:
  struct Entry {
    arithmetic::WindowState state;
    Dims window{};
    bool is_taken = false;
  };

  /// A row of window `window` is complete: `row_state` has gathered it.
  void join_row(const VectorProblem& pooling, const PoolLines& lines, std::int64_t channel,
                const Dims& window, std::int64_t row, arithmetic::WindowState row_state, const Give& give);
  [[nodiscard]] Entry& entry(std::int64_t index);

  std::int64_t line_bytes_;
  /// By channel and column of the output: rows of windows that are not complete.
  std::map<std::pair<std::int64_t, std::int64_t>, arithmetic::WindowState> registers_;
  std::vector<Entry> entries_;
};

}  // namespace qsim
