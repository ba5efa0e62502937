#include "hw_models/memory/simple_memory.h"

#include <tuple>

namespace qsim {

SimpleMemory::SimpleMemory(const DramConfig& config, std::int64_t clock_khz)
    : reads_{DramTiming(config, clock_khz), {}} {
  if (config.write_bandwidth_bytes_per_second == 0) return;
  DramConfig writes = config;
  writes.bandwidth_bytes_per_second = config.write_bandwidth_bytes_per_second;
  writes.latency_cycles = config.write_latency_cycles;
  writes_ = Channel{DramTiming(writes, clock_khz), {}};
}

std::optional<std::int64_t> SimpleMemory::arrive(std::int64_t now, const MemoryRequest& request) {
  Channel& channel = writes_ && !request.is_read ? *writes_ : reads_;
  const std::int64_t earliest = request.sink == nullptr ? 0 : request.sink->free_from;
  const DramService service = channel.timing.serve(now, request.address, request.bytes, earliest);
  if (request.sink != nullptr && request.pause_cycles > 0) {
    request.sink->free_from = service.done_cycle + 1 + request.pause_cycles;
  }
  channel.pending.push_back({service.done_cycle, request.id});
  return service.accepted_cycle;
}

const SimpleMemory::Channel* SimpleMemory::first() const {
  const Channel* reads = reads_.pending.empty() ? nullptr : &reads_;
  const Channel* writes = !writes_ || writes_->pending.empty() ? nullptr : &*writes_;
  if (reads == nullptr || writes == nullptr) return reads == nullptr ? writes : reads;
  const auto when = [](const Channel& channel) {
    return std::tuple(channel.pending.front().done, channel.pending.front().id);
  };
  return when(*reads) < when(*writes) ? reads : writes;
}

std::optional<std::int64_t> SimpleMemory::next() const {
  const Channel* channel = first();
  if (channel == nullptr) return std::nullopt;
  return channel->pending.front().done;
}

std::optional<MemoryEvent> SimpleMemory::take(std::int64_t now) {
  const Channel* channel = first();
  if (channel == nullptr || channel->pending.front().done > now) return std::nullopt;
  const MemoryEvent event{MemoryEvent::Kind::complete, channel->pending.front().id};
  (channel == &reads_ ? reads_ : *writes_).pending.pop_front();
  return event;
}

}  // namespace qsim
