// What a memory model decides: when requests are taken and when they are complete. Plain C++, no SystemC; a
// model is one file pair and one row in make_memory.cpp.
#pragma once

#include <cstdint>
#include <optional>

namespace qsim {

/// Where the data of an initiator's requests go to. It takes none before `free_from` and may pause after a
/// request: whoever decides when that request is complete moves `free_from`.
struct DataSink {
  std::int64_t free_from = 0;
};

/// A request as the memory sees it; cycles are core cycles.
struct MemoryRequest {
  std::uint64_t id = 0;  ///< Counts up from 0 in order of arrival.
  bool is_read = true;
  std::int64_t address = 0, bytes = 0;
  DataSink* sink = nullptr;       ///< May be absent.
  std::int64_t pause_cycles = 0;  ///< Of the sink after the request's last data.
};

/// What has happened to a request.
struct MemoryEvent {
  enum class Kind : std::uint8_t {
    accepted,  ///< Its initiator may send the next one.
    complete,  ///< The last data has been transferred.
  };
  Kind kind = Kind::complete;
  std::uint64_t id = 0;
};

/// Requests may be complete in any order, and what arrives later may move what is still under way. Time never
/// runs backwards between two calls.
class MemoryModel {
 public:
  MemoryModel() = default;
  virtual ~MemoryModel() = default;
  MemoryModel(const MemoryModel&) = delete;
  MemoryModel& operator=(const MemoryModel&) = delete;

  /// A request arrives in cycle `now`. Returns from which cycle on its initiator may send the next one, where
  /// that is known already; otherwise an event says so later.
  [[nodiscard]] virtual std::optional<std::int64_t> arrive(std::int64_t now,
                                                           const MemoryRequest& request) = 0;
  /// The next cycle in which something happens as far as is known; nothing: not before another request.
  [[nodiscard]] virtual std::optional<std::int64_t> next() const = 0;
  /// Takes out what has happened up to `now`, one after the other; nothing: that was all.
  [[nodiscard]] virtual std::optional<MemoryEvent> take(std::int64_t now) = 0;
};

/// Whole aligned bursts that a request touches.
[[nodiscard]] constexpr std::int64_t bursts_of(std::int64_t address, std::int64_t bytes,
                                               std::int64_t burst_bytes) {
  return (address + bytes - 1) / burst_bytes - address / burst_bytes + 1;
}

}  // namespace qsim
