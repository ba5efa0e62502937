// Moves tiles between DRAM and the buffers: three channels, one memory port.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <systemc>
#include <tlm>

#include "hw_models/core/chip_context.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/completions.h"
#include "hw_models/core/sram_buffer.h"
#include "hw_models/hardware_config.h"
#include "hw_models/memory/dram.h"

namespace qsim {

enum class DmaChannel : std::uint8_t { weights, inputs, stores, count_ };

/// Each channel works through its commands in order: takes the command's token, waits the setup time, and
/// offers requests of at most `transaction_bytes`. The memory port takes one request at a time, as fast as
/// the memory accepts them: of the earliest layer (later layers' weights are loaded ahead), and among those
/// each channel in turn, or in the order of ChipContext::fixed_order. The input channel may pause after lines
/// (DmaConfig); what is loaded may be read `*_ready_cycles` after its last byte has arrived.
class Dma : public sc_core::sc_module {
 public:
  Dma(sc_core::sc_module_name name, const DmaConfig& config, SramBuffer& weight_buffer,
      SramBuffer& activation_buffer, Completions& completions, ChipContext& context);
  Dma(const Dma&) = delete;
  Dma& operator=(const Dma&) = delete;

  tlm_utils::simple_initiator_socket<Dma> socket;

  /// Queues a command; blocks the calling SC_THREAD while the channel's queue is full.
  void submit(DmaChannel channel, const TransferCommand& command);

 private:
  struct Transfer;
  struct Request {
    std::shared_ptr<Transfer> transfer;
    std::int64_t dram_address = 0, buffer_address = 0, bytes = 0;
    bool last = false;
    friend std::ostream& operator<<(std::ostream& out, const Request& request) {
      return out << request.bytes << " bytes at " << request.dram_address;
    }
  };
  struct Channel {
    Channel();
    sc_core::sc_fifo<TransferCommand> commands;
    sc_core::sc_fifo<Request> requests;
    std::deque<std::int32_t> rows;  ///< Of the requests.
    Cycle earliest_done = 0;        ///< The channel takes no data before: pauses.
    std::int64_t tile_bytes = 0;    ///< Arrived of the tile that is being loaded.
    Cycle last_done = 0;  ///< When the last request so far has been transferred; commands complete in order.
  };

  void run_channel(std::size_t index);
  void run_port();
  static void settle();
  static void offer(Channel& channel, const Request& request);
  [[nodiscard]] Channel* next_channel(std::size_t first);
  void split(Channel& channel, const std::shared_ptr<Transfer>& transfer) const;
  void offer_run(Channel& channel, const std::shared_ptr<Transfer>& transfer, std::int64_t dram_address,
                 std::int64_t buffer_address, bool last_run) const;
  void perform(const Request& request);
  [[nodiscard]] Cycle pause_after(const Transfer& transfer) const;
  /// The timeline's word for what arrives with the command's token.
  [[nodiscard]] Held held_by(const TransferCommand& command) const;
  [[nodiscard]] Cycle ready_cycles(const Transfer& transfer) const;
  void finish(const Request& request, Cycle done, std::vector<std::byte> data);
  /// The last of a request is where it belongs.
  void arrive(const Request& request, const std::vector<std::byte>& data);
  [[nodiscard]] SramBuffer& buffer(BufferId id) {
    return id == BufferId::weights ? weight_buffer_ : activation_buffer_;
  }

  DmaConfig config_;
  SramBuffer& weight_buffer_;
  SramBuffer& activation_buffer_;
  Completions& completions_;
  ChipContext& context_;
  std::array<Channel, static_cast<std::size_t>(DmaChannel::count_)> channels_;
  std::size_t served_ = 0;  ///< Requests.
};

}  // namespace qsim
