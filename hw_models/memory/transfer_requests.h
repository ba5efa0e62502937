// What a DMA channel makes of a transfer: requests of whole transactions, and the pauses between them.
#pragma once

#include <cstdint>
#include <functional>

#include "hw_models/core/commands.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// One request; of 0 bytes where the transfer moves nothing.
struct TransferRequest {
  std::int64_t dram_address = 0, buffer_address = 0, bytes = 0;
  bool last = false;  ///< Of its transfer.
};

/// Hands out the requests of a transfer in order. They end at multiples of `transaction_bytes`, so that
/// bursts are not torn apart.
void cut_transfer(const TransferCommand& command, std::int64_t transaction_bytes,
                  const std::function<void(const TransferRequest&)>& offer);

/// Cycles that the channel pauses after the k-th request of a transfer (DmaConfig::line_gap_cycles,
/// upper_atom_gap_cycles). The k-th transaction of a row of P pixels, A transactions each, belongs to line
/// l = k / P of the row (its l-th slice of channels). A line ends with a pause; lines 2 and 3 of every four
/// pause after every second transaction as well.
[[nodiscard]] std::int64_t pause_after(const DmaConfig& config, const TransferCommand& command,
                                       std::int64_t k);

}  // namespace qsim
