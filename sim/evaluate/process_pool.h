// Work items in forked processes: the simulator's kernels and the image decoders run on every processor, a
// worker that dies cannot take the others' results with it, and an interrupt ends everything at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace qsim {

/// Zero-filled memory that a process and the children it forks share; pages cost nothing until they are
/// written. Throws std::runtime_error where the system has no room for it.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t bytes);
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory();

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_;
};

struct PoolOptions {
  std::int64_t items = 0;
  int jobs = 1;
  /// Called a few times a second in the parent with the number of items that are done.
  std::function<void(std::int64_t done)> on_progress;
};

struct PoolResult {
  std::int64_t done = 0;
  int signal = 0;  ///< SIGINT, SIGTERM or SIGHUP where one of them ended the work early.
};

/// Calls `work(item)` for items 0, 1, ... in `jobs` forked processes, each item once, handed out in ascending
/// order to whichever process is free. `make_worker(job)` runs in the child and yields its `work`; results go
/// to SharedMemory. When `work` returns false no further items are handed out; those under way are finished.
///
/// The caller must have no other thread. An exception in a child ends the pool and is thrown here as
/// std::runtime_error with its text, and so is a child killed by a signal, with the item it had.
using PoolWork = std::function<bool(std::int64_t item)>;
[[nodiscard]] PoolResult run_in_processes(const PoolOptions& options,
                                          const std::function<PoolWork(int job)>& make_worker);

}  // namespace qsim
