// The memory port: what a model says reaches the initiators in its cycle.
#include <catch2/catch.hpp>

#include <map>
#include <utility>

#include "hw_models/cycle.h"
#include "hw_models/memory/make_memory.h"
#include "hw_models/memory/memory.h"
#include "hw_models/memory/memory_port.h"
#include "hw_models/memory/simple_memory.h"
#include "hw_models/simulation_context.h"

namespace qsim {
namespace {

/// 64-byte bursts at 12.8 GB/s and 1 GHz: 5 cycles each on the bus, after a latency of 100.
DramConfig memory_config() {
  DramConfig config;
  config.latency_cycles = 100;
  config.burst_bytes = 64;
  config.outstanding_requests = 2;
  return config;
}

MemoryRequest request(std::uint64_t id, bool is_read, std::int64_t address) {
  return {id, is_read, address, 64, nullptr, 0};
}

TEST_CASE("a request is complete in its cycle and not a cycle earlier") {
  SimpleMemory memory(memory_config(), 1'000'000);
  CHECK_FALSE(memory.next());
  CHECK(memory.arrive(10, request(0, true, 0)) == 10);
  CHECK(memory.next() == 115);
  CHECK_FALSE(memory.take(114));
  const std::optional<MemoryEvent> event = memory.take(115);
  REQUIRE(event);
  CHECK(event->id == 0);
  CHECK_FALSE(memory.take(1000));
}

TEST_CASE("writes wait for reads where they share a channel, and not where they have one of their own") {
  DramConfig config = memory_config();
  SimpleMemory shared(config, 1'000'000);
  (void)shared.arrive(0, request(0, true, 0));
  (void)shared.arrive(0, request(1, false, 64));
  CHECK(shared.take(1000)->id == 0);
  CHECK(shared.next() == 110);
  config.write_bandwidth_bytes_per_second = 64'000'000'000;
  config.write_latency_cycles = 7;
  SimpleMemory separate(config, 1'000'000);
  (void)separate.arrive(0, request(0, true, 0));
  (void)separate.arrive(0, request(1, false, 64));
  CHECK(separate.next() == 8);
  CHECK(separate.take(8)->id == 1);
  CHECK(separate.next() == 105);
}

TEST_CASE("a sink that pauses gets its next data after the pause") {
  SimpleMemory memory(memory_config(), 1'000'000);
  DataSink sink;
  MemoryRequest first = request(0, true, 0);
  first.sink = &sink;
  first.pause_cycles = 20;
  (void)memory.arrive(0, first);
  CHECK(sink.free_from == 105 + 1 + 20);
  MemoryRequest second = request(1, true, 64);
  second.sink = &sink;
  (void)memory.arrive(0, second);
  CHECK(memory.take(1000)->id == 0);
  CHECK(memory.next() == 126);
}

TEST_CASE("every kind of memory has a name, and only none has no model") {
  CHECK(memory_kind_names() == std::vector<std::string>{"simple", "none"});
  DramConfig config;
  CHECK(make_memory(config, 1'000'000) != nullptr);
  config.kind = DramKind::none;
  CHECK(make_memory(config, 1'000'000) == nullptr);
}

/// Completes requests when the test says so.
class ScriptedMemory : public MemoryModel {
 public:
  explicit ScriptedMemory(std::vector<std::pair<std::int64_t, MemoryEvent>> events)
      : events_(std::move(events)) {}

  std::optional<std::int64_t> arrive(std::int64_t /*now*/, const MemoryRequest& /*request*/) override {
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::int64_t> next() const override {
    return index_ < events_.size() ? std::optional(events_[index_].first) : std::nullopt;
  }
  std::optional<MemoryEvent> take(std::int64_t now) override {
    if (index_ == events_.size() || events_[index_].first > now) return std::nullopt;
    return events_[index_++].second;
  }

 private:
  std::vector<std::pair<std::int64_t, MemoryEvent>> events_;
  std::size_t index_ = 0;
};

/// Sockets belong to modules.
struct Initiator : public sc_core::sc_module {
  Initiator(sc_core::sc_module_name name, std::map<std::int64_t, std::int64_t>& done)
      : sc_module(name), memory("memory", 0, [&done](std::uint64_t tag) {
          done[static_cast<std::int64_t>(tag)] = now_cycle();
        }) {}
  MemoryInitiator memory;
};

/// Two initiators with two reads each; when each request was sent and complete.
struct Bench {
  explicit Bench(std::vector<std::pair<std::int64_t, MemoryEvent>> events)
      : memory("memory", std::make_unique<ScriptedMemory>(std::move(events)), 64, 256, recorder, processes) {
    one.memory.socket.bind(memory.socket);
    other.memory.socket.bind(memory.socket);
    for (std::size_t i = 0; i < 256; ++i) memory.bytes(0, 256)[i] = static_cast<std::byte>(i);
    processes.spawn("one", [this] { read_twice(one.memory, 0); });
    processes.spawn("other", [this] { read_twice(other.memory, 128); });
  }

  void read_twice(MemoryInitiator& initiator, std::int64_t address) {
    for (const std::int64_t at : {address, address + 64}) {
      sent[at] = now_cycle();
      MemoryTransfer transfer{0, true, at, 64};
      transfer.data = data.data() + at;
      transfer.tag = static_cast<std::uint64_t>(at);
      initiator.transfer(transfer);
    }
  }

  SimulationContext simulation;
  Recorder recorder{1};
  Processes processes;
  std::map<std::int64_t, std::int64_t> sent, done;  ///< By address.
  Initiator one{"one", done}, other{"other", done};
  Memory memory;
  std::vector<std::byte> data = std::vector<std::byte>(256);
};

TEST_CASE("a memory may accept late and complete requests in any order") {
  using Kind = MemoryEvent::Kind;
  // Requests by arrival: 0 and 1 in cycle 0, of each initiator its first one. Request 1 is complete before it
  // is accepted, which is the same.
  Bench bench({{4, {Kind::accepted, 0}},
               {9, {Kind::complete, 1}},
               {20, {Kind::complete, 2}},
               {20, {Kind::complete, 0}},
               {31, {Kind::complete, 3}}});
  sc_core::sc_start();
  bench.processes.rethrow_error();
  CHECK(bench.sent == std::map<std::int64_t, std::int64_t>{{0, 0}, {64, 4}, {128, 0}, {192, 9}});
  CHECK(bench.done == std::map<std::int64_t, std::int64_t>{{0, 20}, {64, 20}, {128, 9}, {192, 31}});
  for (std::size_t i = 0; i < 256; ++i) CHECK(bench.data[i] == static_cast<std::byte>(i));
  CHECK(bench.recorder.events(0)[Event::dram_read_bursts] == 4);
}

TEST_CASE("a model that completes a request twice is an error") {
  using Kind = MemoryEvent::Kind;
  Bench bench({{4, {Kind::accepted, 0}}, {9, {Kind::complete, 1}}, {10, {Kind::complete, 1}}});
  sc_core::sc_start();
  CHECK_THROWS_AS(bench.processes.rethrow_error(), std::logic_error);
}

}  // namespace
}  // namespace qsim
