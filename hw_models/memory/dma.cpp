#include "hw_models/memory/dma.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace qsim {

namespace {

constexpr int kCommandQueueDepth = 2;
constexpr int kRequestQueueDepth = 2;

constexpr std::array<Span, 3> kBusySpans = {Span::weights_busy, Span::inputs_busy, Span::stores_busy};

}  // namespace

/// A command on its way: what its requests share.
struct Dma::Transfer {
  TransferCommand command;
  std::size_t channel = 0;
  Cycle first_request = -1;
  std::int64_t requests = 0;
};

Dma::Channel::Channel() : commands(kCommandQueueDepth), requests(kRequestQueueDepth) {}

Dma::Dma(sc_core::sc_module_name name, const DmaConfig& config, SramBuffer& weight_buffer,
         SramBuffer& activation_buffer, Completions& completions, ChipContext& context)
    : sc_module(name),
      socket("socket"),
      config_(config),
      weight_buffer_(weight_buffer),
      activation_buffer_(activation_buffer),
      completions_(completions),
      context_(context) {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    sc_core::sc_spawn([this, i] { context_.guard([this, i] { run_channel(i); }); },
                      sc_core::sc_gen_unique_name("channel"));
  }
  sc_core::sc_spawn([this] { context_.guard([this] { run_port(); }); }, sc_core::sc_gen_unique_name("port"));
}

void Dma::submit(DmaChannel channel, const TransferCommand& command) {
  ++context_.events(command.row)[Event::commands];
  channels_[static_cast<std::size_t>(channel)].commands.write(command);
}

void Dma::run_channel(std::size_t index) {
  Channel& channel = channels_[index];
  while (true) {
    auto transfer = std::make_shared<Transfer>();
    transfer->command = channel.commands.read();
    transfer->channel = index;
    if (transfer->command.ends_stream) {
      offer(channel, {transfer, 0, 0, 0, true});
      return;
    }
    if (transfer->command.acquire != nullptr) transfer->command.acquire->acquire();
    if (config_.setup_cycles > 0) sc_core::wait(cycles_to_time(config_.setup_cycles));
    split(channel, transfer);
  }
}

void Dma::split(Channel& channel, const std::shared_ptr<Transfer>& transfer) const {
  const TransferCommand& command = transfer->command;
  if (command.run_bytes == 0) {
    offer(channel, {transfer, 0, 0, 0, true});
    return;
  }
  const auto [n0, n1, n2] = command.counts;
  for (std::int64_t i = 0; i < n0; ++i) {
    for (std::int64_t j = 0; j < n1; ++j) {
      for (std::int64_t k = 0; k < n2; ++k) {
        const auto at = [&](std::int64_t base, const std::array<std::int64_t, 3>& strides) {
          return base + i * strides[0] + j * strides[1] + k * strides[2];
        };
        const bool last = i + 1 == n0 && j + 1 == n1 && k + 1 == n2;
        offer_run(channel, transfer, at(command.dram_base, command.dram_strides),
                  at(command.buffer_base, command.buffer_strides), last);
      }
    }
  }
}

void Dma::offer_run(Channel& channel, const std::shared_ptr<Transfer>& transfer, std::int64_t dram_address,
                    std::int64_t buffer_address, bool last_run) const {
  const std::int64_t run_bytes = transfer->command.run_bytes;
  for (std::int64_t done = 0; done < run_bytes;) {
    // Requests end at multiples of the transaction size, so that bursts are not torn apart.
    const std::int64_t to_boundary =
        config_.transaction_bytes - (dram_address + done) % config_.transaction_bytes;
    const std::int64_t bytes = std::min(run_bytes - done, to_boundary);
    const bool last = last_run && done + bytes == run_bytes;
    offer(channel, {transfer, dram_address + done, buffer_address + done, bytes, last});
    done += bytes;
  }
}

void Dma::offer(Channel& channel, const Request& request) {
  channel.rows.push_back(request.transfer->command.row);
  channel.requests.write(request);
}

/// The channel whose request goes next; nullptr: nothing to do yet.
Dma::Channel* Dma::next_channel(std::size_t first) {
  if (context_.fixed_order != nullptr) {
    Channel& channel = channels_.at(context_.fixed_order->at(served_));
    return channel.requests.num_available() > 0 ? &channel : nullptr;
  }
  Channel* found = nullptr;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    Channel& channel = channels_[(first + i) % channels_.size()];
    if (channel.requests.num_available() == 0) continue;
    if (found == nullptr || channel.rows.front() < found->rows.front()) found = &channel;
  }
  return found;
}

/// Waits, within the present cycle, until all else has happened in it: which requests there are to choose
/// from then depends on cycles alone, not on the order of events within one.
void Dma::settle() {
  while (sc_core::sc_pending_activity_at_current_time()) sc_core::wait(sc_core::SC_ZERO_TIME);
}

void Dma::run_port() {
  std::size_t next = 0;
  for (std::size_t ended = 0; ended < channels_.size();) {
    settle();
    Channel* channel = next_channel(next);
    if (channel == nullptr) {
      sc_core::wait(channels_[0].requests.data_written_event() | channels_[1].requests.data_written_event() |
                    channels_[2].requests.data_written_event());
      continue;
    }
    const Request request = channel->requests.read();
    channel->rows.pop_front();
    next = (request.transfer->channel + 1) % channels_.size();
    ++served_;
    if (context_.recorded_order != nullptr)
      context_.recorded_order->push_back(static_cast<std::uint8_t>(request.transfer->channel));
    if (request.transfer->command.ends_stream) {
      ++ended;
    } else {
      perform(request);
    }
  }
}

