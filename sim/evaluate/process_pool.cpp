#include "sim/evaluate/process_pool.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace qsim {
namespace {

constexpr std::int64_t kNoItem = -1;
constexpr int kFailedExit = 1;

/// What the processes tell each other. Lock-free, or it would not work between processes.
struct Board {
  std::atomic<std::int64_t> next_item{0};
  std::atomic<std::int64_t> done{0};
  std::atomic<bool> stopped{false};
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

struct Desk {
  std::atomic<std::int64_t> item{kNoItem};  ///< What the worker is doing.
  std::array<char, 1000> message{};         ///< Why it gave up.
};

/// Signals that end the work, SIGCHLD among them, blocked so that they can be waited for. One that the
/// process ignores (nohup) stays ignored.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigemptyset(&waited_);
    sigaddset(&waited_, SIGCHLD);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction action {};
      const bool ignored = sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
      if (!ignored) sigaddset(&waited_, number);
    }
    pthread_sigmask(SIG_BLOCK, &waited_, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  /// The signal that arrived within the time, or 0.
  [[nodiscard]] int wait(std::chrono::milliseconds time) const;

 private:
  sigset_t waited_{};
  sigset_t before_{};
};

int BlockedSignals::wait(std::chrono::milliseconds time) const {
  const timespec limit{0, static_cast<long>(time.count() * 1'000'000)};
  const int number = sigtimedwait(&waited_, nullptr, &limit);
  return number > 0 ? number : 0;
}

class Pool {
 public:
  Pool(const PoolOptions& options, const std::function<PoolWork(int)>& make_worker)
      : options_(options),
        make_worker_(make_worker),
        jobs_(static_cast<int>(
            std::clamp<std::int64_t>(options.jobs, 1, std::max<std::int64_t>(options.items, 1)))),
        memory_(sizeof(Board) + static_cast<std::size_t>(jobs_) * sizeof(Desk)),
        board_(new (memory_.data()) Board),
        desks_(new (memory_.data() + sizeof(Board)) Desk[static_cast<std::size_t>(jobs_)]) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() { kill_all(); }

  PoolResult run() {
    for (int job = 0; job < jobs_; ++job) start(job);
    constexpr std::chrono::milliseconds tick{200};
    while (running_ > 0) {
      const int number = signals_.wait(tick);
      if (number != 0 && number != SIGCHLD) {
        kill_all();
        return {board_->done, number};
      }
      collect();
      if (options_.on_progress) options_.on_progress(board_->done);
    }
    return {board_->done, 0};
  }

 private:
  void start(int job) {
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error(std::string("cannot start a process: ") + std::strerror(errno));
    if (child == 0) {
      // The parent's death, by whatever signal, is the end of its children.
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(kFailedExit);
      _exit(work(job));
    }
    children_.push_back(child);
    ++running_;
  }

  /// In the child: its exit code.
  int work(int job) {
    Desk& desk = desks_[job];
    try {
      const PoolWork work = make_worker_(job);
      while (!board_->stopped) {
        const std::int64_t item = board_->next_item++;
        if (item >= options_.items) break;
        desk.item = item;
        if (!work(item)) board_->stopped = true;
        ++board_->done;
      }
      return 0;
    } catch (const std::exception& error) {
      std::strncpy(desk.message.data(), error.what(), desk.message.size() - 1);
    } catch (...) {
      std::strncpy(desk.message.data(), "an unknown exception", desk.message.size() - 1);
    }
    return kFailedExit;
  }

  /// Takes note of the children that have ended; throws where one did not end well.
  void collect() {
    for (std::size_t job = 0; job < children_.size(); ++job) {
      int status = 0;
      if (children_[job] == 0 || waitpid(children_[job], &status, WNOHANG) != children_[job]) continue;
      children_[job] = 0;
      --running_;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
      const Desk& desk = desks_[job];
      std::string message = "a worker process ended ";
      message += desk.item == kNoItem ? "before its first item" : "at item " + std::to_string(desk.item);
      message += ": ";
      message += WIFSIGNALED(status) ? std::string("killed by signal ") + strsignal(WTERMSIG(status))
                                     : std::string(desk.message.data());
      throw std::runtime_error(message);
    }
  }

  void kill_all() {
    for (pid_t& child : children_) {
      if (child == 0) continue;
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      child = 0;
    }
    running_ = 0;
  }

  const PoolOptions& options_;
  const std::function<PoolWork(int)>& make_worker_;
  int jobs_;
  SharedMemory memory_;
  Board* board_;
  Desk* desks_;
  BlockedSignals signals_;
  std::vector<pid_t> children_;  ///< By job; 0: it has ended.
  int running_ = 0;
};

}  // namespace

SharedMemory::SharedMemory(std::size_t bytes) : bytes_(std::max<std::size_t>(bytes, 1)) {
  void* memory =
      mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::runtime_error("cannot share " + std::to_string(bytes) +
                             " bytes between processes: " + std::strerror(errno));
  }
  data_ = static_cast<std::byte*>(memory);
}

SharedMemory::~SharedMemory() {
  munmap(data_, bytes_);
}

PoolResult run_in_processes(const PoolOptions& options, const std::function<PoolWork(int job)>& make_worker) {
  return Pool(options, make_worker).run();
}

}  // namespace qsim
