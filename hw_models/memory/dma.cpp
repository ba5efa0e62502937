#include "hw_models/memory/dma.h"

#include <algorithm>
#include <utility>

namespace qsim {

namespace {

constexpr int kRequestQueueDepth = 2;

constexpr std::array<Span, kDmaChannels> kBusySpans = {Span::weights_busy, Span::inputs_busy,
                                                       Span::stores_busy};

}  // namespace

/// A command on its way: what its requests share.
struct Dma::Transfer {
  TransferCommand command;
  std::size_t channel = 0;
  Cycle first_request = -1;
  std::int64_t requests = 0;     ///< Sent.
  std::int64_t unanswered = 0;   ///< Of these, those that the memory has not moved.
  std::int64_t outstanding = 0;  ///< Those that have not arrived.
  bool all_sent = false;
  bool is_empty = false;  ///< Nothing to move, and not yet at the buffer: its turn comes after those before.

  [[nodiscard]] bool is_complete() const { return all_sent && outstanding == 0; }
};

Dma::Channel::Channel() : requests(kRequestQueueDepth) {}

Dma::Dma(sc_core::sc_module_name name, const DmaConfig& config, const DmaOptions& options, HeldTiles& held,
         Recorder& recorder, Processes& processes)
    : sc_module(name),
      memory("memory", options.memory_base, [this](std::uint64_t tag) { answer(tag); }),
      commands("commands", kDmaChannels),
      weight_buffer("weight_buffer"),
      activation_buffer("activation_buffer"),
      completions("completions"),
      config_(config),
      moves_values_(options.moves_values),
      held_(held),
      recorder_(recorder),
      processes_(processes),
      choice_(options.fixed_order, options.recorded_order) {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    processes.spawn("channel", [this, i] { run_channel(i); });
  }
  processes.spawn("port", [this] { run_port(); });
}

void Dma::run_channel(std::size_t index) {
  Channel& channel = channels_[index];
  while (true) {
    auto transfer = std::make_shared<Transfer>();
    transfer->command = commands[index]->read();
    transfer->channel = index;
    const TransferCommand& command = transfer->command;
    ++recorder_.events(command.row)[Event::commands];
    if (command.ends_stream) {
      offer(channel, {transfer, {0, 0, 0, true}});
      return;
    }
    take(command.waits, recorder_.timeline, command.row);
    if (config_.setup_cycles > 0) sc_core::wait(cycles_to_time(config_.setup_cycles));
    cut_transfer(command, config_.transaction_bytes, [&](const TransferRequest& part) {
      offer(channel, {transfer, part});
    });
  }
}

void Dma::offer(Channel& channel, const Request& request) {
  const TransferCommand& command = request.transfer->command;
  channel.rows.push_back(command.turn.value_or(command.row));
  channel.requests.write(request);
}

std::optional<std::size_t> Dma::next_channel() const {
  std::array<std::optional<std::int32_t>, kDmaChannels> rows;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (channels_[i].requests.num_available() > 0) rows[i] = channels_[i].rows.front();
  }
  return choice_.next(rows);
}

void Dma::run_port() {
  for (std::size_t ended = 0; ended < channels_.size();) {
    processes_.settle();
    const std::optional<std::size_t> next = next_channel();
    if (!next) {
      sc_core::wait(channels_[0].requests.data_written_event() | channels_[1].requests.data_written_event() |
                    channels_[2].requests.data_written_event());
      continue;
    }
    const Request request = channels_[*next].requests.read();
    channels_[*next].rows.pop_front();
    choice_.serve(*next);
    if (request.transfer->command.ends_stream) {
      ++ended;
    } else {
      perform(request);
    }
  }
}

void Dma::perform(const Request& request) {
  Transfer& transfer = *request.transfer;
  Channel& channel = channels_[transfer.channel];
  if (transfer.first_request < 0) {
    transfer.first_request = now_cycle();
    channel.under_way.push_back(request.transfer);
  }
  transfer.all_sent = request.part.last;
  if (request.part.bytes > 0) {
    send(request);
    return;
  }
  transfer.is_empty = true;
  ++transfer.outstanding;
  completions->at(now_cycle(), [this, index = transfer.channel] { pass_empty_commands(index); });
}

std::uint64_t Dma::take_tag() {
  if (unused_tags_.empty()) {
    unused_tags_.push_back(in_flight_.size());
    in_flight_.emplace_back();
  }
  const std::uint64_t tag = unused_tags_.back();
  unused_tags_.pop_back();
  return tag;
}

