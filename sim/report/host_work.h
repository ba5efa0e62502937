// What a run left to the host, and what the way there and back costs.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/report/summary.h"
#include "sim/result.h"

namespace qsim {

/// Rows, the cycles that they add to the run, and their DRAM payload.
struct HostShare {
  std::int64_t rows = 0;
  std::int64_t cycles = 0;
  std::int64_t dram_bytes = 0;
};

struct HostWork {
  HostShare operations;   ///< Rows of the host.
  HostShare conversions;  ///< Rows of the vector unit that quantize or dequantize the host's floats.
  std::int64_t macs = 0;  ///< Multiply-accumulates of the host's rows.
};

/// `rows`: one summary a layer of `result`.
[[nodiscard]] HostWork host_work(const RunResult& result, const std::vector<RowSummary>& rows);

}  // namespace qsim
