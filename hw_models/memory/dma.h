// Moves tiles between external memory and the buffers: three channels, one memory port.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <systemc>
#include <vector>

#include "hw_models/core/buffer_if.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/completion_if.h"
#include "hw_models/core/processes.h"
#include "hw_models/cycle.h"
#include "hw_models/hardware_config.h"
#include "hw_models/memory/channel_order.h"
#include "hw_models/memory/memory_port.h"
#include "hw_models/memory/transfer_requests.h"
#include "hw_models/recorder.h"

namespace qsim {

struct DmaOptions {
  std::int64_t memory_base = 0;               ///< Address in memory of the program's address 0.
  const RequestOrder* fixed_order = nullptr;  ///< ChannelChoice.
  RequestOrder* recorded_order = nullptr;
  bool moves_values = false;
};

/// Each channel works through its commands in order: takes what the command waits for, waits the setup time,
/// and offers requests of at most `transaction_bytes`. The memory port takes one request at a time, as fast
/// as the memory accepts them, of the channel that ChannelChoice says. The input channel may pause after
/// lines (pause_after). Requests may be complete in any order; a command is when all of its requests are and
/// all commands of its channel before it. What is loaded may be read `*_ready_cycles` later.
class Dma : public sc_core::sc_module {
 public:
  Dma(sc_core::sc_module_name name, const DmaConfig& config, const DmaOptions& options, HeldTiles& held,
      Recorder& recorder, Processes& processes);
  Dma(const Dma&) = delete;
  Dma& operator=(const Dma&) = delete;

  static constexpr int kQueueDepth = 2;
  MemoryInitiator memory;
  sc_core::sc_vector<sc_core::sc_fifo_in<TransferCommand>> commands;  ///< By channel.
  sc_core::sc_port<BufferIf> weight_buffer;
  sc_core::sc_port<BufferIf> activation_buffer;
  sc_core::sc_port<CompletionIf> completions;

 private:
  struct Transfer;
  struct Request {
    std::shared_ptr<Transfer> transfer;
    TransferRequest part;
    friend std::ostream& operator<<(std::ostream& out, const Request& request) {
      return out << request.part.bytes << " bytes at " << request.part.dram_address;
    }
  };
  /// A request from its sending to its arrival.
  struct InFlight {
    Request request;
    std::vector<std::byte> data;  ///< Empty where no values move.
  };
  struct Channel {
    Channel();
    sc_core::sc_fifo<Request> requests;
    std::deque<std::int32_t> rows;  ///< Of the requests.
    DataSink sink;
    std::deque<std::shared_ptr<Transfer>> under_way;  ///< From the first request to the last byte.
    std::int64_t tile_bytes = 0;                      ///< Arrived of the tile that is being loaded.
  };

  void run_channel(std::size_t index);
  void run_port();
  static void offer(Channel& channel, const Request& request);
  [[nodiscard]] std::optional<std::size_t> next_channel() const;
  void perform(const Request& request);
  void send(const Request& request);
  [[nodiscard]] std::uint64_t take_tag();
  [[nodiscard]] Cycle ready_cycles(const Transfer& transfer) const;
  /// The memory has moved a request's last byte.
  void answer(std::uint64_t tag);
  /// Calls `arrived` when `bytes` have passed the buffer's write port: at once where nobody waits for ports.
  void pass_port(const TransferCommand& command, std::int64_t bytes, std::function<void()> arrived);
  /// Takes the channel's commands without bytes to the buffer, as far as all before them have been moved.
  void pass_empty_commands(std::size_t channel);
  void write_values(const TransferCommand& command, const TransferRequest& part,
                    const std::vector<std::byte>& data);
  /// It is where it belongs.
  void arrive(std::uint64_t tag);
  /// Finishes the channel's commands, in order, as far as they are complete.
  void finish_commands(std::size_t channel);
  void finish(const Transfer& transfer);
  [[nodiscard]] sc_core::sc_port<BufferIf>& buffer(BufferId id) {
    return id == BufferId::weights ? weight_buffer : activation_buffer;
  }

  DmaConfig config_;
  bool moves_values_;
  HeldTiles& held_;
  Recorder& recorder_;
  Processes& processes_;
  ChannelChoice choice_;
  std::array<Channel, kDmaChannels> channels_;
  std::deque<InFlight> in_flight_;  ///< By tag.
  std::vector<std::uint64_t> unused_tags_;
};

}  // namespace qsim