void Dma::send(const Request& request) {
  Transfer& transfer = *request.transfer;
  const TransferCommand& command = transfer.command;
  const std::int64_t bytes = request.part.bytes;
  const std::uint64_t tag = take_tag();
  InFlight& sent = in_flight_[tag];
  sent.request = request;
  if (moves_values_) {
    sent.data.resize(static_cast<std::size_t>(bytes));
    if (!command.to_buffer) {
      std::ranges::copy(buffer(command.buffer)->storage().bytes(request.part.buffer_address, bytes),
                        sent.data.begin());
    }
  }
  Activity& events = recorder_.events(command.row);
  events[Event::dma_bytes] += bytes;
  ++events[Event::dma_requests];
  events[command.traffic] += bytes;
  if (!command.to_buffer) buffer(command.buffer)->count_read(command.row, bytes);
  ++transfer.unanswered;
  ++transfer.outstanding;
  MemoryTransfer transaction{command.row, command.to_buffer, request.part.dram_address, bytes};
  if (moves_values_) transaction.data = sent.data.data();
  transaction.sink = &channels_[transfer.channel].sink;
  transaction.pause_cycles = pause_after(config_, command, transfer.requests++);
  transaction.tag = tag;
  memory.transfer(transaction);
}

void Dma::answer(std::uint64_t tag) {
  const std::shared_ptr<Transfer> transfer = in_flight_[tag].request.transfer;
  --transfer->unanswered;
  pass_port(transfer->command, in_flight_[tag].request.part.bytes, [this, tag] { arrive(tag); });
  pass_empty_commands(transfer->channel);
}

void Dma::pass_port(const TransferCommand& command, std::int64_t bytes, std::function<void()> arrived) {
  if (!command.to_buffer || buffer(command.buffer)->config().arbitration == Arbitration::fixed) {
    arrived();
    return;
  }
  sc_core::sc_port<BufferIf>& target = buffer(command.buffer);
  target->write_burst(target->write_cycles(bytes), std::move(arrived));
}

/// A burst of no beats still waits for its turn at a shared port.
void Dma::pass_empty_commands(std::size_t channel) {
  std::vector<std::shared_ptr<Transfer>> passing;
  for (const std::shared_ptr<Transfer>& transfer : channels_[channel].under_way) {
    if (transfer->unanswered > 0 || !transfer->all_sent) break;
    if (std::exchange(transfer->is_empty, false)) passing.push_back(transfer);
  }
  for (const std::shared_ptr<Transfer>& transfer : passing) {
    pass_port(transfer->command, 0, [this, transfer] {
      --transfer->outstanding;
      finish_commands(transfer->channel);
    });
  }
}

void Dma::write_values(const TransferCommand& command, const TransferRequest& part,
                       const std::vector<std::byte>& data) {
  BufferStorage& storage = buffer(command.buffer)->storage();
  if (!command.scatter) {
    std::ranges::copy(data, storage.bytes(part.buffer_address, part.bytes).begin());
    return;
  }
  for (std::int64_t i = 0; i < part.bytes; ++i) {
    const std::int64_t offset = command.scatter->offset(part.buffer_address - command.buffer_base + i);
    storage.bytes(command.buffer_base + offset, 1)[0] = data[static_cast<std::size_t>(i)];
  }
}

void Dma::arrive(std::uint64_t tag) {
  InFlight& arrived = in_flight_[tag];
  const std::shared_ptr<Transfer> transfer = std::move(arrived.request.transfer);
  const TransferCommand& command = transfer->command;
  const TransferRequest& part = arrived.request.part;
  if (command.to_buffer) {
    buffer(command.buffer)->count_write(command.row, part.bytes);
    if (moves_values_) write_values(command, part, arrived.data);
  }
  unused_tags_.push_back(tag);
  --transfer->outstanding;
  if (transfer->is_complete()) finish_commands(transfer->channel);
}

void Dma::finish_commands(std::size_t channel) {
  std::deque<std::shared_ptr<Transfer>>& under_way = channels_[channel].under_way;
  while (!under_way.empty() && under_way.front()->is_complete()) {
    const std::shared_ptr<Transfer> transfer = std::move(under_way.front());
    under_way.pop_front();
    finish(*transfer);
  }
}

/// How long after its arrival the array may read a tile.
Cycle Dma::ready_cycles(const Transfer& transfer) const {
  if (!transfer.command.to_buffer) return 0;
  return transfer.channel == static_cast<std::size_t>(DmaChannel::weights) ? config_.weight_ready_cycles
                                                                           : config_.input_ready_cycles;
}

void Dma::finish(const Transfer& transfer) {
  const TransferCommand& command = transfer.command;
  const Cycle done = now_cycle();
  const std::int64_t bytes = command.run_bytes * command.counts[0] * command.counts[1] * command.counts[2];
  recorder_.timeline.record(kBusySpans[transfer.channel], command.row, transfer.first_request, done, bytes);
  std::int64_t& tile_bytes = channels_[transfer.channel].tile_bytes;
  tile_bytes += bytes;
  if (command.arrived.empty()) return;
  const std::int64_t arrived_bytes = std::exchange(tile_bytes, 0);
  if (command.to_buffer && command.passes_through) held_.hold(command.held, done, arrived_bytes);
  if (command.to_buffer && !command.passes_through) held_.keep(command.held, done, arrived_bytes);
  if (const Cycle ready = ready_cycles(transfer); ready > 0) {
    completions->at(done + ready, [signals = command.arrived] { give(signals); });
  } else {
    give(command.arrived);
  }
}

}  // namespace qsim
