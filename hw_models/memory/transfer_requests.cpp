#include "hw_models/memory/transfer_requests.h"

#include <algorithm>
#include <array>

#include "hw_models/core/nest_cursor.h"

namespace qsim {

namespace {

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

/// Whether `next` goes on where `run` ends, on both sides.
bool continues(const TransferRequest& run, const TransferRequest& next) {
  return next.dram_address == run.dram_address + run.bytes &&
         next.buffer_address == run.buffer_address + run.bytes;
}

}  // namespace

void cut_transfer(const TransferCommand& command, std::int64_t transaction_bytes,
                  const std::function<void(const TransferRequest&)>& offer) {
  if (command.run_bytes == 0) {
    offer({0, 0, 0, true});
    return;
  }
  const auto [n0, n1, n2] = command.counts;
  const auto [d0, d1, d2] = command.dram_strides;
  const auto [b0, b1, b2] = command.buffer_strides;
  TransferRequest run;
  for (std::int64_t i = 0; i < n0; ++i) {
    for (std::int64_t j = 0; j < n1; ++j) {
      for (std::int64_t k = 0; k < n2; ++k) {
        TransferRequest next;
        next.dram_address =
            command.dram_base + i * d0 + command.blocks[1].at(j) * d1 + command.blocks[2].at(k) * d2;
        next.buffer_address = command.buffer_base + i * b0 + j * b1 + k * b2;
        next.bytes = command.run_bytes;
        if (run.bytes > 0 && continues(run, next)) {
          run.bytes += next.bytes;
        } else {
          cut_run(run, false, transaction_bytes, offer);
          run = next;
        }
      }
    }
  }
  cut_run(run, true, transaction_bytes, offer);
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
