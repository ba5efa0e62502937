#include "sim/evaluate/process_pool.h"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <vector>

namespace qsim {
namespace {

using Catch::Matchers::Contains;

/// One counter an item, visible to all processes.
class Counters {
 public:
  explicit Counters(std::int64_t count) : memory_(static_cast<std::size_t>(count) * sizeof(std::int64_t)) {}
  std::int64_t& operator[](std::int64_t i) { return reinterpret_cast<std::int64_t*>(memory_.data())[i]; }

 private:
  SharedMemory memory_;
};

PoolOptions pool_of(std::int64_t items, int jobs) {
  PoolOptions options;
  options.items = items;
  options.jobs = jobs;
  return options;
}

TEST_CASE("every item is worked on once, in processes of their own") {
  constexpr std::int64_t items = 1000;
  for (const int jobs : {1, 2, 7}) {
    Counters runs(items);
    Counters processes(items);
    const PoolResult result = run_in_processes(pool_of(items, jobs), [&](int) {
      return [&](std::int64_t item) {
        ++runs[item];
        processes[item] = getpid();
        return true;
      };
    });
    CHECK(result.done == items);
    CHECK(result.signal == 0);
    for (std::int64_t i = 0; i < items; ++i) {
      CHECK(runs[i] == 1);
      CHECK(processes[i] != getpid());
    }
  }
}

TEST_CASE("there are no more processes than items") {
  Counters jobs_seen(8);
  CHECK(run_in_processes(pool_of(2, 8), [&](int job) {
          ++jobs_seen[job];
          return [](std::int64_t) { return true; };
        }).done == 2);
  CHECK(jobs_seen[0] + jobs_seen[1] == 2);
  CHECK(jobs_seen[2] == 0);
}

TEST_CASE("no items are no work") {
  CHECK(run_in_processes(pool_of(0, 2), [](int) { return [](std::int64_t) { return true; }; }).done == 0);
}

TEST_CASE("a worker that says stop leaves what comes behind it undone, and nothing before it") {
  constexpr std::int64_t items = 10'000;
  constexpr std::int64_t last = 5;
  Counters runs(items);
  const PoolResult result = run_in_processes(pool_of(items, 2), [&](int) {
    return [&](std::int64_t item) {
      ++runs[item];
      return item != last;
    };
  });
  for (std::int64_t i = 0; i <= last; ++i) CHECK(runs[i] == 1);
  CHECK(result.done < items);
  CHECK(runs[items - 1] == 0);
}

TEST_CASE("an exception in a worker is thrown with its text and its item") {
  CHECK_THROWS_WITH(run_in_processes(pool_of(10, 2),
                                     [](int) {
                                       return [](std::int64_t item) -> bool {
                                         if (item == 3) throw std::runtime_error("no more paper");
                                         return true;
                                       };
                                     }),
                    Contains("at item 3") && Contains("no more paper"));
}

TEST_CASE("a worker that is killed is told by signal and item") {
  CHECK_THROWS_WITH(run_in_processes(pool_of(10, 2),
                                     [](int) {
                                       return [](std::int64_t item) {
                                         if (item == 4) std::raise(SIGKILL);
                                         return true;
                                       };
                                     }),
                    Contains("at item 4") && Contains("Killed"));
}

TEST_CASE("an interrupt ends all workers and says how far they came") {
  Counters pids(2);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const pid_t parent = getpid();
    const PoolResult result = run_in_processes(pool_of(1'000'000, 2), [&](int job) {
      pids[job] = getpid();
      return [&, job, parent](std::int64_t item) {
        if (item == 20) kill(parent, number);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return true;
      };
    });
    CHECK(result.signal == number);
    CHECK(result.done >= 19);  // 21 are handed out, each process has at most one in hand
    CHECK(result.done < 1'000'000);
    for (const int job : {0, 1}) CHECK(kill(static_cast<pid_t>(pids[job]), 0) == -1);
  }
}

TEST_CASE("a signal that the process ignores stays ignored") {
  std::signal(SIGHUP, SIG_IGN);
  const pid_t parent = getpid();
  const PoolResult result = run_in_processes(pool_of(50, 2), [&](int) {
    return [&](std::int64_t item) {
      if (item == 2) kill(parent, SIGHUP);
      return true;
    };
  });
  std::signal(SIGHUP, SIG_DFL);
  CHECK(result.signal == 0);
  CHECK(result.done == 50);
}

TEST_CASE("progress counts up to the number of items") {
  std::vector<std::int64_t> seen;
  PoolOptions options = pool_of(30, 2);
  options.on_progress = [&](std::int64_t done) { seen.push_back(done); };
  CHECK(run_in_processes(options, [](int) {
          return [](std::int64_t) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            return true;
          };
        }).done == 30);
  REQUIRE(!seen.empty());
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(seen.back() == 30);
}

}  // namespace
}  // namespace qsim