void Dma::perform(const Request& request) {
  Transfer& transfer = *request.transfer;
  const TransferCommand& command = transfer.command;
  if (transfer.first_request < 0) transfer.first_request = now_cycle();
  Cycle& channel_done = channels_[transfer.channel].last_done;
  if (request.bytes == 0) {
    // Nothing to move; its token still comes after those of the channel's earlier commands.
    channel_done = std::max(channel_done, now_cycle());
    finish(request, channel_done, {});
    return;
  }
  std::vector<std::byte> data;
  if (context_.moves_values) {
    data.resize(static_cast<std::size_t>(request.bytes));
    if (!command.to_buffer) {
      std::ranges::copy(buffer(command.buffer).bytes(request.buffer_address, request.bytes), data.begin());
    }
  }
  Channel& channel = channels_[transfer.channel];
  DramExtension extension;
  extension.row = command.row;
  extension.earliest_done_cycle = channel.earliest_done;
  tlm::tlm_generic_payload payload;
  payload.set_command(command.to_buffer ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND);
  payload.set_address(static_cast<sc_dt::uint64>(request.dram_address));
  payload.set_data_length(static_cast<unsigned>(request.bytes));
  payload.set_data_ptr(data.empty() ? nullptr : reinterpret_cast<unsigned char*>(data.data()));
  payload.set_extension(&extension);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket->b_transport(payload, delay);
  payload.clear_extension(&extension);

  Activity& events = context_.events(command.row);
  events[Event::dma_bytes] += request.bytes;
  ++events[Event::dma_requests];
  events[command.traffic] += request.bytes;
  if (!command.to_buffer) buffer(command.buffer).count_read(command.row, request.bytes);
  channel_done = now_cycle() + static_cast<Cycle>(delay.value());
  context_.bus.record(command.to_buffer, request.bytes, channel_done);
  ++transfer.requests;
  if (const Cycle pause = pause_after(transfer); pause > 0) channel.earliest_done = channel_done + 1 + pause;
  finish(request, channel_done, std::move(data));
  wait_until(extension.accepted_cycle);
}

/// The k-th transaction of a row of P pixels, A transactions each, belongs to line l = k / P of the row (its
/// l-th slice of channels). A line ends with a pause; lines 2 and 3 of every four pause after every second
/// transaction as well.
Cycle Dma::pause_after(const Transfer& transfer) const {
  const TransferCommand& command = transfer.command;
  if (command.row_pixels == 0 || config_.line_gap_cycles + config_.upper_atom_gap_cycles == 0) return 0;
  const std::int64_t atoms = ceil_div(command.pixel_bytes, config_.transaction_bytes);
  const std::int64_t k = transfer.requests - 1;
  const std::int64_t line = k / command.row_pixels % atoms;
  const std::int64_t position = k % command.row_pixels;
  const Cycle after_line = position + 1 == command.row_pixels ? config_.line_gap_cycles : 0;
  const Cycle after_pair = line % 4 >= 2 && position % 2 == 1 ? config_.upper_atom_gap_cycles : 0;
  return std::max(after_line, after_pair);
}

Held Dma::held_by(const TransferCommand& command) const {
  if (command.buffer == BufferId::activations) return Held::inputs;
  return command.release == &context_.tokens.parameters_ready ? Held::parameters : Held::weights;
}

/// How long after its arrival the array may read a tile.
Cycle Dma::ready_cycles(const Transfer& transfer) const {
  if (!transfer.command.to_buffer) return 0;
  return transfer.channel == static_cast<std::size_t>(DmaChannel::weights) ? config_.weight_ready_cycles
                                                                           : config_.input_ready_cycles;
}

void Dma::finish(const Request& request, Cycle done, std::vector<std::byte> data) {
  const TransferCommand& command = request.transfer->command;
  const bool meets_reads =
      command.to_buffer && buffer(command.buffer).config().arbitration != Arbitration::fixed;
  if (!request.last && !meets_reads && (data.empty() || !command.to_buffer)) {
    if (command.to_buffer) buffer(command.buffer).count_write(command.row, request.bytes);
    return;
  }
  completions_.at(done, [this, request, meets_reads, data = std::move(data)] {
    if (!meets_reads) {
      arrive(request, data);
      return;
    }
    SramBuffer& target = buffer(request.transfer->command.buffer);
    target.write_burst(target.write_cycles(request.bytes), [this, request, data] { arrive(request, data); });
  });
}

void Dma::arrive(const Request& request, const std::vector<std::byte>& data) {
  const TransferCommand& finished = request.transfer->command;
  if (finished.to_buffer && request.bytes > 0) {
    buffer(finished.buffer).count_write(finished.row, request.bytes);
    if (!data.empty())
      std::ranges::copy(data, buffer(finished.buffer).bytes(request.buffer_address, request.bytes).begin());
  }
  if (!request.last) return;
  const Cycle done = now_cycle();
  const std::int64_t bytes =
      finished.run_bytes * finished.counts[0] * finished.counts[1] * finished.counts[2];
  context_.timeline.record(kBusySpans[request.transfer->channel], finished.row,
                           request.transfer->first_request, done, bytes);
  std::int64_t& tile_bytes = channels_[request.transfer->channel].tile_bytes;
  tile_bytes += bytes;
  if (finished.to_buffer && finished.release != nullptr) {
    context_.timeline.hold(held_by(finished), done, std::exchange(tile_bytes, 0));
  }
  if (finished.release != nullptr) {
    if (const Cycle ready = ready_cycles(*request.transfer); ready > 0) {
      completions_.at(done + ready, [token = finished.release] { token->release(); });
    } else {
      finished.release->release();
    }
  }
  if (finished.retires) context_.on_retire();
}

}  // namespace qsim
