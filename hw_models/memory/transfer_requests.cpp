#include "hw_models/memory/transfer_requests.h"

#include <algorithm>
#include <array>

#include "hw_models/core/nest_cursor.h"

namespace qsim {

namespace {

using Strides = std::array<std::int64_t, 3>;

/// One run: contiguous on both sides.
void cut_run(TransferRequest run, bool last_run, std::int64_t transaction_bytes,
             const std::function<void(const TransferRequest&)>& offer) {
  while (run.bytes > 0) {
    TransferRequest request = run;
    request.bytes = std::min(run.bytes, transaction_bytes - run.dram_address % transaction_bytes);
    run.dram_address += request.bytes;
    run.buffer_address += request.bytes;
    run.bytes -= request.bytes;
    request.last = last_run && run.bytes == 0;
    offer(request);
  }
}

}  // namespace

void cut_transfer(const TransferCommand& command, std::int64_t transaction_bytes,
                  const std::function<void(const TransferRequest&)>& offer) {
  if (command.run_bytes == 0) {
    offer({0, 0, 0, true});
    return;
  }
  const auto [n0, n1, n2] = command.counts;
  for (std::int64_t i = 0; i < n0; ++i) {
    for (std::int64_t j = 0; j < n1; ++j) {
      for (std::int64_t k = 0; k < n2; ++k) {
        const auto at = [&](std::int64_t base, const Strides& strides) {
          return base + i * strides[0] + j * strides[1] + k * strides[2];
        };
        const bool last = i + 1 == n0 && j + 1 == n1 && k + 1 == n2;
        cut_run({at(command.dram_base, command.dram_strides), at(command.buffer_base, command.buffer_strides),
                 command.run_bytes, false},
                last, transaction_bytes, offer);
      }
    }
  }
}

std::int64_t pause_after(const DmaConfig& config, const TransferCommand& command, std::int64_t k) {
  if (command.row_pixels == 0 || config.line_gap_cycles + config.upper_atom_gap_cycles == 0) return 0;
  const std::int64_t atoms = ceil_div(command.pixel_bytes, config.transaction_bytes);
  const std::int64_t line = k / command.row_pixels % atoms;
  const std::int64_t position = k % command.row_pixels;
  const std::int64_t after_line = position + 1 == command.row_pixels ? config.line_gap_cycles : 0;
  const std::int64_t after_pair = line % 4 >= 2 && position % 2 == 1 ? config.upper_atom_gap_cycles : 0;
  return std::max(after_line, after_pair);
}

}  // namespace qsim
